"""Every type that SQLite's columns can be declared as: values that Python's sqlite3 writes and finds."""

import decimal
import json
import random
from dataclasses import dataclass
from typing import Callable

from postgres_values import LETTERS, bounded, days, float_bits, micros, random_float


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


def rows(seed, count):
    rng = random.Random(seed)
    most = max(len(kind.extremes) for kind in KINDS.values())
    for row in range(most + count):
        yield [kind.extremes[row] if row < len(kind.extremes)
               else None if rng.random() < 0.15 else kind.make(rng) for kind in KINDS.values()]


def literal(value):
    """As SQL has it, without a NUL."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return f"CAST(x'{value.encode().hex()}' AS TEXT)"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "9e999" if value > 0 else "-9e999"
    return repr(value)
