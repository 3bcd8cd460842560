"""Tables written by key, through changes, deletes, late rows and deaths: each equals its source by key.

What the source was at each run is kept here; the lake is read with DuckDB and deltalake, which must
agree.
"""

import datetime
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import deltalake
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))
import readers  # noqa: E402

BINARY = os.environ["HEADWATER_BINARY"]
SEED = int(os.environ.get("HEADWATER_FAULT_SEED", random.SystemRandom().randrange(1 << 32)))
BEGIN = datetime.datetime(2013, 1, 1)
CRASHED = 137
PLACES = ["delta.before_put", "store.before_link", "store.after_link", "delta.after_put",
          "stage.before_close", "stage.after_sync"]

CONFIG = """
version: 1
servers:
  s: {{url: "odbc:Driver=SQLite3;Database={{config_dir}}/s.db;StepAPI=1;NoCreat=1",
      clock: "SELECT value FROM clock", timezone: UTC}}
targets: {{lake: {{delta: ./lake}}}}
defaults: {{target: lake, retries: 0, key: [id]{more}}}
tables:
  - {{from: s/t, target_table: still, strategy: static}}
  - {{from: s/t, target_table: soft, strategy: full, write: merge, delete_missing: soft}}
  - {{from: s/t, target_table: merged, strategy: incremental, cursor: updated, unit: 10d,
     write: merge, cursor_kind: modified, lookback: 2}}
  - {{from: s/t, target_table: whole, strategy: scd2, scd2: {{ignore: [note, updated]}}}}
  - {{from: s/t, target_table: ranges, strategy: scd2, cursor: updated, unit: 10d,
     scd2: {{ignore: [note]}}}}
"""
NAMES = {"server_source": "server_source", "deleted_at": "_hw_deleted_at",
         "valid_from": "valid_from", "valid_to": "valid_to", "is_current": "is_current"}


def text(at):
    return at.strftime("%Y-%m-%d %H:%M:%S")


class World:
    """A source, its lake, and what each of its tables must be."""

    def __init__(self, folder, more="", names=None, seed=SEED):
        self.folder, self.draw = folder, random.Random(seed)
        self.names = dict(NAMES, **(names or {}))
        self.now = BEGIN
        self.rows = {}       # id -> (seats, note, updated), the source.
        self.ever = {}       # The last state of each that was read, by whole reads,
        self.merged = {}     # and by ranges.
        self.replays = []    # (clock, seats by id) of each whole read that was published.
        self.observed = {}   # id -> {updated: seats}, by ranges.
        (folder / "headwater.yaml").write_text(CONFIG.format(more=more))
        self.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, seats INTEGER, note TEXT, updated TIMESTAMP)")
        self.sql("CREATE TABLE clock (value TIMESTAMP)")
        self.sql("INSERT INTO clock VALUES (?)", text(self.now))
        for _ in range(60):
            self.insert()

    def sql(self, statement, *values):
        connection = sqlite3.connect(self.folder / "s.db")
        with connection:
            connection.execute(statement, values)
        connection.close()

    def put(self, id_, seats, note, updated):
        self.rows[id_] = (seats, note, updated)
        self.sql("INSERT OR REPLACE INTO t VALUES (?, ?, ?, ?)", id_, seats, note, text(updated))

    def insert(self, updated=None):
        self.put(max(self.rows, default=0) + 1, self.draw.randrange(3), None, updated or self.now)

    def tick(self, **later):
        self.now += datetime.timedelta(**later)
        self.sql("UPDATE clock SET value = ?", text(self.now))

    def change(self):
        """A day later some rows have come, changed or gone; times only grow."""
        self.tick(days=1)
        for id_ in self.draw.sample(sorted(self.rows), k=min(8, len(self.rows))):
            if self.draw.random() < 0.3:
                del self.rows[id_]
                self.sql("DELETE FROM t WHERE id = ?", id_)
            else:
                self.put(id_, self.draw.randrange(3), f"note {self.draw.randrange(5)}", self.now)
        for _ in range(self.draw.randrange(4)):
            self.insert()

    def saw(self):
        """A run has ended: all that the source has was read."""
        self.ever.update(self.rows)
        self.replays.append((self.now, {id_: row[0] for id_, row in self.rows.items()}))
        self.merged.update(self.rows)
        for id_, (seats, _, updated) in self.rows.items():
            self.observed.setdefault(id_, {})[updated] = seats

    def headwater(self, *command, expect=0, failpoints=""):
        done = subprocess.run([BINARY, *command], cwd=self.folder, text=True, capture_output=True,
                              env=dict(os.environ, HEADWATER_FAILPOINTS=failpoints), timeout=120,
                              check=False)
        assert expect is None or done.returncode == expect, f"seed {SEED}\n{done.stdout}{done.stderr}"
        return done

    def run(self):
        self.headwater("run")
        self.saw()

    def read(self, table):
        """Rows as dictionaries, the same to every reader."""
        path = str(self.folder / "lake" / table)
        found = [readers.rows_of(open_table(path)()) for open_table in
                 (readers.open_deltalake, readers.open_duckdb)]
        assert found[0] == found[1], table
        rows = deltalake.DeltaTable(path).to_pyarrow_table().to_pylist()
        for row in rows:
            if self.names["server_source"]:
                assert row[self.names["server_source"]] == "s"
            for column, value in row.items():
                if isinstance(value, datetime.datetime):
                    row[column] = value.replace(tzinfo=None)
        return rows

    def by_id(self, rows):
        found = {row["id"]: (row["seats"], row["note"], row["updated"]) for row in rows}
        assert len(found) == len(rows), f"seed {SEED}: a key is there twice"
        return found

    def versions(self, table):
        """[(from, to, seats)] by id, in order; each is current or has an end."""
        names, found = self.names, {}
        for row in self.read(table):
            begin, end = row[names["valid_from"]], row[names["valid_to"]]
            assert row[names["is_current"]] == (end is None), row
            assert end is None or begin < end, row
            found.setdefault(row["id"], []).append((begin, end, row["seats"]))
        for id_, versions in found.items():
            versions.sort()
            for one, after in zip(versions, versions[1:]):
                assert one[1] is not None and one[1] <= after[0], (id_, versions)
        return found

    def check(self):
        assert self.by_id(self.read("still")) == self.rows, f"seed {SEED}"
        soft, marked = self.read("soft"), self.names["deleted_at"]
        assert self.by_id(soft) == self.ever, f"seed {SEED}"
        assert {row["id"] for row in soft if row[marked] is None} == set(self.rows), f"seed {SEED}"
        assert self.by_id(self.read("merged")) == self.merged, f"seed {SEED}"
        whole = self.versions("whole")
        for at, replay in self.replays:
            held = {id_: seats for id_, versions in whole.items() for begin, end, seats in versions
                    if begin <= at and (end is None or at < end)}
            assert held == replay, f"seed {SEED}: at {at}"
        ranges = self.versions("ranges")
        assert ranges == {id_: history(seen) for id_, seen in self.observed.items()}, f"seed {SEED}"


def history(seen):
    """The versions of one key by the rules of docs/history.md."""
    versions = []
    for at in sorted(seen):
        if versions and versions[-1][1] == seen[at]:
            continue
        versions.append((at, seen[at]))
    ends = [at for at, _ in versions[1:]] + [None]
    return [(at, end, seats) for (at, seats), end in zip(versions, ends)]


@pytest.fixture
def world(tmp_path):
    print(f"seed {SEED} (HEADWATER_FAULT_SEED={SEED})")
    return World(tmp_path)


def lake_versions(world):
    return {path.name: deltalake.DeltaTable(str(path)).version()
            for path in (world.folder / "lake").iterdir()}


def test_each_run_makes_every_table_what_its_source_says(world):
    world.run()
    world.check()
    for _ in range(6):
        world.change()
        world.run()
        world.check()


def test_nothing_new_makes_no_version(world):
    world.run()
    world.change()
    world.run()
    versions = lake_versions(world)
    world.run()
    assert lake_versions(world) == versions
    world.check()


def test_late_rows_come_with_a_backfill(world):
    world.run()
    for _ in range(30):
        world.change()
    world.run()
    late = BEGIN + datetime.timedelta(days=3, hours=1)
    some = world.draw.sample(sorted(world.rows), k=5)
    # Rows of a time that has settled: new keys, and a past state of keys that have a newer one.
    world.tick(hours=1)
    for _ in range(5):
        world.insert(late)
    world.headwater("backfill", "merged", "--from", text(BEGIN), "--to", text(world.now))
    world.headwater("backfill", "ranges", "--from", text(BEGIN), "--to", text(world.now))
    world.run()
    world.check()
    before = {id_: world.rows[id_] for id_ in some}
    for id_ in some:
        world.put(id_, 9, "late", late)
    world.headwater("backfill", "ranges", "--from", text(BEGIN), "--to", text(world.now))
    for id_ in some:
        world.observed[id_][late] = 9
        world.put(id_, *before[id_])
    world.run()
    world.check()


def test_a_backfill_beside_a_run_undoes_nothing(world):
    world.run()
    for _ in range(4):
        for _ in range(5):
            world.change()
        beside = [subprocess.Popen(
            [BINARY, "backfill", table, "--from", text(BEGIN), "--to", text(world.now)],
            cwd=world.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for table in ("merged", "ranges")]
        world.headwater("run")
        for process in beside:
            said, _ = process.communicate(timeout=120)
            assert process.returncode == 0, said
        world.run()
        world.check()


@pytest.mark.parametrize("occurrence", [1, 2, 4])
@pytest.mark.parametrize("place", PLACES)
def test_a_crash_around_the_commit_is_made_good(world, place, occurrence):
    world.run()
    for _ in range(2):
        world.change()
        # The clock stands still until the run that ends: what both read is the same.
        world.headwater("run", expect=CRASHED, failpoints=f"{place}={occurrence}:crash")
        world.run()
        world.check()


@pytest.mark.parametrize("place", PLACES)
def test_a_crash_of_the_first_load_is_made_good(world, place):
    world.headwater("run", expect=CRASHED, failpoints=f"{place}=2:crash")
    world.run()
    world.check()


RENAMED = ("system_columns: {server_source: origin, loaded_at: loaded, microbatch: false,"
           " row_hash: false, deleted_at: gone, valid_from: since, valid_to: until,"
           " is_current: now, confirmed_at: seen}")
WITHOUT_SERVER = "system_columns: {server_source: false}"


@pytest.mark.parametrize("more, names", [
    (RENAMED, {"server_source": "origin", "deleted_at": "gone", "valid_from": "since",
               "valid_to": "until", "is_current": "now"}),
    (WITHOUT_SERVER, {"server_source": ""})], ids=["renamed", "without_server"])
def test_columns_of_ours_have_other_names_or_none(tmp_path, more, names):
    world = World(tmp_path, ", " + more, names)
    world.run()
    world.check()
    for _ in range(3):
        world.change()
        world.run()
        world.check()
    if names["server_source"] == "":
        for uri in deltalake.DeltaTable(str(tmp_path / "lake" / "still")).file_uris():
            assert Path(uri.removeprefix("file://")).parent == tmp_path / "lake" / "still", uri


def test_a_lost_table_is_refused_and_a_foreign_row_stops_its_table_only(world):
    world.run()
    path = world.folder / "lake" / "still"
    rows = deltalake.DeltaTable(str(path)).to_pyarrow_table()
    deltalake.write_deltalake(str(path), rows.slice(0, 1), mode="append")
    world.change()
    done = world.headwater("run", expect=None)
    assert done.returncode not in (0, CRASHED), done.stdout + done.stderr
    assert "did not write" in done.stdout + done.stderr
    world.saw()
    assert world.by_id(world.read("merged")) == world.merged
