"""What lies in tests/data/sql, parsed by sqlglot and run on the real thing.

The files are what worker/source/dialects makes; sql_golden_test.cc holds them to that.
"""

import os
import pathlib
import sqlite3
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlglot
from sqlglot import exp

ROOT = pathlib.Path(__file__).resolve().parents[2]
SQL = ROOT / "tests" / "data" / "sql"
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "db")]

import throwaway_postgres  # noqa: E402
from source_checksum import SumOfHashes, checksum_from, checksum_of, hash_of_fields  # noqa: E402

DIALECTS = ["postgres", "sqlite", "mysql", "tsql"]
# What none of the others can be: it changes the session and answers nothing.
SETTINGS = ("session_",)
UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a{:02x}"


def files(dialect, pattern="*"):
    found = sorted((SQL / dialect).glob(pattern + ".sql"))
    assert found, f"no {pattern} in {dialect}"
    return found


def parsed(path):
    trees = sqlglot.parse(path.read_text(), dialect=path.parent.name)
    assert len(trees) == 1, f"{path.name}: {len(trees)} statements"
    return trees[0]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_file_is_one_statement_that_sqlglot_understands(dialect):
    for path in files(dialect):
        tree = parsed(path)
        assert not list(tree.find_all(exp.Command)), f"{path.name} is a mere command"
        expected = exp.Select
        if path.name.startswith(SETTINGS):
            expected = exp.Pragma if dialect == "sqlite" else exp.Set
            if "set_config(" in tree.sql().lower():
                expected = exp.Select  # Of a setting that not every version has.
        assert isinstance(tree, expected), f"{path.name} is a {type(tree)}"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_hostile_name_is_read_back_as_it_was_written(dialect):
    for path in files(dialect, "hostile_*_range"):
        tree = parsed(path)
        tables = {table.name for table in tree.find_all(exp.Table)}
        columns = {column.name for column in tree.find_all(exp.Column)}
        assert len(tables) == 1 and tables == columns, f"{path.name}: {tables} and {columns}"
        for what in DIALECTS:  # They quote in different ways, and mean the same.
            other = SQL / what / path.name
            if other.exists() and "longest" not in path.name:
                assert {table.name for table in parsed(other).find_all(exp.Table)} == tables


@pytest.mark.parametrize("dialect", DIALECTS)
def test_bounds_have_the_columns_own_type(dialect):
    """No bare text is compared with a timestamp or a date, but in SQLite, whose storage is text."""
    if dialect == "sqlite":
        return
    for path in files(dialect, "range_*") + files(dialect, "probe_*") + files(dialect, "count_*"):
        for comparison in parsed(path).find_all(exp.GTE, exp.LT):
            bound = comparison.expression
            assert not (isinstance(bound, exp.Literal) and bound.is_string), path.name


# ---- rows ------------------------------------------------------------------------------------------

COLUMNS = ["id", "flag", "amount", "ratio", "name", "token", "payload", "day", "at", "at_instant",
           "n"]


def row(i):
    start = datetime(2012, 12, 31, 20) + timedelta(hours=i, microseconds=i)
    return {
        "id": i - 10, "flag": i % 2 == 0, "amount": Decimal(i * 7 - 300) / 100,
        "ratio": [0.1, -0.0, 1e300, -2.5][i % 4], "name": ["it's", "表", "", "back\\slash ~,"][i % 4],
        "token": UUID.format(i % 256), "payload": bytes([i % 256, 0, 92, 39]),
        "day": date(2012, 12, 20) + timedelta(days=i), "at": start,
        "at_instant": start.replace(tzinfo=timezone.utc), "n": i - 3,
    }


def rows():
    made = [row(i) for i in range(100)]
    nulls = dict.fromkeys(COLUMNS)
    nulls["id"] = 5_000
    zero = dict(row(7), id=5_001, ratio=0.0, name="~")
    return [*made, nulls, zero]


def literal(value, dialect):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper() if dialect == "postgres" else str(int(value))
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'" if dialect == "postgres" else f"X'{value.hex()}'"
    if isinstance(value, (int, Decimal)):
        return str(value)
    if isinstance(value, float):
        return f"'{value!r}'" if dialect == "postgres" else repr(value)
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S.%f")
        zone = "+00" if value.tzinfo is not None and dialect == "postgres" else ""
        return f"'{text}{zone}'"
    return "'" + str(value).replace("'", "''") + "'"


def inserts(dialect, some, table="events"):
    for one in some:
        values = ", ".join(literal(one[name], dialect) for name in COLUMNS)
        yield f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES ({values})"


CREATE = {
    "postgres": "CREATE TABLE events (id bigint NOT NULL, flag boolean, amount numeric(18,2), "
                "ratio double precision, name text, token uuid, payload bytea, day date, "
                "at timestamp, at_instant timestamptz, n bigint)",
    "sqlite": "CREATE TABLE events (id INTEGER, flag BOOLEAN, amount NUMERIC, ratio REAL, name TEXT,"
              " token TEXT, payload BLOB, day DATE, at TIMESTAMP, at_instant TIMESTAMP, n INTEGER)",
}


def hostile_tables(dialect):
    quote = {"postgres": '"', "sqlite": '"', "mysql": "`"}[dialect]
    for path in files(dialect, "hostile_*_range"):
        name = quote + parsed(path).find(exp.Table).name.replace(quote, 2 * quote) + quote
        yield f"CREATE TABLE {name} ({name} bigint)"
        yield f"INSERT INTO {name} VALUES (NULL), (1), (5), (9)"


# ---- what follows from the answers, whoever gave them ------------------------------------------------

def check_splits(dialect, ask):
    """`ask` gives the rows of a file, as tuples of text."""
    everything = sorted(str(one["id"]) for one in rows())
    subjects = {path.stem.rsplit("_", 1)[0] for path in files(dialect, "split_*")}
    assert len(subjects) >= 4
    for subject in subjects:
        parts = [[line[0] for line in ask(path)] for path in files(dialect, subject + "_*")]
        assert len(parts) > 1
        assert sorted(sum(parts, [])) == everything, f"{subject} lost or doubled rows"


def check_ranges(dialect, ask):
    """Every row is in one of: before the range, in it, after it, or without a cursor."""
    def ids(name):
        return {line[0] for line in ask(SQL / dialect / f"{name}.sql")}

    expected = {
        "date": ("day", date(2013, 1, 1), date(2013, 2, 1)),
        "integer": ("n", -1, 5_000_000_000),
        "wall_clock": ("at", datetime(2013, 1, 1, 5), datetime(2013, 1, 2, 5, 0, 0, 250_001)),
    }
    for name, (column, low, high) in expected.items():
        inside = {str(r["id"]) for r in rows() if r[column] is not None and low <= r[column] < high}
        outside = {str(r["id"]) for r in rows() if r[column] is None or r[column] >= high}
        assert inside and outside
        assert ids(f"range_{name}") == inside
        assert ids(f"range_and_outside_{name}") == inside | outside
        assert ids(f"range_outside_only_{name}") == outside
        assert ids(f"range_without_ends_{name}") == {str(r["id"]) for r in rows()}


def check_counts(dialect, ask):
    """What is counted are the rows of the same extent, and the maximum is that of its range."""
    for name, column in {"date": "day", "integer": "n", "wall_clock": "at"}.items():
        count, largest = ask(SQL / dialect / f"count_{name}.sql")[0]
        assert int(count) == len(ask(SQL / dialect / f"range_and_outside_{name}.sql"))
        inside = {line[0] for line in ask(SQL / dialect / f"range_{name}.sql")}
        values = [r[column] for r in rows() if str(r["id"]) in inside]
        assert str(largest)[:19] == str(max(values))[:19]
    whole = ask(SQL / dialect / "count_whole.sql")[0]
    assert int(whole[0]) == len(rows()) and whole[1] in ("", "None")


def check_quantiles(dialect, ask):
    values = [int(line[0]) for line in ask(SQL / dialect / "quantiles_id.sql")]
    ids = sorted(one["id"] for one in rows())
    assert len(values) == 3 and values == sorted(values)
    for value, share in zip(values, (0.25, 0.5, 0.75)):
        assert abs(sum(i < value for i in ids) / len(ids) - share) < 0.02


# ---- checksums ---------------------------------------------------------------------------------------

CHANGES = {"id": 77, "flag": None, "amount": Decimal("0.01"), "ratio": 0.25, "name": "it's ",
           "token": UUID.format(255), "payload": b"", "day": None,
           "at": datetime(2013, 1, 1, 0, 0, 0, 1),
           "at_instant": datetime(1969, 12, 31, 23, 59, 59, 999_999, timezone.utc)}


# ---- PostgreSQL --------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def postgres():
    reason = throwaway_postgres.why_not()
    if reason:
        assert "CI" not in os.environ, f"CI forbids skips: {reason}"
        pytest.skip(reason)
    with throwaway_postgres.ThrowawayPostgres() as server:
        fill_postgres(server, "postgres", rows())
        server.sql("postgres", ";\n".join(hostile_tables("postgres")) + ";\nANALYZE;")
        yield server


def fill_postgres(server, database, some):
    statements = [CREATE["postgres"], *inserts("postgres", some)]
    server.sql(database, ";\n".join(statements) + ";\nANALYZE events;")


def ask_postgres(server, database="postgres"):
    def ask(path):
        out = server.sql(database, "", "-At", "-F", "\x1f", "-f", str(path))
        return [tuple(line.split("\x1f")) for line in out.splitlines()]
    return ask


def test_postgres_runs_every_file(postgres):
    chosen = []
    for path in files("postgres"):
        chosen += ["-f", str(path)]
    postgres.sql("postgres", "", "-o", os.devnull, *chosen)


def test_postgres_parts_ranges_and_quantiles(postgres):
    ask = ask_postgres(postgres)
    check_splits("postgres", ask)
    check_ranges("postgres", ask)
    check_counts("postgres", ask)
    check_quantiles("postgres", ask)


def test_postgres_estimates_come_near(postgres):
    postgres.sql("postgres", "CREATE DATABASE estimates")
    ask = ask_postgres(postgres, "estimates")
    postgres.sql("estimates", CREATE["postgres"] + """;
        INSERT INTO events (id, n, at, day, at_instant)
        SELECT i, i % 1000, t, t, t FROM (SELECT i, timestamp '2012-12-01' + i * interval '5 minutes'
          AS t FROM generate_series(1, 20000) AS i) AS g;
        INSERT INTO events (id, at) SELECT i, '2013-01-01 06:00:00' FROM generate_series(1, 3000) AS i;
        SET TimeZone TO 'UTC'; ANALYZE events;""")
    assert int(ask(SQL / "postgres" / "estimate.sql")[0][0]) == 23_000
    for name, column in (("wall_clock", "at"), ("date", "day")):
        path = SQL / "postgres" / f"range_{name}.sql"
        true = len(ask(path))
        steps = [(value, float(before) + float(at)) for value, before, at
                 in ask(SQL / "postgres" / f"spread_{name}.sql")]
        assert [step[0] for step in steps] == sorted(step[0] for step in steps)
        there = int(postgres.sql("estimates", f"SELECT count({column}) FROM events", "-At"))
        assert abs(sum(rows for _, rows in steps) - there) < 100
        low, high = ("2013-01-01 05", "2013-01-02 05") if name == "wall_clock" else ("2013-01-01", "2013-02-01")
        estimate = sum(rows for value, rows in steps if low <= value < high)
        assert abs(estimate - true) < 23_000 * 0.02, f"{column}: {estimate} for {true}"


def test_postgres_checksums_are_what_the_specification_says(postgres):
    ask = ask_postgres(postgres)
    whole = SQL / "postgres" / "checksum_whole.sql"
    assert checksum_from(ask(whole)) == checksum_of(COLUMNS[:10], rows())


def test_postgres_sums_a_column_that_it_lacks_as_null(postgres):
    answer = ask_postgres(postgres)(SQL / "postgres" / "checksum_without_a_column_of_the_table.sql")
    assert checksum_from(answer) == checksum_of(COLUMNS[:10], [dict(one, flag=None) for one in rows()])


def test_equal_tables_in_another_order_have_equal_checksums_and_changed_cells_others(postgres):
    whole = SQL / "postgres" / "checksum_whole.sql"
    before = checksum_from(ask_postgres(postgres)(whole))
    postgres.sql("postgres", "CREATE DATABASE reversed")
    fill_postgres(postgres, "reversed", list(reversed(rows())))
    ask = ask_postgres(postgres, "reversed")
    assert checksum_from(ask(whole)) == before
    seen = {before}
    for name, value in CHANGES.items():
        change = f"UPDATE events SET {name} = {literal(value, 'postgres')} WHERE id = 5001"
        answer = postgres.sql("reversed", f"BEGIN; {change};\n\\i {whole}\n;ROLLBACK;", "-At",
                              "-F", "\x1f")
        seen.add(checksum_from([tuple(answer.strip().split("\x1f"))]))
    assert len(seen) == len(CHANGES) + 1
    assert ask(whole) == ask(whole)


# ---- SQLite ------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def sqlite():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.create_function("headwater_hash", -1, hash_of_fields)
    connection.create_aggregate("headwater_sum", 1, SumOfHashes)
    for statement in [CREATE["sqlite"], *inserts("sqlite", rows()), *hostile_tables("sqlite")]:
        connection.execute(statement)
    yield connection
    connection.close()


def ask_sqlite(connection):
    def ask(path):
        return [tuple(map(str, line)) for line in connection.execute(path.read_text())]
    return ask


def test_sqlite_runs_every_file(sqlite):
    ask = ask_sqlite(sqlite)
    for path in files("sqlite"):
        ask(path)


def test_sqlite_sums_what_the_specification_says(sqlite):
    """Its instants have no zone."""
    here = [dict(one, at_instant=one["at"]) for one in rows()]
    ask = ask_sqlite(sqlite)
    folder = SQL / "sqlite"
    assert checksum_from(ask(folder / "checksum_whole.sql")) == checksum_of(COLUMNS[:10], here)
    answer = ask(folder / "checksum_without_a_column_of_the_table.sql")
    assert checksum_from(answer) == checksum_of(COLUMNS[:10], [dict(one, flag=None) for one in here])
    parts = [tuple(map(int, line)) for line in ask(folder / "part_checksums_whole.sql")]
    (whole,) = ask(folder / "checksum_of_id.sql")
    assert len(parts) > 1 and sum(part[1] for part in parts) == len(here)
    assert sum(part[3] for part in parts) % 2**64 == int(whole[2]) % 2**64


def test_sqlite_parts_ranges_and_quantiles(sqlite):
    ask = ask_sqlite(sqlite)
    check_splits("sqlite", ask)
    check_ranges("sqlite", ask)
    check_counts("sqlite", ask)
    check_quantiles("sqlite", ask)
    assert ask(SQL / "sqlite" / "estimate.sql") == [(str(len(rows())),)]
