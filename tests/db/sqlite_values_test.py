"""Random values of every type that SQLite's columns can be declared as are what every reader finds.

Written and read back by Python's own sqlite3: what that finds is what all others have to find.
HEADWATER_SEED repeats a run that failed.
"""

import os
import sqlite3
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "interop")]
from loaded_table import LoadedTable, check_bad_value, check_values, chosen_seed  # noqa: E402
from readers import READERS  # noqa: E402
from sqlite_values import KINDS, rows  # noqa: E402

ROWS = int(os.environ.get("HEADWATER_ROWS", "800"))
ACCESS = '{url: "odbc:Driver=SQLite3;Database={config_dir}/source.db"}'



class Place(LoadedTable):
    def __init__(self, table, folder, access=ACCESS):
        super().__init__(self, "source", table, folder, access)

    PASSWORD = ""  # A file has none.

    def fill(self, create, rows):
        with sqlite3.connect(self.folder / "source.db") as database:
            database.execute(create)
            for row in rows:
                database.execute(f"insert into {self.table} values "
                                 f"({', '.join('?' * len(row))})", row)
        database.close()

    def stored(self, names):
        with sqlite3.connect(self.folder / "source.db") as database:
            found = database.execute(
                f"select {', '.join(names)} from {self.table} order by id").fetchall()
        database.close()
        return found


@pytest.fixture(scope="module")
def every_type(tmp_path_factory):
    place = Place("every", tmp_path_factory.mktemp("types"))
    place.seed = chosen_seed()
    made = list(rows(place.seed, ROWS))
    place.fill("create table every(id integer primary key, "
               + ", ".join(f"{name} {kind.sql}" for name, kind in KINDS.items()) + ")",
               [(i, *row) for i, row in enumerate(made)])
    place.run()
    stored = place.stored(KINDS)
    assert len(stored) == len(made)
    place.expected = {name: [None if value is None else kind.read(value) for value in column]
                      for (name, kind), column in zip(KINDS.items(), zip(*stored))}
    return place


@pytest.mark.parametrize("reader", list(READERS))
def test_readers_find_what_was_written(every_type, reader):
    check_values(every_type, reader, KINDS, every_type.expected, every_type.seed)


@pytest.mark.parametrize("kind, value, shown", [
    ("integer", "abc", "abc"), ("integer", 1.5, "1.5"), ("boolean", 2, "2"),
    ("decimal(9,2)", 0.005, "0.005000000000000000104"), ("decimal(9,2)", 10**7, "10000000"),
    ("decimal(18,6)", 0.1 + 0.2, "0.3000000000000000444"),
    ("date", "2013-02-30", "2013-02-30"), ("date", "0000-00-00", "0000-00-00"),
    ("datetime", "2013-01-01 23:59:60", "2013-01-01 23:59:60"),
    ("datetime", "2013-01-01 00:00:00.0000001", "2013-01-01 00:00:00.0000001"),
    ("datetime", 1356998400, "1356998400"), ("blob", "text", "text"),
])
def test_a_value_that_no_column_holds_stops_its_dataset_by_name(tmp_path, kind, value, shown):
    place = Place("bad", tmp_path)
    place.fill(f"create table bad(id integer primary key, v {kind})", [(16, None), (17, value)])
    check_bad_value(place, shown)


def test_a_blob_in_a_text_column_stops_its_dataset_by_name(tmp_path):
    place = Place("bad", tmp_path)
    place.fill("create table bad(id integer primary key, v text)", [(16, None), (17, b"caf\xe9")])
    code, _, said = place.command("run")
    words = " ".join(said.split())
    assert code == 1 and "holds the blob X'636166E9' in the row with id=17" in words, said


def test_text_that_is_not_utf8_stops_its_dataset_by_name(tmp_path):
    place = Place("bad", tmp_path)
    place.fill("create table bad(id integer primary key, v text)", [(16, None)])
    with sqlite3.connect(tmp_path / "source.db") as database:
        database.execute("insert into bad values (17, cast(x'636166e9' as text))")
    database.close()
    check_bad_value(place, r"caf\xe9")
