"""Statements that make a table `every` of random values of every type, for tests that are not in Python.

    value_statements.py postgres|mariadb|sqlite SEED ROWS FILE

Written to FILE, each ended by a NUL. The table's first column numbers the rows; the others are those of
postgres_values.py, mariadb_values.py or sqlite_values.py, and those below.
"""

import random
import sys
from pathlib import Path

import mariadb_values
import postgres_values
import sqlite_values
from mariadb_values import quoted

ROWS_PER_INSERT = 50
POSTGRES_TYPES = ["create type mood as enum ('sad', 'ok', 'gl\u00e6de \U0001f600')",
                  "create domain positive as numeric(10,2) check (value > 0)",
                  "create type pair as (a int, b text)"]

# Name -> type, and what makes an SQL expression of it.
MORE = {
    "postgres": {
        "lsn": ("pg_lsn", lambda rng: f"'{rng.getrandbits(20):X}/{rng.getrandbits(32):X}'"),
        "macaddr8": ("macaddr8", lambda rng: f"'{postgres_values.hexed(rng, 8)}'"),
        "time_3": ("time(3)", lambda rng: f"'{postgres_values.clock(rng)}'"),
        "timestamptz_0": ("timestamptz(0)", lambda rng: f"'{postgres_values.timestamp(rng)}'"),
        "span": ("interval day to second(2)", lambda rng: f"'{rng.randint(-99, 99)} days 1:02:03.45'"),
        "numeric_40_2": ("numeric(40,2)", lambda rng: postgres_values.digits(rng, 38, 2)),
    },
    "mariadb": {
        "zero_filled": ("int(9) zerofill", lambda rng: str(rng.getrandbits(20))),
        "wide": ("varchar(9) charset utf16", lambda rng: quoted("".join(
            rng.choice("a\u00e6\u4e2d\U0001f600 ") for _ in range(9)))),
        "mediumtext": ("mediumtext", lambda rng: quoted("\u4e2d" * rng.randint(0, 90))),
        "mediumblob": ("mediumblob", lambda rng: f"x'{postgres_values.hexed(rng, 9)}'"),
        "time_0": ("time", mariadb_values.span),
        "point": ("point", lambda rng: f"st_geomfromtext('point({rng.randint(-9, 9)} 2.5)')"),
    },
    "sqlite": {
        "uuid": ("uuid", lambda rng: rng.choice([f"'{postgres_values.hexed(rng, 9)}'",
                                                 str(rng.getrandbits(60))])),
        "clob": ("clob", lambda rng: str(rng.getrandbits(40))),
        "whole_real": ("double", lambda rng: str(rng.randint(-2**53, 2**53))),
        "other_stamp": ("datetime", lambda rng: "'%s'" % sqlite_values.stamp(
            rng, rng.randint(0, 6)).replace(" ", "T")),
        "tinyint": ("tinyint", lambda rng: str(rng.getrandbits(62))),
    },
}
VALUES = {"postgres": postgres_values, "mariadb": mariadb_values, "sqlite": sqlite_values}


def in_quotes(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def statements(dialect, seed, count):
    values = VALUES[dialect]
    more, rng = MORE[dialect], random.Random(seed)
    if dialect == "postgres":
        yield "set intervalstyle to 'iso_8601'; set timezone to 'UTC'; set datestyle to 'ISO'"
        yield from POSTGRES_TYPES
    elif dialect == "mariadb":
        yield "set sql_mode = 'STRICT_ALL_TABLES'"
    columns = [(name, kind.sql) for name, kind in values.KINDS.items()]
    columns += [(name, sql) for name, (sql, _) in more.items()]
    quote = "`" if dialect == "mariadb" else '"'
    literals_of = {"postgres": lambda row: map(in_quotes, row), "mariadb": lambda row: row,
                   "sqlite": lambda row: map(sqlite_values.literal, row)}[dialect]
    yield "create table every (id int primary key, " + ", ".join(
        f"{quote}{name}{quote} {sql}" for name, sql in columns) + ")"
    rows = []
    for i, row in enumerate(values.rows(seed, count)):
        others = ["NULL" if rng.random() < 0.15 else make(rng) for _, make in more.values()]
        rows.append(f"({i}, {', '.join([*literals_of(row), *others])})")
    for begin in range(0, len(rows), ROWS_PER_INSERT):
        yield "insert into every values " + ", ".join(rows[begin:begin + ROWS_PER_INSERT])


if __name__ == "__main__":
    _, DIALECT, SEED, ROWS, FILE = sys.argv
    Path(FILE).write_text("".join(f"{sql}\0" for sql in statements(DIALECT, int(SEED), int(ROWS))),
                          encoding="utf-8")
