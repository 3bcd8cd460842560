"""Random values of every type of MariaDB, and what a reader must find of them.

As postgres_values.py: a Kind makes the literal that MariaDB is given, and turns the text that its
client prints of the stored value into the exact value that readers.rows_of() gives. Texts and bytes
are printed in hexadecimal, floats as the doubles that they are.
"""

import decimal
import random
import uuid

from postgres_values import LETTERS, Kind, bounded, days, digits, float_bits, hexed, micros

HEX, DOUBLE = "hex({})", "cast({} as double)"


def quoted(text):
    """`text` as a literal, without a backslash or a line's end in it."""
    return f"convert(x'{text.encode().hex()}' using utf8mb4)" if text else "''"


def utf8(text):
    return bytes.fromhex(text).decode()


def words(most=40):
    def make(rng):
        letters = LETTERS + "\0"
        return quoted("".join(rng.choice(letters) for _ in range(rng.randint(0, most))))
    return make


def texts(sql, extremes=(), most=40):
    return Kind(sql, ["''", quoted("NULL"), quoted("\\N"), *extremes], words(most), utf8, HEX)


def blobs(sql, most, extremes=("x''", "x'00'", "x'ff00'")):
    return Kind(sql, list(extremes), lambda rng: f"x'{hexed(rng, rng.randint(0, most))}'",
                bytes.fromhex, HEX)


def integers(sql, bits, signed=True):
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    make = (lambda rng: bounded(rng, bits)) if signed else (
        lambda rng: str(rng.getrandbits(rng.randint(1, bits))))
    return Kind(sql, [str(low), str(high)], make, int)


def decimals(sql, whole, fraction, extremes, read=decimal.Decimal):
    return Kind(sql, ["0", *extremes], lambda rng: digits(rng, whole, fraction), read)


def date(rng, least=1):
    year = rng.choice([rng.randint(least, 9999), rng.randint(1971, 2036)])
    return f"{year:04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def clock(rng, fraction):
    text = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"
    return text + (f".{rng.getrandbits(40) % 10**fraction:0{fraction}}" if fraction else "")


def stamps(sql, fraction, extremes):
    return Kind(sql, [f"'{text}'" for text in extremes],
                lambda rng: f"'{date(rng)} {clock(rng, fraction)}'", micros)


def span(rng):
    sign = rng.choice(["", "-"])
    return (f"'{sign}{rng.randint(0, 838):02}:{rng.randint(0, 58):02}:{rng.randint(0, 58):02}"
            f".{rng.randint(0, 999_999):06}'")


def random_double(rng):
    while True:
        text = repr(rng.choice([rng.uniform(-1, 1), rng.uniform(-1e9, 1e9)])
                    * 10.0 ** rng.randint(-290, 290))
        if "inf" not in text:
            return text if "e" in text else text + "e0"


NINES = "9" * 38
EMOJI = "gl\u00e6de \U0001f600"

KINDS = {
    "flag": Kind("tinyint(1)", ["0", "1"], lambda rng: rng.choice("01"), lambda text: text == "1"),
    "one_bit": Kind("bit(1)", ["b'0'", "b'1'"], lambda rng: f"b'{rng.choice('01')}'",
                    lambda text: text == "1", "{}+0"),
    "tiny": integers("tinyint", 8), "tiny_u": integers("tinyint unsigned", 8, False),
    "small": integers("smallint", 16), "small_u": integers("smallint unsigned", 16, False),
    "medium": integers("mediumint", 24), "medium_u": integers("mediumint unsigned", 24, False),
    "int": integers("int", 32), "int_u": integers("int unsigned", 32, False),
    "big": integers("bigint", 64),
    "big_u": Kind("bigint unsigned", ["0", str(2**64 - 1), str(2**63)],
                  lambda rng: str(rng.getrandbits(64)), decimal.Decimal),
    "year": Kind("year", ["0", "1901", "2155"], lambda rng: str(rng.randint(1901, 2155)), int),
    "float": Kind("float", ["0", "1e-45", "3.4028234e38", "16777215"],
                  lambda rng: f"{rng.uniform(-1e6, 1e6)!r}", float_bits, DOUBLE),
    "double": Kind("double", ["0", "5e-324", "1.7976931348623157e308", "0.1"], random_double,
                   float_bits),
    "dec_9_2": decimals("decimal(9,2)", 7, 2, ["9999999.99", "-9999999.99", "-0.01"]),
    "dec_zero": Kind("decimal(9,2) unsigned zerofill", ["0", "7.5"],
                     lambda rng: digits(rng, 7, 2, sign=False), decimal.Decimal),
    "dec_38": decimals("decimal(38,0)", 38, 0, [NINES, "-" + NINES]),
    "dec_38_38": decimals("decimal(38,38)", 0, 38, ["0." + NINES, "-0." + NINES]),
    "dec_65": decimals("decimal(65,30)", 35, 30, ["9" * 35 + "." + "9" * 30, "-0.5"], str),
    "date": Kind("date", ["'0001-01-01'", "'9999-12-31'", "'2012-02-29'"],
                 lambda rng: f"'{date(rng)}'", days),
    "at": stamps("datetime", 0, ["0001-01-01 00:00:00", "9999-12-31 23:59:59"]),
    "at_3": stamps("datetime(3)", 3, ["1969-12-31 23:59:59.999"]),
    "at_6": stamps("datetime(6)", 6, ["0001-01-01 00:00:00.000001", "9999-12-31 23:59:59.999999"]),
    "stamp": Kind("timestamp(6) null", ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07.999999'"],
                  lambda rng: f"'{rng.randint(1971, 2036)}-{rng.randint(1, 12):02}-"
                              f"{rng.randint(1, 28):02} {clock(rng, 6)}'", micros),
    "time": Kind("time(6)", ["'838:59:59.999999'", "'-838:59:59.999999'", "'-00:00:00.5'"], span),
    "enum": Kind(f"enum('', 'x,y', '{EMOJI}')", ["''"],
                 lambda rng: quoted(rng.choice(["", "x,y", EMOJI])), utf8, HEX),
    "set": Kind(f"set('a', '{EMOJI}')", ["''"],
                lambda rng: quoted(rng.choice(["", "a", EMOJI, f"a,{EMOJI}"])), utf8, HEX),
    "json": Kind("json", ["'{\"a\":1,  \"a\":2}'", "'[]'"],
                 lambda rng: quoted(f'{{"{EMOJI}": {rng.getrandbits(60)}}}'), utf8, HEX),
    "char": texts("char(9)", most=9), "varchar": texts("varchar(40)"),
    "latin1": Kind("varchar(9) charset latin1", [quoted("\u00f8\u20ac")],
                   lambda rng: quoted("".join(rng.choice("a\u00e6\u00f8\u20ac'\\") for _ in range(9))),
                   utf8, "hex(convert({} using utf8mb4))"),
    "varchar_long": texts("varchar(3000)"), "tinytext": texts("tinytext"),
    "text": texts("text", [quoted(EMOJI * 900)]),
    "longtext": texts("longtext", [quoted("\u4e2d" * 40_000)]),
    "bits": Kind("bit(12)", ["b'0'", "b'111111111111'"],
                 lambda rng: f"b'{rng.getrandbits(12):b}'",
                 lambda text: int(text).to_bytes(2, "big"), "{}+0"),
    "binary": blobs("binary(4)", 4), "varbinary": blobs("varbinary(9)", 9),
    "tinyblob": blobs("tinyblob", 60), "blob": blobs("blob", 60, ["x''", f"x'{'00ff' * 5000}'"]),
    "longblob": blobs("longblob", 60, [f"x'{'ff00' * 40_000}'"]),
    "uuid": Kind("uuid", [f"'{uuid.UUID(int=0)}'"],
                 lambda rng: f"'{str(uuid.UUID(int=rng.getrandbits(128), version=4)).upper()}'"),
    "inet6": Kind("inet6", ["'::'", "'::ffff:1.2.3.4'"],
                  lambda rng: f"'2001:db8::{rng.getrandbits(16):x}'"),
}


def rows(seed, count):
    """Rows of literals: first every type's extremes, then random ones."""
    rng = random.Random(seed)
    most = max(len(kind.extremes) for kind in KINDS.values())
    for row in range(most + count):
        yield [kind.extremes[row] if row < len(kind.extremes)
               else "NULL" if rng.random() < 0.15 else kind.make(rng) for kind in KINDS.values()]
