"""Random values of every type that SQLite's columns can be declared as are what every reader finds.

Written and read back by Python's own sqlite3: what that finds is what all others have to find.
HEADWATER_SEED repeats a run that failed.
"""

import decimal
import json
import os
import random
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "interop")]
from loaded_table import LoadedTable, check_bad_value, check_values, chosen_seed  # noqa: E402
from postgres_values import LETTERS, bounded, days, float_bits, micros, random_float  # noqa: E402
from readers import READERS  # noqa: E402

ROWS = int(os.environ.get("HEADWATER_ROWS", "800"))
ACCESS = '{url: "odbc:Driver=SQLite3;Database={config_dir}/source.db"}'


@dataclass
class Kind:
    sql: str  # The declared type.
    extremes: list  # Values as Python binds them, which every run tries.
    make: Callable  # random.Random -> such a value
    read: Callable = lambda value: value  # What Python finds -> what readers find.


def text(rng):
    return "".join(rng.choice(LETTERS + "\0") for _ in range(rng.randint(0, 40)))


def real(rng):
    return float(random_float(rng, "d"))


def day(rng):
    return f"{rng.randint(1, 9999):04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def stamp(rng, digits):
    clock = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"
    return f"{day(rng)} {clock}" + (f".{rng.randrange(10**digits):0{digits}}" if digits else "")


def decimals(precision, scale):
    """A decimal column stores integers, and doubles that have at most 15 digits."""
    most = min(precision, 15)

    def bound(unscaled):
        whole, rest = divmod(unscaled, 10**scale)
        return whole if rest == 0 else float(decimal.Decimal(unscaled).scaleb(-scale))

    def read(value):
        return decimal.Decimal(repr(value)).quantize(decimal.Decimal(1).scaleb(-scale))

    limit = 10**most - 1
    whole = min(10**(precision - scale) - 1, 2**63 - 1)
    return Kind(f"decimal({precision},{scale})", [bound(n) for n in (0, 1, -1, limit, -limit)]
                + [whole, -whole], lambda rng: bound(rng.randint(-limit, limit)), read)


KINDS = {
    "bool": Kind("boolean", [0, 1], lambda rng: rng.randint(0, 1), bool),
    "integer": Kind("integer", [0, 2**63 - 1, -2**63], lambda rng: int(bounded(rng, 64))),
    "bigint": Kind("bigint", [2**53 + 1, -1], lambda rng: int(bounded(rng, 64))),
    "real": Kind("real", [0.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308, -2.2250738585072014e-308,
                          float("inf"), float("-inf"), 1e15, 123456789012345.6],
                 lambda rng: value if (value := real(rng)) == value else 1.5, float_bits),
    "numeric": Kind("numeric", [0, 12, -0.5, 2**53], lambda rng: rng.choice([rng.randint(-99, 99),
                                                                             rng.random()]), float_bits),
    "decimal_9_2": decimals(9, 2),
    "decimal_18_6": decimals(18, 6),
    "decimal_38_0": decimals(38, 0),
    "decimal_15_15": decimals(15, 15),
    "text": Kind("text", ["", "NULL", "null", "[1,\"x\"]", "\0", "a\0b", "\\u0000", "\u2028\u2029"],
                 text),
    "varchar": Kind("varchar(10)", ["", "longer than it says"], text),
    "untyped_json": Kind("json", ["{}", '{"a": [1, 2]}'], lambda rng: json.dumps([text(rng)])),
    "blob": Kind("blob", [b"", b"\0", b"\xff\0\xff"], lambda rng: rng.randbytes(rng.randint(0, 40))),
    "date": Kind("date", ["0001-01-01", "9999-12-31", "1970-01-01", "2024-02-29"], day, days),
    "datetime": Kind("datetime", ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999",
                                  "1969-12-31 23:59:59.999999", "2016-12-31 23:59:59"],
                     lambda rng: stamp(rng, 6), micros),
    "timestamp_3": Kind("timestamp", ["1970-01-01 00:00:00.001", "2013-03-10 02:30:00"],
                        lambda rng: stamp(rng, rng.choice([0, 3])), micros),
}


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


def rows(seed):
    rng = random.Random(seed)
    most = max(len(kind.extremes) for kind in KINDS.values())
    for row in range(most + ROWS):
        yield [kind.extremes[row] if row < len(kind.extremes)
               else None if rng.random() < 0.15 else kind.make(rng) for kind in KINDS.values()]


@pytest.fixture(scope="module")
def every_type(tmp_path_factory):
    place = Place("every", tmp_path_factory.mktemp("types"))
    place.seed = chosen_seed()
    made = list(rows(place.seed))
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
