"""Random values of every type that PostgreSQL has a rule for, and what a reader must find of them.

A Kind makes the text that PostgreSQL is given, and turns the text that PostgreSQL prints of the
stored value into the exact value that readers.rows_of() gives. It shares no code with the program.
"""

import decimal
import json
import random
import re
import struct
import uuid
from dataclasses import dataclass
from typing import Callable

decimal.getcontext().prec = 60

# Everything that a text column must bring through: no NUL, which PostgreSQL has not.
LETTERS = "abcXYZ019 \t\n\r\\\"',;|{}[]()$%_\x01\x1f\x7f\u00f8\u20ac\u4e2d\u0301\U0001f600\U0010ffff"


@dataclass
class Kind:
    sql: str  # The column's type.
    extremes: list  # Texts that every run tries.
    make: Callable  # random.Random -> text
    read: Callable = str  # What PostgreSQL prints -> what readers find.
    selected: str = "{}"  # How the printed text is asked for.


def days(text):
    """Days since 1970 of `2013-01-31` or `4713-01-01 BC`, by the proleptic Gregorian calendar."""
    year, month, day = (int(part) for part in text.removesuffix(" BC").split("-"))
    if text.endswith(" BC"):
        year = 1 - year
    month_from_march = (month + 9) % 12
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * month_from_march + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 \
        + day_of_year - 719_468


def micros(text):
    """Microseconds since 1970 of `2013-01-31 05:00:00.123456 BC`, as written."""
    match = re.fullmatch(r"(\S+) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?( BC)?", text)
    date, hour, minute, second, fraction, era = match.groups()
    seconds = (days(date + (era or "")) * 24 + int(hour)) * 3600 + int(minute) * 60 + int(second)
    return seconds * 1_000_000 + int((fraction or "").ljust(6, "0"))


def float_bits(text, form="d"):
    """What rows_of() gives of a float: exact, with -0, and every NaN alike."""
    value = struct.unpack(form, struct.pack(form, float(text)))[0]
    return "nan" if value != value else value.hex()


def integer(rng, bits):
    return str(rng.getrandbits(rng.randint(1, bits)) - (1 << (bits - 1)) * rng.randint(0, 1))


def bounded(rng, bits):
    limit = 1 << (bits - 1)
    return str(max(-limit, min(limit - 1, int(integer(rng, bits)))))


def random_float(rng, form):
    bits = rng.getrandbits(struct.calcsize(form) * 8)
    value = struct.unpack(form, bits.to_bytes(struct.calcsize(form), "little"))[0]
    return repr(value)


def digits(rng, whole, fraction, sign=True):
    text = str(rng.getrandbits(400))[-rng.randint(1, whole):] if whole else "0"
    if fraction:
        text += "." + str(rng.getrandbits(400))[-rng.randint(1, fraction):]
    return ("-" if sign and rng.random() < 0.5 else "") + text


def long_digits(rng):
    size = rng.choice([1, 5, 40, 400])
    number = "".join(rng.choice("0123456789") for _ in range(size))
    return rng.choice(["", "-"]) + number[:rng.randint(1, size)] + "." + number


def words(rng, most=40):
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(0, most)))


def date(rng):
    year = rng.choice([rng.randint(1, 9999), rng.randint(1900, 2100), rng.randint(10_000, 200_000)])
    era = " BC" if year < 4700 and rng.random() < 0.2 else ""
    return f"{year:04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}{era}"


def clock(rng):
    text = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"
    return text + rng.choice(["", f".{rng.randint(0, 999_999):06}", f".{rng.randint(0, 999)}"])


def timestamp(rng):
    day, _, era = date(rng).partition(" ")
    return f"{day} {clock(rng)}{' BC' if era else ''}"


def interval(rng):
    return " ".join(f"{rng.randint(-99, 99)} {unit}" for unit in
                    rng.sample(["years", "mons", "days", "hours", "mins"], rng.randint(1, 5))
                    ) + f" {rng.randint(-9, 9)}.{rng.randint(0, 999_999):06} secs"


def document(rng, depth=0):
    kind = rng.randint(0, 5 if depth < 3 else 3)
    if kind == 4:
        return [document(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    if kind == 5:
        return {words(rng, 6): document(rng, depth + 1) for _ in range(rng.randint(0, 3))}
    return [None, rng.random() < 0.5, rng.getrandbits(70) / 8, words(rng)][kind]


def jsons(rng):
    return json.dumps(document(rng), ensure_ascii=rng.random() < 0.5)


def address(rng):
    if rng.random() < 0.5:
        return ".".join(str(rng.randint(0, 255)) for _ in range(4)) + rng.choice(["", "/8", "/32"])
    return ":".join(f"{rng.getrandbits(16) if rng.random() < 0.5 else 0:x}" for _ in range(8)) \
        + rng.choice(["", "/64", "/128"])


def network(rng):
    bits = rng.randint(0, 32)
    number = rng.getrandbits(32) >> (32 - bits) << (32 - bits)
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/{bits}"


def hexed(rng, size):
    return rng.getrandbits(8 * size).to_bytes(size, "big").hex()


def bits_of(rng, least, most):
    return "".join(rng.choice("01") for _ in range(rng.randint(least, most)))


def array(make):
    """An array literal of up to two dimensions, with NULLs."""
    def element(rng):
        if rng.random() < 0.2:
            return "NULL"
        return '"' + make(rng).replace("\\", "\\\\").replace('"', '\\"') + '"'

    def row(rng, size):
        return "{" + ",".join(element(rng) for _ in range(size)) + "}"

    def literal(rng):
        size = rng.randint(1, 3)
        if rng.random() < 0.2:
            return "{" + ",".join(row(rng, size) for _ in range(rng.randint(1, 3))) + "}"
        return row(rng, rng.randint(0, 4))
    return literal


def arrays(element, make, extremes=(), selected="{}"):
    return Kind(element + "[]", ["{}", "{NULL}", "{{NULL}}", *extremes], array(make),
                selected=f"to_json({selected})::text")


def decimals(sql, whole, fraction, extremes, make=None):
    return Kind(sql, ["0", *extremes], make or (lambda rng: digits(rng, whole, fraction)),
                decimal.Decimal)


NINES = "9" * 38
FLOATS = ["0", "-0", "NaN", "Infinity", "-Infinity"]
DATES = ["4713-01-01 BC", "0001-12-31 BC", "0001-01-01", "1582-10-10", "9999-12-31", "5874897-12-31"]
STAMPS = ["4713-01-01 00:00:00 BC", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999",
          "294246-12-31 23:59:59.999999", "2016-12-31 23:59:60", "1969-12-31 23:59:59.999999"]

KINDS = {
    "bool": Kind("bool", [], lambda rng: rng.choice("tf"), lambda text: text == "t"),
    "int2": Kind("int2", ["-32768", "32767"], lambda rng: bounded(rng, 16), int),
    "int4": Kind("int4", ["-2147483648", "2147483647"], lambda rng: bounded(rng, 32), int),
    "int8": Kind("int8", [str(-2**63), str(2**63 - 1)], lambda rng: bounded(rng, 64), int),
    "oid": Kind("oid", ["0", str(2**32 - 1)], lambda rng: str(rng.getrandbits(32)), int),
    "float4": Kind("float4", [*FLOATS, "1e-45", "3.4028235e38"],
                   lambda rng: random_float(rng, "f"), lambda text: float_bits(text, "f")),
    "float8": Kind("float8", [*FLOATS, "5e-324", "1.7976931348623157e308"],
                   lambda rng: random_float(rng, "d"), float_bits),
    "numeric_9_2": decimals("numeric(9,2)", 7, 2, ["9999999.99", "-9999999.99", "-0.01"]),
    "numeric_18_6": decimals("numeric(18,6)", 12, 6, ["999999999999.999999", "0.000001"]),
    "numeric_38": decimals("numeric(38,0)", 38, 0, [NINES, "-" + NINES, "1"]),
    "numeric_38_38": decimals("numeric(38,38)", 0, 38, ["0." + NINES, "-0." + NINES]),
    "numeric_neg": decimals("numeric(5,-2)", 6, 0, ["9999900", "-9999900"]),
    "numeric_deep": decimals("numeric(2,4)", 0, 0, ["0.0099", "-0.0001"],
                             lambda rng: f"0.00{rng.randint(0, 99):02}"),
    "numeric": Kind("numeric", ["0", "-0.00", "NaN", "Infinity", "-Infinity", "1" * 1000,
                                "-0." + "0" * 900 + "1", "1e131071", "0.50"], long_digits),
    "money": Kind("money", ["-92233720368547758.08", "92233720368547758.07"],
                  lambda rng: digits(rng, 16, 2), decimal.Decimal, "{}::numeric"),
    "text": Kind("text", ["", "\\N", "NULL", " "], words),
    "varchar": Kind("varchar(40)", [""], words),
    "bpchar": Kind("char(8)", [""], lambda rng: words(rng, 8).rstrip(" ")),
    "char": Kind('"char"', ["", "~"], lambda rng: chr(rng.randint(32, 126))),
    "name": Kind("name", [""], lambda rng: words(rng, 15)),
    "enum": Kind("mood", [], lambda rng: rng.choice(["sad", "ok", "gl\u00e6de \U0001f600"])),
    "uuid": Kind("uuid", [str(uuid.UUID(int=0)).upper()], lambda rng: str(uuid.UUID(int=rng.getrandbits(128)))),
    "json": Kind("json", ['{"a":1,  "a":2}', '"\\u0000"', " [ ] "], jsons),
    "jsonb": Kind("jsonb", ['{"b":1,  "a":2}', "1e400", '"\\u00f8\\n"'],
                  lambda rng: jsons(rng)),
    "xml": Kind("xml", ["", "<a b='1'>\u00f8<!-- c --></a>", '<?xml version="1.0" encoding="latin1"?><a/>'],
                lambda rng: f"<a>{rng.getrandbits(40)}</a>"),
    "bytea": Kind("bytea", ["\\x", "\\x00", "\\xff00"], lambda rng: "\\x" + hexed(rng, rng.randint(0, 60)),
                  lambda text: bytes.fromhex(text[2:])),
    "date": Kind("date", DATES, date, days),
    "timestamp": Kind("timestamp", STAMPS, timestamp, micros),
    "timestamp_3": Kind("timestamp(3)", STAMPS[:2], timestamp, micros),
    "timestamptz": Kind("timestamptz", [stamp.replace(" BC", "+00 BC") for stamp in STAMPS],
                        timestamp, micros, "{} at time zone 'UTC'"),
    "time": Kind("time", ["00:00:00", "24:00:00", "23:59:59.999999"], clock),
    "timetz": Kind("timetz", ["24:00:00-15:59", "00:00:00+15:59"],
                   lambda rng: f"{clock(rng)}{rng.choice(['+00', '-03:30', '+05:45'])}"),
    "interval": Kind("interval", ["0", "178000000 years", "-178000000 years", "1 mon -1 day"],
                     interval),
    "inet": Kind("inet", ["::", "0.0.0.0/0", "::ffff:1.2.3.4"], address),
    "cidr": Kind("cidr", ["::/0", "2001:db8::/32", "10.0.0.1/32"], network),
    "macaddr": Kind("macaddr", ["00:00:00:00:00:00"], lambda rng: hexed(rng, 6)),
    "bit": Kind("bit(7)", ["0000000"], lambda rng: bits_of(rng, 7, 7)),
    "varbit": Kind("varbit", [""], lambda rng: bits_of(rng, 0, 70)),
    "domain": Kind("positive", ["0.01"], lambda rng: f"{rng.randint(1, 10**9) / 100}", decimal.Decimal),
    "enums": arrays("mood", lambda rng: rng.choice(["sad", "ok"])),
    "ints": arrays("int4", lambda rng: bounded(rng, 32)),
    "texts": arrays("text", words, ['{"",NULL}', '{"\\"\\\\"}']),
    "numerics": arrays("numeric", long_digits, ["{NaN,Infinity}"]),
    "floats": arrays("float8", lambda rng: random_float(rng, "d"), ["{NaN,-0}"]),
    "moneys": arrays("money", lambda rng: digits(rng, 9, 2), selected="{}::numeric[]"),
    "stamps": arrays("timestamptz", timestamp, ["{infinity}"]),
    "blobs": arrays("bytea", lambda rng: "\\x" + hexed(rng, rng.randint(0, 9))),
    "spans": arrays("interval", interval),
    "tsvector": Kind("tsvector", [""], lambda rng: f"a{rng.randint(1, 9)} b c"),
    "int4range": Kind("int4range", ["empty"], lambda rng: f"[{rng.randint(-9, 0)},{rng.randint(1, 9)})"),
    "pair": Kind("pair", ["(,)"], lambda rng: f"({rng.randint(1, 9)},\"a b\")"),
}
WITHOUT_A_RULE = {"tsvector": "tsvector", "int4range": "int4range", "pair": "pair"}


def rows(seed, count):
    """Rows of texts, or None for NULL: first every type's extremes, then random ones."""
    rng = random.Random(seed)
    most = max(len(kind.extremes) for kind in KINDS.values())
    for row in range(most + count):
        values = []
        for kind in KINDS.values():
            if row < len(kind.extremes):
                values.append(kind.extremes[row])
            else:
                values.append(None if rng.random() < 0.15 else kind.make(rng))
        yield values
