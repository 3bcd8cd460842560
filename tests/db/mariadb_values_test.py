"""Random values of every type, loaded from a real MariaDB, are what every reader finds.

As loaded_table.py has it. Expected values come from the text that the mariadb client prints of the
same rows.
"""

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop")]
from loaded_table import (  # noqa: E402
    LoadedTable, check_bad_value, check_values, chosen_seed, started, values_printed)
from mariadb_values import KINDS, rows  # noqa: E402
from readers import READERS  # noqa: E402
from throwaway_mariadb import ThrowawayMariaDb, why_not  # noqa: E402

ROWS = int(os.environ.get("HEADWATER_ROWS", "800"))
ROWS_PER_INSERT = 100


class Place(LoadedTable):
    """A table in a database of its own."""

    def __init__(self, server, scheme, database, table, folder):
        server.sql("mysql", f"drop database if exists {database}; create database {database}")
        super().__init__(server, database, table, folder,
                         f"{{{server.access(database, scheme)}}}")


@pytest.fixture(scope="module")
def server():
    yield from started(ThrowawayMariaDb, why_not)


@pytest.fixture(scope="module", params=ThrowawayMariaDb.SCHEMES)
def every_type(request, server, tmp_path_factory):
    place = Place(server, request.param, "types", "every", tmp_path_factory.mktemp("types"))
    place.seed = chosen_seed()
    place.sql("create table every(id int primary key, "
              + ", ".join(f"`{name}` {kind.sql}" for name, kind in KINDS.items()) + ")")
    tuples = [f"({i}, {', '.join(row)})" for i, row in enumerate(rows(place.seed, ROWS))]
    for begin in range(0, len(tuples), ROWS_PER_INSERT):
        place.sql("insert into every values " + ", ".join(tuples[begin:begin + ROWS_PER_INSERT]))
    place.run()
    # No text that the client prints needs an escape.
    selected = ", ".join(kind.selected.format(f"`{name}`") for name, kind in KINDS.items())
    text = place.sql(f"select {selected} from every order by id")
    place.expected = values_printed(
        [[None if value == "NULL" else value for value in line.split("\t")]
         for line in text.split("\n")[:-1]], KINDS)
    assert len(place.expected["uuid"]) >= ROWS
    return place


@pytest.mark.parametrize("reader", list(READERS))
def test_readers_find_what_mariadb_prints(every_type, reader):
    check_values(every_type, reader, KINDS, every_type.expected, every_type.seed)


@pytest.mark.parametrize("scheme", ThrowawayMariaDb.SCHEMES)
def test_a_megabyte_of_text_and_of_bytes_needs_no_setting(server, scheme, tmp_path):
    place = Place(server, scheme, "large", "large", tmp_path)
    place.sql("create table large(id int primary key, t longtext, b longblob, n int); insert into "
              "large select seq, repeat(concat('\u00f8', seq), 400000), "
              "unhex(repeat(concat('00ff', seq), 200000)), seq from seq_10_to_14")
    place.run()
    for reader in READERS:
        assert sorted(place.read_rows(reader, ["id", "t", "b", "n"])) == [
            (g, f"\u00f8{g}" * 400_000, bytes.fromhex(f"00ff{g}" * 200_000), g)
            for g in range(10, 15)], reader


@pytest.mark.parametrize("scheme", ThrowawayMariaDb.SCHEMES)
def test_expressions_of_views_are_what_their_columns_are(server, scheme, tmp_path):
    """Whatever form the server sends them in."""
    place = Place(server, scheme, "views", "v", tmp_path)
    place.sql("create table t(id int primary key, one bit(1), few bit(8), all_bits bit(64), "
              "e enum('a', 'b') character set binary, at datetime(6), n bigint unsigned); "
              "insert into t values (1, b'1', 5, ~0, 'b', '2013-01-01', ~0), "
              "(2, b'0', 129, 0, null, null, 0), (3, null, null, null, 'a', null, null); "
              "create view v as select id, coalesce(one, one) one, coalesce(few, few) few, "
              "coalesce(all_bits, all_bits) all_bits, e, null nothing, coalesce(at, at) at, "
              "coalesce(n, n) n from t")
    place.run()
    names = ["id", "one", "few", "all_bits", "e", "n"]
    for reader in READERS:
        assert sorted(place.read_rows(reader, names)) == [
            (1, True, b"\x05", b"\xff" * 8, "b", 2**64 - 1),
            (2, False, b"\x81", b"\0" * 8, None, 0), (3, None, None, None, "a", None)], reader
    assert list(place.read_rows("deltalake", ["nothing"])) == [(None,)] * 3


@pytest.mark.parametrize("kind, value, shown", [
    ("date", "0000-00-00", "0000-00-00"), ("date", "2013-01-00", "2013-01-00"),
    ("datetime(6)", "0000-00-00 00:00:00", "0000-00-00 00:00:00.000000"),
    ("timestamp null", "0", "0000-00-00 00:00:00"), ("tinyint(1)", "2", "2"),
])
@pytest.mark.parametrize("scheme", ThrowawayMariaDb.SCHEMES)
def test_a_value_that_no_column_holds_stops_its_dataset_by_name(
        server, scheme, tmp_path, kind, value, shown):
    place = Place(server, scheme, "bad", "bad", tmp_path)
    place.sql(f"create table bad(id int, v {kind}); set sql_mode = ''; "
              f"insert into bad values (16, null), (17, '{value}')")
    # Zeros at the end of a second are not sent.
    check_bad_value(place, shown if scheme == "odbc" else shown.removesuffix(".000000"))
