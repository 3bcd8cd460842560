"""Ticks leave many small pieces; once a unit has settled, its files become one set, row for row."""

import datetime
import json
import sys
from pathlib import Path

import pyarrow.compute as pc
import pytest
from playground import KILLED, Playground

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))
from readers import READERS, compare_tables  # noqa: E402

TABLE = ("{from: f/t, target_table: t_inc, strategy: incremental, cursor: at, cursor_timezone: UTC,"
         " unit: 1h, partition_by: 1d%s}")
# Of a unit that is being filled, after all that was loaded first.
FIRST = datetime.datetime(2013, 1, 4, 2, 0)
TICKS = 6


class Ticking(Playground):
    """One server whose clock stands where the last tick has put it, and 60 rows of two days."""

    def __init__(self, folder, lookback=""):
        super().__init__(folder, servers=("a",), rows=60, days=2, tables=(TABLE % lookback,))
        self.id = 10_000
        self.run("run")

    def tick(self, at, rows=3, **options):
        """The source's clock comes to `at`, where rows have just arrived."""
        for _ in range(rows):
            self.id += 1
            self.change("a", "INSERT INTO t VALUES (?, ?, ?, ?)", self.id, str(at), self.id / 8,
                        f"row {self.id}")
        self.change("a", "UPDATE demo_clock SET value = ?", str(at))
        return self.run("-o", "json", "run", **options)

    def fill(self):
        """A unit in small pieces, then rows of the next one."""
        for step in range(TICKS):
            self.tick(FIRST + datetime.timedelta(minutes=8 * step))
        self.tick(FIRST + datetime.timedelta(minutes=70))

    def settle(self, **options):
        """The unit settles, and what is to be compacted is."""
        return self.tick(FIRST + datetime.timedelta(minutes=90), rows=0, **options)

    def actions(self):
        """Those of the newest version that touch files."""
        newest = max((self.lake / "t_inc" / "_delta_log").glob("*.json"))
        lines = [json.loads(line) for line in newest.read_text().splitlines()]
        return [(name, line[name]) for line in lines for name in ("add", "remove") if name in line]

    def all_rows(self, reader):
        """Without those of the newest unit, which a lookback reads again and may cut anew."""
        rows = READERS[reader](str(self.lake / "t_inc"))
        return rows.filter(pc.less(rows["at"], FIRST + datetime.timedelta(hours=1)))

    def pieces_of_unit(self):
        """Files of the unit from FIRST, by the piece that they say they are of."""
        start = int((FIRST - datetime.datetime(1970, 1, 1)).total_seconds()) * 1_000_000
        end, files = start + 3_600_000_000, {}
        log = {}
        for version in sorted((self.lake / "t_inc" / "_delta_log").glob("*.json")):
            for line in map(json.loads, version.read_text().splitlines()):
                if "add" in line:
                    log[line["add"]["path"]] = line["add"]
                elif "remove" in line:
                    log.pop(line["remove"]["path"])
        for add in log.values():
            piece = add["tags"]["headwater.piece"]
            _, first, last = piece.split(":")
            if start <= int(first) and int(last) <= end:
                files.setdefault(piece, []).append(add["path"])
        return files


def of_run(playground, started):
    (dataset,) = playground.last_json(started)["datasets"]
    return {name: int(value) if name.startswith("compacted") else value
            for name, value in dataset.items()}


@pytest.fixture
def ticking(tmp_path):
    return Ticking(tmp_path / "play")


@pytest.mark.parametrize("lookback", ["", ", lookback: 2"])
def test_a_settled_unit_becomes_one_set_of_files_without_a_change_of_rows(tmp_path, lookback):
    ticking = Ticking(tmp_path / "play", lookback)
    ticking.fill()
    small = ticking.pieces_of_unit()
    assert len(small) >= TICKS - 1, small
    before = {reader: ticking.all_rows(reader) for reader in ("deltalake", "duckdb")}
    settled = of_run(ticking, ticking.settle())
    assert settled["compacted_units"] == 1 and settled["compacted_into"] == 1, settled
    assert settled["compacted_files"] == len(small), settled
    assert [len(files) for files in ticking.pieces_of_unit().values()] == [1]
    for reader, rows in before.items():
        assert "_hw_loaded_at" in rows.column_names and "server_source" in rows.column_names
        assert compare_tables(rows, ticking.all_rows(reader)) is None
    actions = ticking.actions()
    assert sorted(name for name, _ in actions) == ["add"] + ["remove"] * len(small)
    assert all(action["dataChange"] is False for _, action in actions), actions
    # Nothing more is done for it; it can be verified, read again and found unchanged.
    files = ticking.pieces_of_unit()
    assert of_run(ticking, ticking.settle()).get("compacted_units", 0) == 0
    ticking.run("verify")
    ticking.run("backfill", "--from", "2013-01-03", "--to", "2013-01-04")
    assert ticking.pieces_of_unit() == files
    ticking.check(tables=["t_inc"])


def test_pieces_of_two_algorithms_do_not_become_one(ticking):
    ticking.fill()
    ticking.configure(tables=(TABLE % ", hash: {algorithm: sha256}",))
    first, half, end = (f"{FIRST + datetime.timedelta(minutes=minutes)}Z" for minutes in (0, 20, 60))
    ticking.run("backfill", "--from", first, "--to", half)
    small = ticking.pieces_of_unit()
    assert of_run(ticking, ticking.settle()).get("compacted_units", 0) == 0
    assert ticking.pieces_of_unit() == small
    ticking.run("verify")
    ticking.run("backfill", "--from", first, "--to", end)
    assert of_run(ticking, ticking.settle())["compacted_units"] == 1
    assert len(ticking.pieces_of_unit()) == 1
    ticking.run("verify")
    ticking.check(tables=["t_inc"])


def test_pieces_that_were_hashed_by_another_algorithm_become_one_all_the_same(ticking):
    ticking.fill()
    before = ticking.all_rows("deltalake")
    ticking.configure(tables=(TABLE % ", hash: {algorithm: sha256}",))
    assert of_run(ticking, ticking.settle())["compacted_units"] == 1
    assert compare_tables(before, ticking.all_rows("deltalake")) is None
    ticking.run("verify")
    ticking.run("fsck")


def test_people_are_told_in_one_line(ticking):
    ticking.fill()
    ticking.change("a", "UPDATE demo_clock SET value = ?",
                   str(FIRST + datetime.timedelta(minutes=90)))
    said = ticking.run("run").text()
    assert f"compacted a/t_inc: 1 unit, {TICKS} files into 1" in said, said


@pytest.mark.parametrize("place", ["stage.before_close", "stage.after_sync", "delta.before_put",
                                   "store.after_link", "delta.after_put"])
def test_a_crash_in_the_middle_is_made_good(ticking, place):
    ticking.fill()
    before = ticking.all_rows("deltalake")
    assert ticking.settle(expect=None, failpoints=f"{place}=crash").process.returncode == 137
    assert compare_tables(before, ticking.all_rows("deltalake")) is None
    ticking.settle()
    assert [len(files) for files in ticking.pieces_of_unit().values()] == [1]
    assert compare_tables(before, ticking.all_rows("deltalake")) is None
    ticking.run("verify")


def test_a_failure_is_a_notice_and_the_next_run_tries_again(ticking):
    ticking.fill()
    before = ticking.all_rows("deltalake")
    failed = ticking.settle(failpoints="stage.before_close=error:INTERNAL")
    assert of_run(ticking, failed)["state"] == "STATE_DONE"
    (problem,) = ticking.last_json(failed)["problems"]
    assert "until a later run" in problem["warning"], problem
    assert of_run(ticking, ticking.settle())["compacted_units"] == 1
    assert compare_tables(before, ticking.all_rows("deltalake")) is None


def test_a_killed_compaction_is_done_again(ticking):
    ticking.fill()
    before = ticking.all_rows("deltalake")
    ticking.change("a", "UPDATE demo_clock SET value = ?",
                   str(FIRST + datetime.timedelta(minutes=90)))
    with ticking.start("run", failpoints="stage.before_close=hold") as run:
        run.wait_for_hold("stage.before_close")
        assert run.kill() == KILLED
    ticking.settle()
    assert [len(files) for files in ticking.pieces_of_unit().values()] == [1]
    assert compare_tables(before, ticking.all_rows("deltalake")) is None


def test_the_source_is_not_needed(ticking):
    """The run whose compaction was interrupted is finished, though no server is there any more."""
    ticking.fill()
    before = ticking.all_rows("deltalake")
    ticking.settle(expect=137, failpoints="stage.before_close=crash")
    ticking.server_file("a").unlink()
    ticking.run("run", expect=3)
    assert [len(files) for files in ticking.pieces_of_unit().values()] == [1]
    assert compare_tables(before, ticking.all_rows("deltalake")) is None
