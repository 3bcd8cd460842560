"""Rows are hashed by another algorithm from one run to the next: nothing is reported as different for
it, no version begins for it in a history, and a piece is written again at most once.

HEADWATER_BINARY names the program (ctest sets it).
"""

import datetime as times
import hashlib
import shutil
import struct
import sys
from pathlib import Path

import deltalake
import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop"), str(TESTS / "db")]
from repair_test import SETTINGS as OTHERS  # noqa: E402
from repair_test import source_rows, table_rows  # noqa: E402
from sqlite_file import SqliteFile  # noqa: E402
from throwaway_postgres import ThrowawayPostgres  # noqa: E402
from unchanged_test import ROWS, place, source  # noqa: E402, F401

SETTINGS = {
    **OTHERS,
    "static without a key": "strategy: static",
    "scd2": "strategy: scd2, key: [id]",
    "scd2 by ranges": "strategy: scd2, key: [id], cursor: at, unit: 1d",
}
KEYED = {"static", "merge", "scd2", "scd2 by ranges"}
EVERYTHING = ("backfill", "--from", "2013-01-01", "--to", "now")


def check(table):
    """The table equals its source, and everything was compared."""
    for dataset in table.verify():
        assert dataset["different"] == "0" and not dataset.get("problems"), dataset


def by(algorithm):
    return f", hash: {{algorithm: {algorithm}}}"


def whole(table):
    """Every row with all of its columns, Headwater's own included."""
    lake = deltalake.DeltaTable(str(table.folder / "lake" / table.table))
    rows = lake.to_pyarrow_table().to_pylist()
    return sorted(rows, key=lambda row: (row["id"], str(row.get("valid_from"))))


def canonical(row, columns):
    """A row's bytes as docs/row-hash.md has them, for the types of `deals`."""
    out = b""
    for name, kind in columns:
        value = row[name]
        tag = {"long": 2, "decimal": 4, "string": 5, "date": 7, "timestamp_ntz": 9}[kind]
        if value is None:
            out += bytes([tag, 1])
            continue
        out += bytes([tag, 0])
        if kind == "long":
            out += struct.pack("<q", value)
        elif kind == "decimal":
            out += int(value.scaleb(4)).to_bytes(16, "little", signed=True) + bytes([4])
        elif kind == "string":
            out += struct.pack("<I", len(value.encode())) + value.encode()
        elif kind == "date":
            out += struct.pack("<q", (value - times.date(1970, 1, 1)).days)
        else:
            since = value.replace(tzinfo=None) - times.datetime(1970, 1, 1)
            out += struct.pack("<q", since // times.timedelta(microseconds=1))
    return out


def written(table):
    """How many files were ever written to the table."""
    log = (table.folder / "lake" / table.table / "_delta_log").glob("*.json")
    return sum(line.startswith('{"add"') for version in log
               for line in version.read_text().splitlines())


@pytest.mark.parametrize("checksum", ["md5", "none"])
@pytest.mark.parametrize("name", SETTINGS)
def test_nothing_looks_changed_and_a_piece_is_written_again_at_most_once(place, name, checksum):
    settings = f"{SETTINGS[name]}, checksum: {checksum}"
    table = place("deals", settings)
    table.run()
    before, versions, files = whole(table), table.versions(), written(table)
    table.configure(settings + by("sha256"))
    check(table)
    run = table.run()
    assert run["rows_new"] == run["rows_changed"] == run["rows_deleted"] == 0, run
    check(table)
    by_ranges = "cursor" in settings
    if by_ranges:
        table.headwater(*EVERYTHING)
        check(table)
    if name in KEYED:
        assert table.versions() == versions and whole(table) == before
    else:
        # What its checksum says to be as it was is not even read.
        stays = name == "static without a key" and checksum == "md5"
        assert written(table) == (files if stays else 2 * files)
        assert [source_columns(row) for row in whole(table)] == list(map(source_columns, before))
    versions = table.versions()
    table.run()
    if by_ranges:
        table.headwater(*EVERYTHING)
    assert table.versions() == versions, "what was hashed by the new algorithm is written again"
    check(table)
    table.headwater("fsck")


def source_columns(row):
    return {name: row[name] for name in ("id", "name", "price", "day", "at")}


@pytest.mark.parametrize("name", OTHERS)
def test_rows_that_changed_beside_it_are_found_all_the_same(place, name):
    table = place("deals", SETTINGS[name])
    table.run()
    table.configure(SETTINGS[name] + by("md5"))
    table.sql("update deals set name = 'new', at = '2013-01-04 00:00:01' where id in (3, 4); "
              "delete from deals where id = 5; insert into deals select id + 100000, name, price, "
              "day, at from deals where id = 6")
    (differs,) = table.verify(expect=5)
    # By ranges a row that went on to another range is missing there, and too much here.
    assert 4 <= int(differs["rows_different"]) <= 8, differs
    table.headwater("repair")
    assert table_rows(table) == source_rows(table)
    check(table)
    table.run()
    check(table)
    table.headwater("fsck")
    assert table_rows(table) == source_rows(table)


@pytest.mark.parametrize("name", ["scd2", "scd2 by ranges"])
def test_of_a_history_just_what_changed_begins_a_version(place, name):
    table = place("deals", SETTINGS[name])
    table.run()
    table.configure(SETTINGS[name] + by("md5"))
    table.sql("update deals set name = 'new', at = '2013-01-05 00:00:00' where id in (3, 4); "
              "delete from deals where id = 5")
    table.run()
    rows = whole(table)
    assert len(rows) == ROWS + 2
    # Ranges say nothing of rows that are absent.
    ended = [3, 4, 5] if name == "scd2" else [3, 4]
    assert sorted(row["id"] for row in rows if not row["is_current"]) == ended
    table.headwater("verify", "--scd2")


def test_what_is_stored_is_what_other_tools_make_of_the_canonical_bytes(place):
    table = place("deals", OTHERS["merge"] + by("sha256"))
    table.run()
    columns = [("id", "long"), ("name", "string"), ("price", "decimal"), ("day", "date"),
               ("at", "timestamp_ntz")]
    for row in whole(table):
        assert row["_hw_row_hash"] == hashlib.sha256(canonical(row, columns)).digest()[:16]
    table.configure(OTHERS["merge"] + by("md5"))
    table.sql("update deals set name = 'new' where id % 500 = 3")  # In each file.
    table.headwater(*EVERYTHING)
    for row in whole(table):
        assert row["_hw_row_hash"] == hashlib.md5(canonical(row, columns)).digest()


def test_a_table_of_two_algorithms_heals(place):
    settings = "strategy: incremental, cursor: at, unit: 1d, checksum: none"
    table = place("deals", settings)
    table.run()
    table.configure(settings + by("sha256"))
    table.headwater("backfill", "--from", "2013-01-02", "--to", "2013-01-03")
    check(table)
    shutil.rmtree(table.folder / ".headwater")
    table.headwater("state", "heal", "--yes")
    table.run()
    check(table)
    table.headwater("fsck")
    assert table_rows(table) == source_rows(table)
    table.sql("update deals set price = price + 1 where id in (3, 1999)")
    table.verify(expect=5)


def test_rows_in_the_quarantine_count_by_the_algorithm_of_their_piece(place):
    settings = "strategy: partition, cursor: at, unit: 1d, on_bad_row: quarantine"
    table = place("deals", settings)
    if isinstance(table.server, SqliteFile):
        table.sql("update deals set day = 'some day' where id in (7, 8)")
    elif isinstance(table.server, ThrowawayPostgres):
        table.sql("update deals set day = 'infinity' where id in (7, 8)")
    else:
        table.sql("set sql_mode = ''; update deals set day = '0000-00-00' where id in (7, 8)")
    table.run()
    assert len(table.rows()) == ROWS - 2
    table.configure(settings + by("sha256"))
    check(table)
    table.headwater(*EVERYTHING)
    check(table)
    versions = table.versions()
    table.headwater(*EVERYTHING)
    assert table.versions() == versions
    table.headwater("fsck")
    table.sql("update deals set name = 'other' where id = 8")
    table.verify(expect=5)
