"""Random values of every type, loaded from a real PostgreSQL, are what every reader finds.

As loaded_table.py has it. Expected values come from the text that psql's COPY prints of the same rows.
"""

import json
import os
import re
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop")]
from loaded_table import (  # noqa: E402
    LoadedTable, check_bad_value, check_values, chosen_seed, started, values_printed)
from postgres_values import KINDS, WITHOUT_A_RULE, rows  # noqa: E402
from readers import READERS  # noqa: E402
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402

ROWS = int(os.environ.get("HEADWATER_ROWS", "1500"))
SESSION = ("set intervalstyle to 'iso_8601'; set timezone to 'UTC'; set datestyle to 'ISO'; "
           "set client_min_messages to warning;\n")
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
ACCESS = ('{{url: "postgresql://127.0.0.1:{port}/{database}", user: postgres, '
          'password: "${{PASSWORD}}"}}')


def escaped(text):
    """`text` as COPY reads it."""
    if text is None:
        return "\\N"
    for character, letter in (("\\", "\\"), ("\n", "n"), ("\r", "r"), ("\t", "t")):
        text = text.replace(character, "\\" + letter)
    return text


def unescaped(field):
    if field == "\\N":
        return None
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), field, flags=re.DOTALL)


class Place(LoadedTable):
    """A table in a database of its own."""

    def __init__(self, server, database, table, folder, strategy="strategy: full", access=ACCESS):
        server.sql("postgres", f"drop database if exists {database} with (force)")
        server.sql("postgres", f"create database {database}")
        super().__init__(server, database, table, folder,
                         access.format(port=server.port, database=database), strategy)

    def sql(self, text):
        return super().sql(SESSION + text)

    def fill(self, kinds, rows):
        """Makes `every` with a column per kind, and copies `rows` into it."""
        self.sql("create type mood as enum ('sad', 'ok', 'gl\u00e6de \U0001f600');"
                 "create domain price as numeric(10,2);"
                 "create domain positive as price check (value > 0);"
                 "create type pair as (a int, b text);"
                 "create table every(id int primary key, "
                 + ", ".join(f'"{name}" {kind.sql}' for name, kind in kinds.items()) + ")")
        lines = ["\t".join(map(escaped, [str(i), *row])) for i, row in enumerate(rows)]
        self.sql("copy every from stdin;\n" + "\n".join(lines) + "\n\\.\n")

    def printed(self, kinds):
        """What PostgreSQL prints, by column, in order of id."""
        selected = ", ".join(kind.selected.format(f'"{name}"') for name, kind in kinds.items())
        text = self.sql(f"copy (select {selected} from every order by id) to stdout;")
        return values_printed(
            [list(map(unescaped, line.split("\t"))) for line in text.split("\n")[:-1]], kinds)


@pytest.fixture(scope="module")
def server():
    yield from started(ThrowawayPostgres, why_not)


@pytest.fixture(scope="module")
def every_type(server, tmp_path_factory):
    place = Place(server, "types", "every", tmp_path_factory.mktemp("types"))
    place.seed = chosen_seed()
    place.fill(KINDS, rows(place.seed, ROWS))
    place.run()
    place.expected = place.printed(KINDS)
    assert len(place.expected["uuid"]) >= ROWS
    return place


@pytest.mark.parametrize("reader", list(READERS))
def test_readers_find_what_postgres_prints(every_type, reader):
    check_values(every_type, reader, KINDS, every_type.expected, every_type.seed)


def test_a_plan_names_every_column_of_a_type_without_a_rule(every_type):
    def warnings_in(text):
        return sorted(re.findall(r"column '(\w+)' is a (\w+), a type without a rule", text))

    code, text, said = every_type.command("plan")
    assert code == 0, said
    assert warnings_in(text) == sorted(WITHOUT_A_RULE.items())
    assert all(line.startswith("warning") and " db/every: " in line
               for line in text.splitlines() if "without a rule" in line)
    code, text, said = every_type.command("plan", "-o", "json")
    (dataset,) = json.loads(text)["datasets"]
    assert warnings_in("\n".join(dataset["warnings"])) == sorted(WITHOUT_A_RULE.items())


def test_a_megabyte_of_text_and_of_bytes_needs_no_setting(server, tmp_path):
    place = Place(server, "large", "large", tmp_path)
    place.sql("create table large(id int, t text, b bytea, j jsonb); insert into large select g, "
              "repeat('\u00f8' || g, 400000), decode(repeat('00ff' || g, 200000), 'hex'), "
              "to_jsonb(repeat('\"', 300000)) from generate_series(10, 14) g")
    place.run()
    for reader in READERS:
        assert sorted(place.read_rows(reader, ["id", "t", "b", "j"])) == [
            (g, f"\u00f8{g}" * 400_000, bytes.fromhex(f"00ff{g}" * 200_000),
             '"' + '\\"' * 300_000 + '"') for g in range(10, 15)], reader


def test_a_wide_table_and_an_empty_one_need_no_setting(server, tmp_path):
    names = [f"c{i}" for i in range(300)]
    place = Place(server, "wide", "wide", tmp_path)
    place.sql("create table wide(" + ", ".join(f"{name} int" for name in names) + ")")
    place.run()
    assert place.command("run")[0] == 0
    place.sql("insert into wide select " + ", ".join(f"g * {i}" for i in range(300))
              + " from generate_series(1, 1000) g")
    place.run()
    for reader in READERS:
        assert sorted(place.read_rows(reader, names)) == [tuple(g * i for i in range(300)) for g in range(1, 1001)], reader


@pytest.mark.parametrize("kind, value", [
    ("stamped", "now() + (g - 300) * interval '1 min'"), ("counted", "g"), ("oid", "4294967000 + g")])
def test_a_domain_or_an_oid_orders_rows(server, tmp_path, kind, value):
    place = Place(server, "ordered", "ordered", tmp_path,
                  "strategy: incremental, cursor: at, unit: "
                  + ("1h" if kind == "stamped" else "100"))
    place.sql("create domain stamp as timestamptz; create domain stamped as stamp not null;"
              "create domain counted as int8;"
              f"create table ordered(id int, at {kind}, filler char(9)); create index on ordered(at);"
              f"insert into ordered select g, {value} from generate_series(1, 250) g")
    place.run()
    place.sql(f"insert into ordered select g, {value} from generate_series(251, 260) g")
    place.run()
    for reader in READERS:
        assert sorted(place.read_rows(reader, ["id"])) == [(g,) for g in range(1, 261)]


@pytest.mark.parametrize("kind, value, shown", [
    ("numeric(10,2)", "NaN", "NaN"), ("date", "infinity", "infinity"),
    ("timestamp", "294276-12-31", "a time after the year 294246"),
    ("timestamptz", "-infinity", "-infinity"),
])
def test_a_value_that_no_column_holds_stops_its_dataset_by_name(server, tmp_path, kind, value, shown):
    place = Place(server, "bad", "bad", tmp_path)
    place.sql(f"create table bad(id int, v {kind}); insert into bad values (16, null), (17, '{value}')")
    check_bad_value(place, shown)
