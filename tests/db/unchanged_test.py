"""What has not changed is not read: a source's own checksum decides, on every server that makes one.

HEADWATER_BINARY names the program (ctest sets it).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop"), str(TESTS / "db")]
import sqlite_file  # noqa: E402
import throwaway_mariadb  # noqa: E402
import throwaway_postgres  # noqa: E402
from loaded_table import started  # noqa: E402
from readers import READERS  # noqa: E402

ROWS = 2000  # Of `countries`; `deals` has as many, spread over four days.
CONFIG = """
version: 1
servers: {{s: {{{access}}}}}
targets: {{lake: {{delta: ./lake}}}}
defaults: {{target: lake, retries: 0}}
tables:
  - {{from: {relation}, {settings}}}
"""
COLUMNS = "id bigint {key}, name varchar(40), price decimal(12,4), day date, at {at}"


def creation(at):
    values = ", ".join(
        f"({i}, '{'blå' if i % 3 else ''}{i}', {i * 7 % 1000}.{i % 10000:04d}, "
        f"'2013-0{1 + i % 9}-1{i % 10}', '2013-01-0{1 + i * 4 // ROWS} 0{i % 10}:10:{i % 60:02d}')"
        for i in range(ROWS))
    return (f"create table countries({COLUMNS.format(at=at, key='primary key')});"
            f"create table deals({COLUMNS.format(at=at, key='not null')});"
            f"insert into countries values {values}; insert into deals select * from countries")


class Place:
    def __init__(self, server, access, folder, relation, settings):
        self.server, self.folder = server, folder
        self.table = relation.rsplit(".", 1)[-1].rsplit("/", 1)[-1]
        self.access, self.relation = access, relation
        self.configure(settings)

    def configure(self, settings):
        (self.folder / "headwater.yaml").write_text(
            CONFIG.format(access=self.access, relation=self.relation, settings=settings))

    def sql(self, text):
        return self.server.sql("unchanged", text)

    def declare_key(self):
        if isinstance(self.server, sqlite_file.SqliteFile):
            self.sql("create unique index deals_id on deals(id)")
        else:
            self.sql("alter table deals add primary key (id)")

    def headwater(self, command, *words, expect=0):
        done = subprocess.run(
            [os.environ["HEADWATER_BINARY"], command, "-o", "json", "--progress", "off", *words],
            cwd=self.folder, env=dict(os.environ, PASSWORD=self.server.PASSWORD), text=True,
            capture_output=True, timeout=120, check=False)
        assert done.returncode == expect, done.stdout + done.stderr
        return json.loads(done.stdout)

    def verify(self, *words, expect=0):
        return self.headwater("verify", *words, expect=expect)["datasets"]

    def run(self, *words):
        (dataset,) = self.headwater("run", *words)["datasets"]
        return {key: int(dataset.get(key, 0)) for key in (
            "rows_read", "rows_written", "rows_new", "rows_changed", "rows_same", "rows_deleted",
            "rows_skipped", "microbatches_done", "microbatches_unchanged")}

    def versions(self):
        return len(list((self.folder / "lake" / self.table / "_delta_log").glob("*.json")))

    def rows(self):
        columns = ["id", "name", "price", "day", "at"]
        found = {name: sorted(read(str(self.folder / "lake" / self.table)).select(columns)
                              .to_pylist(), key=lambda row: row["id"])
                 for name, read in READERS.items()}
        first = next(iter(found.values()))
        assert all(rows == first for rows in found.values())
        return {row["id"]: row for row in first}


SOURCES = {
    "postgres": (throwaway_postgres.ThrowawayPostgres, throwaway_postgres.why_not),
    "mariadb": (throwaway_mariadb.ThrowawayMariaDb, throwaway_mariadb.why_not),
    "sqlite": (sqlite_file.SqliteFile, sqlite_file.why_not),
}


@pytest.fixture(scope="module", params=list(SOURCES))
def source(request):
    for server in started(*SOURCES[request.param]):
        if request.param != "sqlite":
            server.sql("postgres" if request.param == "postgres" else "mysql",
                       "create database unchanged")
        if request.param == "sqlite":
            access, prefix = f'url: "{server.url()}"', "s/"
        elif request.param == "postgres":
            access = (f'url: "postgresql://127.0.0.1:{server.port}/unchanged", user: postgres, '
                      'password: "${PASSWORD}"')
            prefix = "s/public."
        else:
            access = server.access("unchanged", "mariadb")
            prefix = "s/"
        yield server, access, prefix


@pytest.fixture
def place(source, tmp_path):
    server, access, prefix = source
    server.sql("unchanged", "drop table if exists countries; drop table if exists deals")
    server.sql("unchanged", creation("timestamp" if prefix == "s/public." else "datetime"))
    return lambda table, settings: Place(server, access, tmp_path, prefix + table, settings)


def test_a_static_table_that_does_not_change_is_not_read(place):
    table = place("countries", "strategy: static, key: [id]")
    assert table.run()["rows_new"] == ROWS
    again = table.run()
    assert again["rows_read"] == 0 and again["rows_skipped"] == ROWS, again
    assert again["microbatches_unchanged"] == 1 and table.versions() == 1
    forced = table.run("--force")
    assert forced["rows_read"] == ROWS and forced["rows_same"] == ROWS and table.versions() == 1


def test_a_static_table_that_changed_is_counted_row_by_row(place):
    table = place("countries", "strategy: static, key: [id]")
    table.run()
    table.sql("update countries set name = 'new' where id in (3, 4); delete from countries where id "
              "= 5; insert into countries select id + 100000, name, price, day, at from countries "
              "where id = 6")
    run = table.run()
    assert (run["rows_new"], run["rows_changed"], run["rows_deleted"], run["rows_same"]) == (
        1, 2, 1, ROWS - 3)
    rows = table.rows()
    assert len(rows) == ROWS and rows[3]["name"] == "new" and 5 not in rows and 100006 in rows
    # Two rows that exchange a value have the same count, maximum and sum of it.
    table.sql("update countries set name = case id when 7 then '8' else '7' end where id in (7, 8)")
    assert table.run()["rows_changed"] == 2
    assert table.run()["rows_skipped"] == ROWS


def test_a_static_table_is_upserted_where_that_is_asked_for(place):
    table = place("countries", "strategy: static, key: [id], on_change: upsert")
    table.run()
    table.sql("delete from countries where id < 10; update countries set price = 1 where id = 20")
    run = table.run()
    assert run["rows_changed"] == 1 and run["rows_deleted"] == 0
    assert len(table.rows()) == ROWS


def test_a_static_table_without_a_key_is_replaced(place):
    table = place("countries", "strategy: static")
    assert table.run()["rows_written"] == ROWS
    assert table.run()["rows_skipped"] == ROWS
    table.sql("update countries set price = 1 where id = 20")
    assert table.run()["rows_written"] == ROWS


def test_units_of_the_lookback_that_do_not_change_move_no_rows(place):
    table = place("deals", "strategy: partition, cursor: at, unit: 1d, lookback: 3, key: [id]")
    assert table.run()["rows_written"] == ROWS
    again = table.run()
    assert again["rows_read"] == 0 and again["rows_skipped"] == ROWS, again
    # An update in place, in the middle of the lookback: only its day is read.
    table.sql(f"update deals set name = 'late' where id = {ROWS // 2 + 1}")
    run = table.run()
    assert run["rows_read"] == ROWS // 4 and run["rows_skipped"] == ROWS - ROWS // 4, run
    assert table.rows()[ROWS // 2 + 1]["name"] == "late"
    assert table.run()["rows_read"] == 0


def test_a_backfill_reads_what_its_checksum_says_did_not_change(place):
    table = place("deals", "strategy: incremental, cursor: at, unit: 1d, lookback: 3")
    table.run()
    (dataset,) = table.headwater("backfill", "--from", "2013-01-01", "--to", "now")["datasets"]
    assert int(dataset["rows_read"]) == ROWS


def test_a_verification_asks_for_checksums_and_a_repair_reads_what_differs(place):
    table = place("deals", "strategy: partition, cursor: at, unit: 1d, lookback: 3, key: [id]")
    table.run()
    (same,) = table.verify()
    assert int(same["rows_skipped"]) == ROWS and same["different"] == "0"
    table.sql("update deals set name = 'behind' where id = 3")
    (differs,) = table.verify(expect=5)
    # Of the piece that differs only a range of its keys is read.
    read = int(differs["rows_read"])
    assert 0 < read < ROWS // 8 and int(differs["rows_skipped"]) == ROWS - read
    ((kind, key),) = [(row["kind"], row["key"]) for row in differs["differences"]]
    assert (kind, key) == ("KIND_CONTENT", "id = 3")
    table.verify("--counts")  # There are as many rows as before.
    assert table.headwater("repair", "--dry-run", expect=5)
    (repaired,) = table.headwater("repair")["datasets"]
    assert 0 < int(repaired["rows_read"]) < ROWS // 8
    assert table.rows()[3]["name"] == "behind"
    table.verify()
    table.sql("delete from deals where id = 4")
    table.verify("--counts", expect=5)
    (sampled,) = table.verify("--counts", "--sample", "4", expect=5)
    assert int(sampled["pieces"]) == 4 and sampled["pieces_left_out"] == "0"


def test_rows_of_a_keyed_table_are_looked_up_in_it(place):
    table = place("deals", "strategy: incremental, cursor: at, cursor_kind: modified, unit: 1d, "
                           "write: merge, key: [id]")
    table.run()
    # Rows go on to other ranges, and what was read of their old ones is no more there.
    table.sql("update deals set at = '2013-01-05 01:00:00', name = 'moved' where id < 20")
    assert table.run()["rows_changed"] == 20
    table.verify()
    table.verify("--counts")
    table.sql("update deals set name = 'behind' where id = 1000")
    (differs,) = table.verify(expect=5)
    assert "1 with other content" in differs["problems"][0]["message"]
    (repaired,) = table.headwater("repair")["datasets"]
    assert int(repaired["rows_changed"]) == 1
    table.verify()


def test_a_row_of_the_tail_that_changed_in_its_place_is_found(place):
    table = place("deals", "strategy: incremental, cursor: at, unit: 1d")
    clock = "timezone('utc', now())" if hasattr(table.server, "psql_command") else "now()"
    table.sql(f"insert into deals values (5000, 'new', 1, '2013-01-01', {clock})")
    table.run()
    assert table.run()["rows_read"] == 0
    # As many rows as before, and the same maximum.
    table.sql("update deals set name = 'paid' where id = 5000")
    assert table.run()["rows_read"] == 1
    assert table.rows()[5000]["name"] == "paid"
    assert table.run()["rows_read"] == 0
