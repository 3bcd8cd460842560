"""Random values of the types that psqlODBC can carry are what every reader finds.

HEADWATER_BINARY names the program (ctest sets it). HEADWATER_SEED repeats a run that failed.
As postgres_values_test.py, with psqlODBC in place of COPY: years 1 to 9999 only, and no arrays.
"""

import os
import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop")]
import postgres_values_test  # noqa: E402
from postgres_values import KINDS, clock  # noqa: E402
from postgres_values_test import Place, escaped, server, unescaped  # noqa: E402, F401
from readers import READERS, rows_of  # noqa: E402

ROWS = int(os.environ.get("HEADWATER_ROWS", "800"))
CONFIG = """
version: 1
servers:
  pg:
    url: "odbc:Driver=PostgreSQL Unicode;Servername=127.0.0.1;Port={port};Database={database}"
    user: postgres
    password: "${{PG_PASSWORD}}"
targets: {{lake: {{delta: ./lake}}}}
defaults: {{target: lake, retries: 0, strategy: full}}
tables:
  - {{from: pg/{table}}}
"""
STAMPS = ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "1969-12-31 23:59:59.999999"]


def day(rng):
    return f"{rng.randint(1, 9999):04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def in_years(kind, extremes, make):
    return replace(kind, extremes=extremes, make=make)


def carried():
    """The types of postgres_values that this driver brings through as COPY does."""
    names = ("bool int2 int4 int8 oid float4 float8 numeric_9_2 numeric_18_6 numeric_38 "
             "numeric_38_38 numeric money text varchar bpchar enum uuid json jsonb bytea time timetz "
             "interval inet cidr macaddr bit varbit").split()
    kinds = {name: KINDS[name] for name in names}
    kinds["date"] = in_years(KINDS["date"], ["0001-01-01", "9999-12-31"], day)
    for name in ("timestamp", "timestamp_3", "timestamptz"):
        extremes = STAMPS[::2] if name == "timestamp_3" else STAMPS
        kinds[name] = in_years(KINDS[name], [f"{text}+00" for text in extremes],
                               lambda rng: f"{day(rng)} {clock(rng)}")
    return kinds


CARRIED = carried()


def rows(seed):
    rng = random.Random(seed)
    most = max(len(kind.extremes) for kind in CARRIED.values())
    for row in range(most + ROWS):
        yield [kind.extremes[row] if row < len(kind.extremes)
               else None if rng.random() < 0.15 else kind.make(rng) for kind in CARRIED.values()]


@pytest.fixture(scope="module")
def every_type(server, tmp_path_factory):  # noqa: F811
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres_values_test, "CONFIG", CONFIG)
        place = Place(server, "odbc_types", "every", tmp_path_factory.mktemp("types"))
    seed = int(os.environ.get("HEADWATER_SEED", random.randrange(1 << 32)))
    print(f"HEADWATER_SEED={seed}", file=sys.__stderr__)
    place.sql("create type mood as enum ('sad', 'ok', 'gl\u00e6de \U0001f600');"
              "create table every(id int primary key, "
              + ", ".join(f'"{name}" {kind.sql}' for name, kind in CARRIED.items()) + ")")
    lines = ["\t".join(map(escaped, [str(i), *row])) for i, row in enumerate(rows(seed))]
    place.sql("copy every from stdin;\n" + "\n".join(lines) + "\n\\.\n")
    place.run()
    place.seed = seed
    return place


@pytest.fixture(scope="module")
def expected(every_type):
    """What PostgreSQL prints, by column, in order of id."""
    selected = ", ".join(kind.selected.format(f'"{name}"') for name, kind in CARRIED.items())
    text = every_type.sql(f"copy (select {selected} from every order by id) to stdout;")
    table = [list(map(unescaped, line.split("\t"))) for line in text.split("\n")[:-1]]
    assert len(table) >= ROWS
    return {name: [None if value is None else kind.read(value) for value in column]
            for (name, kind), column in zip(CARRIED.items(), zip(*table))}


@pytest.mark.parametrize("reader", list(READERS))
def test_readers_find_what_postgres_prints(every_type, expected, reader):
    found = every_type.read(reader).sort_by("id")
    names = list(CARRIED)
    columns = dict(zip(names, zip(*rows_of(found.select(names)))))
    for name, kind in CARRIED.items():
        assert len(columns[name]) == len(expected[name])
        for row, (there, here) in enumerate(zip(expected[name], columns[name])):
            assert there == here and type(there) is type(here), (
                f"HEADWATER_SEED={every_type.seed}: {reader} reads {here!r:.300} in row {row} of "
                f"{kind.sql}; PostgreSQL prints {there!r:.300}")
