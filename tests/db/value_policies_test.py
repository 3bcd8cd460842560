"""Values that no column of their own type can hold, loaded by policy: columns that are read as text,
and times that are cut to microseconds. On every source that can be had here."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop"), str(TESTS / "db")]
import throwaway_mariadb  # noqa: E402
import throwaway_postgres  # noqa: E402
from loaded_table import started  # noqa: E402
from readers import READERS  # noqa: E402

CONFIG = """
version: 1
servers: {{s: {{{access}}}}}
targets: {{lake: {{delta: ./lake}}}}
defaults: {{target: lake, retries: 0}}
tables:
  - {{from: {relation}, target_table: t, {settings}}}
"""
SQLITE = 'url: "odbc:Driver=SQLite3;Database={config_dir}/s.db", clock: "SELECT \'2013-03-01 00:00:00\'"'

# By column: declared type, and a value with what it is as text.
POSTGRES = {
    "price": ("numeric(10,2)", [("'NaN'", "NaN"), ("-12.50", "-12.50")]),
    "amount": ("money", [("1234567.89::numeric", "1234567.89"), ("-0.5::numeric", "-0.50")]),
    "day": ("date", [("'infinity'", "infinity"), ("'0044-03-15 BC'", "0044-03-15 BC")]),
    "seen": ("timestamp", [("'-infinity'", "-infinity"),
                           ("'2013-01-01 05:00:00.1'", "2013-01-01 05:00:00.1")]),
    "at": ("timestamptz", [("'infinity'", "infinity"),
                           ("'294276-12-31 23:59:59+00'", "294276-12-31 23:59:59+00")]),
    "ratio": ("float8", [("0.1", "0.1"), ("'NaN'", "NaN")]),
    "small": ("float4", [("0.1", "0.1"), ("16777216", "1.6777216e+07")]),
    "yes": ("bool", [("true", "true"), ("false", "false")]),
    "n": ("bigint", [("-9223372036854775808", "-9223372036854775808"), ("0", "0")]),
    "code": ("char(4)", [("'ab'", "ab  "), ("''", "    ")]),
}
MARIADB = {
    "price": ("decimal(38,10)", [("-0.5", "-0.5000000000"), ("12.25", "12.2500000000")]),
    "day": ("date", [("'0000-00-00'", "0000-00-00"), ("'2013-01-01'", "2013-01-01")]),
    "seen": ("datetime(6)", [("'0000-00-00 00:00:00'", "0000-00-00 00:00:00.000000"),
                             ("'2013-01-01 05:00:00.1'", "2013-01-01 05:00:00.100000")]),
    "ratio": ("double", [("0.1", "0.1"), ("1e300", "1e300")]),
    "small": ("float", [("0.1", "0.10000000149011612"), ("16777216", "16777216")]),
    "yes": ("bit(1)", [("1", "1"), ("0", "0")]),
    "tiny": ("tinyint(1)", [("7", "7"), ("-1", "-1")]),
    "n": ("bigint unsigned", [("18446744073709551615", "18446744073709551615"), ("0", "0")]),
    "name": ("varchar(10)", [("'blåbær'", "blåbær"), ("''", "")]),
}
SQLITE_VALUES = {
    "price": ("DECIMAL(10,2)", [("'NaN'", "NaN"), ("0.125", "0.125")]),
    "huge": ("DECIMAL(50,2)", [("12", "12"), ("'1e400'", "Inf")]),
    "untyped": ("", [("'x'", "x"), ("1", "1")]),
    "n": ("INTEGER", [("'abc'", "abc"), ("-9223372036854775808", "-9223372036854775808")]),
    "ratio": ("REAL", [("0.1", "0.1"), ("-1e300", "-1.0e+300")]),
    "day": ("DATE", [("'infinity'", "infinity"), ("'2013-1-1'", "2013-1-1")]),
    "seen": ("TIMESTAMP", [("'2013-01-01 05:00:00.1234567'", "2013-01-01 05:00:00.1234567"),
                           ("'2013-01-01 05:00'", "2013-01-01 05:00")]),
    "name": ("TEXT", [("'a'", "a"), ("''", "")]),
}


def creation(values):
    """SQL for a table of these values: rows 1 and 2, and a third of NULLs."""
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in values.items())
    rows = [", ".join(pair[i][0] for _, pair in values.values()) for i in range(2)]
    return (f"create table v(id integer primary key, {columns}); insert into v values (1, {rows[0]}), "
            f"(2, {rows[1]}), (3, {', '.join(['null'] * len(values))})")


class Place:
    def __init__(self, folder, access, relation, settings, password=""):
        self.folder, self.access, self.relation = folder, access, relation
        self.environment = dict(os.environ, PASSWORD=password)
        self.configure(settings)

    def configure(self, settings):
        (self.folder / "headwater.yaml").write_text(
            CONFIG.format(access=self.access, relation=self.relation, settings=settings))

    def headwater(self, *command, expect=0):
        done = subprocess.run([os.environ["HEADWATER_BINARY"], *command, "--progress", "off"],
                              cwd=self.folder, env=self.environment, text=True,
                              capture_output=True, timeout=120, check=False)
        assert done.returncode == expect, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())

    def rows(self):
        """What every reader finds, by id."""
        found = {name: {row["id"]: row for row in read(str(self.folder / "lake" / "t")).to_pylist()}
                 for name, read in READERS.items()}
        first = next(iter(found.values()))
        assert all(rows == first for rows in found.values())
        return first


def casts(names):
    return "columns: {cast: {" + ", ".join(f'"{name}": string' for name in names) + "}}"


def check_as_text(place, values):
    told = place.headwater("plan")
    for name in values:
        assert f"column '{name}' (" in told and "is read as text" in told, told
    place.headwater("run")
    rows = place.rows()
    for name, (_, pair) in values.items():
        found = [rows[i][name] for i in (1, 2, 3)]
        assert found == [pair[0][1], pair[1][1], None], name
    assert "equal: " in place.headwater("verify")


@pytest.fixture(scope="module")
def postgres():
    for server in started(throwaway_postgres.ThrowawayPostgres, throwaway_postgres.why_not):
        server.sql("postgres", "create database policies")
        server.sql("policies", creation(POSTGRES))
        yield server


@pytest.fixture(scope="module")
def mariadb():
    for server in started(throwaway_mariadb.ThrowawayMariaDb, throwaway_mariadb.why_not):
        server.sql("mysql", "create database policies")
        server.sql("policies", "set sql_mode = ''; " + creation(MARIADB))
        yield server


def by_copy(postgres):
    return f'url: "postgresql://127.0.0.1:{postgres.port}/policies", user: postgres, ' \
           'password: "${PASSWORD}"'


def test_postgresql_by_copy(postgres, tmp_path):
    place = Place(tmp_path, by_copy(postgres), "s/public.v",
                  f"strategy: full, {casts(POSTGRES)}", postgres.PASSWORD)
    check_as_text(place, POSTGRES)


def test_postgresql_through_odbc(postgres, tmp_path):
    access = f'url: "odbc:Driver=PostgreSQL Unicode;Servername=127.0.0.1;Port={postgres.port};' \
             'Database=policies", user: postgres, password: "${PASSWORD}"'
    place = Place(tmp_path, access, "s/public.v", f"strategy: full, {casts(POSTGRES)}",
                  postgres.PASSWORD)
    check_as_text(place, POSTGRES)


@pytest.mark.parametrize("scheme", throwaway_mariadb.ThrowawayMariaDb.SCHEMES)
def test_mariadb(mariadb, tmp_path, scheme):
    place = Place(tmp_path, mariadb.access("policies", scheme), "s/v", f"strategy: full, {casts(MARIADB)}",
                  mariadb.PASSWORD)
    check_as_text(place, MARIADB)


def test_a_key_that_is_read_as_text_still_divides_a_read(postgres, mariadb, tmp_path):
    """PostgreSQL's parts and MariaDB's slices go by a key, in its own type."""
    rows = 30_000
    settings = f"strategy: full, key: [id], read_connections: 3, {casts(['id'])}"
    postgres.sql("policies", f"create table k as select generate_series(1, {rows}) id; "
                 "alter table k add primary key (id); analyze k")
    mariadb.sql("policies", f"create table k(id integer primary key) as select seq id "
                f"from seq_1_to_{rows}")
    for access, relation, server in ((by_copy(postgres), "s/public.k", postgres),
                                     (mariadb.access("policies", "odbc"), "s/k", mariadb)):
        folder = tmp_path / relation.replace("/", "_")
        folder.mkdir()
        place = Place(folder, access, relation, settings, server.PASSWORD)
        place.headwater("run")
        found = READERS["deltalake"](str(folder / "lake" / "t")).column("id").to_pylist()
        assert sorted(found, key=int) == [str(i) for i in range(1, rows + 1)]


def sqlite_place(folder, sql, settings, relation="s/v"):
    connection = sqlite3.connect(folder / "s.db")
    connection.executescript(sql)
    connection.close()
    return Place(folder, SQLITE, relation, settings)


def test_sqlite(tmp_path):
    place = sqlite_place(tmp_path, creation(SQLITE_VALUES),
                         f"strategy: full, {casts(SQLITE_VALUES)}")
    check_as_text(place, SQLITE_VALUES)


def test_a_real_keeps_every_digit(tmp_path):
    place = sqlite_place(tmp_path, "create table v(id integer, ratio real); "
                         "insert into v values (1, 0.1 + 0.2), (2, 5e-324), (3, 123456789012345.6)",
                         f"strategy: full, {casts(['ratio'])}")
    place.headwater("run")
    found = {i: float(row["ratio"]) for i, row in place.rows().items()}
    assert found == {1: 0.1 + 0.2, 2: 5e-324, 3: 123456789012345.6}


def test_a_column_that_cannot_be_read_may_be_left_out(tmp_path):
    place = sqlite_place(tmp_path, creation(SQLITE_VALUES), "strategy: full")
    said = place.headwater("run", expect=1)
    assert "column 'huge' of 'v' declared as 'DECIMAL(50,2)'" in said, said
    assert "columns: {cast: {huge: string}}" in said, said
    place.configure("strategy: full, columns: {include: [id, name]}")
    place.headwater("run")
    assert sorted(place.rows()) == [1, 2, 3]


def test_a_table_that_is_there_keeps_its_types(postgres, tmp_path):
    mend = "update v set price = 1 where id = 1"
    place = Place(tmp_path, by_copy(postgres), "s/public.v",
                  "strategy: full, columns: {include: [id, price]}", postgres.PASSWORD)
    said = place.headwater("run", expect=1)
    assert "'NaN'" in said and "columns: {cast: {price: string}} reads it as text" in said, said
    postgres.sql("policies", mend)
    try:
        place.headwater("run")
        place.configure("strategy: full, columns: {include: [id, price], cast: {price: string}}")
        said = place.headwater("run", expect=1)
        assert "price is decimal(10,2) in the table and string in the source" in said, said
        assert "columns: cast" in said and "target_table" in said, said
        place.configure("strategy: full, columns: {cast: {prise: string}}")
        said = place.headwater("run", expect=1)
        assert "server 's'" in said and "'public.v' has no column 'prise'" in said, said
        assert "did you mean 'price'" in said, said
    finally:
        postgres.sql("policies", "update v set price = 'NaN' where id = 1")


# Times at the borders of days, which are what a microbatch covers, and of microseconds.
FINE = ["2013-01-01 00:00:00.0000001", "2013-01-01 23:59:59.9999999", "2013-01-02 00:00:00",
        "2013-01-02 00:00:00.0000009", "2013-01-02 23:59:59.999999", "2013-01-02 23:59:59.9999991",
        "2013-01-03 05:00:00.123", "2013-01-03 05:00:00.1234567", "2013-01-03 05:00:00.1234568"]
INCREMENTAL = "strategy: incremental, cursor: at, unit: 1d, key: [id], on_fine_time: "


def fine_place(folder, settings):
    place = sqlite_place(folder, "create table v(id integer, at timestamp, seen datetime)", settings)
    add_fine(place, FINE)
    return place


def add_fine(place, times, first=1):
    connection = sqlite3.connect(place.folder / "s.db")
    with connection:
        connection.executemany("insert into v values (?, ?, ?)",
                               [(first + i, time, time) for i, time in enumerate(times)])
    connection.close()


def check_cut(place, times):
    rows = place.rows()
    found = {i: row["at"].isoformat(sep=" ", timespec="microseconds") for i, row in rows.items()}
    assert found == {1 + i: (time if "." in time else time + ".").ljust(26, "0")[:26]
                     for i, time in enumerate(times)}
    assert all(row["seen"] == row["at"] for row in rows.values())
    assert "equal: " in place.headwater("verify")


def test_times_are_cut_and_counted_and_no_row_is_lost_at_a_border(tmp_path):
    place = fine_place(tmp_path, INCREMENTAL + "truncate")
    said = place.headwater("run")
    assert "12 values cut to microseconds" in said, said
    check_cut(place, FINE)
    assert "nothing new" in place.headwater("run")
    # One more in the very microsecond of the bound.
    more = ["2013-01-03 05:00:00.1234569", "2013-01-04 00:00:00.0000001"]
    add_fine(place, more, first=1 + len(FINE))
    done = subprocess.run([os.environ["HEADWATER_BINARY"], "run", "-o", "json", "--progress", "off"],
                          cwd=tmp_path, text=True, capture_output=True, timeout=120, check=True)
    (dataset,) = json.loads(done.stdout)["datasets"]
    assert int(dataset["truncated_values"]) >= 4, dataset
    check_cut(place, FINE + more)


def test_times_are_an_error_or_quarantined_without_the_policy(tmp_path):
    place = fine_place(tmp_path, "strategy: full")
    said = place.headwater("run", expect=1)
    assert "2013-01-01 00:00:00.0000001" in said and "on_fine_time: truncate" in said, said
    place.configure("strategy: full, on_bad_row: quarantine")
    assert "6 rows with a value that does not fit" in place.headwater("run")
    assert sorted(place.rows()) == [3, 5, 7]
    place.configure(INCREMENTAL.replace("seen", "") + "fail")
    said = place.headwater("run", expect=1)
    assert "cursor column 'at'" in said and "on_fine_time: truncate" in said, said


def test_a_bad_row_has_its_place_though_its_cursor_is_cut(tmp_path):
    place = fine_place(tmp_path, INCREMENTAL + "truncate, on_bad_row: quarantine")
    connection = sqlite3.connect(tmp_path / "s.db")
    with connection:
        connection.execute("update v set seen = 'never' where id = 2")
    connection.close()
    said = place.headwater("run")
    assert "1 row with a value that does not fit" in said, said
    assert sorted(place.rows()) == [1, 3, 4, 5, 6, 7, 8, 9]
