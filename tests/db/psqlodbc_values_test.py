"""Random values of the types that psqlODBC can carry are what every reader finds.

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
from loaded_table import check_values, chosen_seed  # noqa: E402
from postgres_values import KINDS, clock  # noqa: E402
from postgres_values_test import Place, server  # noqa: E402, F401
from readers import READERS  # noqa: E402

ROWS = int(os.environ.get("HEADWATER_ROWS", "800"))
ACCESS = ('{{url: "odbc:Driver=PostgreSQL Unicode;Servername=127.0.0.1;Port={port};'
          'Database={database}", user: postgres, password: "${{PASSWORD}}"}}')
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
    place = Place(server, "odbc_types", "every", tmp_path_factory.mktemp("types"), access=ACCESS)
    place.seed = chosen_seed()
    place.fill(CARRIED, rows(place.seed))
    place.run()
    place.expected = place.printed(CARRIED)
    assert len(place.expected["uuid"]) >= ROWS
    return place


@pytest.mark.parametrize("reader", list(READERS))
def test_readers_find_what_postgres_prints(every_type, reader):
    check_values(every_type, reader, CARRIED, every_type.expected, every_type.seed)
