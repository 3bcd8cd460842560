"""Values that no column of the lake can hold, in PostgreSQL (COPY and ODBC) and MariaDB."""

import json
import os
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

ROWS = 5_000
CONFIG = """
version: 1
servers: {{s: {{{access}}}}}
targets: {{lake: {{delta: ./lake}}}}
defaults: {{target: lake, retries: 0, on_bad_row: quarantine, key: [id]}}
tables:
  - {{from: {relation}, target_table: inc, strategy: incremental, cursor: at, unit: 1d}}
  - {{from: {relation}, target_table: whole, strategy: full, read_connections: 2}}
"""

POSTGRES = """
create table bad(id bigint primary key, at timestamptz not null, price numeric(10,2), day date,
  seen timestamp, note text);
insert into bad select g, now() - interval '2 days' + g * interval '20 seconds', g / 4.0,
  '2013-01-01', '2013-01-01 05:00:00', 'row ' || g from generate_series(1, 5000) g;
update bad set price = 'NaN' where id in (1, 700);
update bad set day = 'infinity' where id = 701;
update bad set day = '-infinity' where id = 5000;
update bad set seen = 'infinity', price = 'NaN' where id = 2500;
create index on bad(at);
"""
# By id: column and value.
POSTGRES_BAD = {1: ("price", "NaN"), 700: ("price", "NaN"), 701: ("day", "infinity"),
                5000: ("day", "-infinity"), 2500: ("price", "NaN")}
POSTGRES_MEND = "update bad set price = 1, day = '2013-01-01', seen = null where id in (1, 701, 2500)"

MARIADB = """
create table bad(id bigint primary key, at datetime(6) not null, price decimal(10,2), day date,
  on_off tinyint(1), note text, index (at));
insert into bad select seq, now(6) - interval 2 day + interval (seq * 20) second, seq / 4,
  '2013-01-01', 1, concat('row ', seq) from seq_1_to_5000;
set sql_mode = 'ALLOW_INVALID_DATES';
update bad set day = '0000-00-00' where id in (1, 700);
update bad set day = '2013-02-00' where id = 5000;
update bad set on_off = 7 where id in (701, 2500);
"""
MARIADB_BAD = {1: ("day", "0000-00-00"), 700: ("day", "0000-00-00"), 701: ("on_off", "7"),
               2500: ("on_off", "7"), 5000: ("day", "2013-02-00")}
MARIADB_MEND = "update bad set day = '2013-01-01', on_off = 0 where id in (1, 701, 2500)"


class Loaded:
    def __init__(self, folder, access, relation, password):
        self.folder = folder
        self.environment = dict(os.environ, PASSWORD=password)
        (folder / "headwater.yaml").write_text(CONFIG.format(access=access, relation=relation))

    def headwater(self, *command):
        done = subprocess.run([os.environ["HEADWATER_BINARY"], *command, "--progress", "off"],
                              cwd=self.folder, env=self.environment, text=True,
                              capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def check(self, bad):
        """Every id is in the table or, with its column and value, in the quarantine."""
        for name in ("inc", "whole"):
            path = str(self.folder / "lake" / name)
            ids = READERS["deltalake"](path).column("id").to_pylist()
            assert sorted(ids) == [i for i in range(1, ROWS + 1) if i not in bad], name
            found = {reader: read(path + "__quarantine") for reader, read in READERS.items()}
            for reader, table in found.items():
                rows = {int(json.loads(row["row_key"])["id"]): (row["column_name"], row["value"])
                        for row in table.to_pylist()}
                assert rows == bad, (name, reader)
                assert table.num_rows == len(bad), (name, reader)
                for row in table.to_pylist():
                    whole = json.loads(row["row"])
                    assert whole["note"] == f"row {whole['id']}", row
        assert "equal: " in self.headwater("verify")


def load_and_mend(loaded, server, database, bad, mend):
    said = loaded.headwater("run")
    assert f"{len(bad)} rows with a value that does not fit" in said, said
    loaded.check(bad)
    server.sql(database, mend)
    loaded.headwater("backfill", "--from", "-4d", "--to", "now", "--table", "inc")
    loaded.headwater("run")
    loaded.check({key: value for key, value in bad.items() if key in (700, 5000)})


@pytest.fixture(scope="module")
def postgres():
    yield from started(throwaway_postgres.ThrowawayPostgres, throwaway_postgres.why_not)


@pytest.fixture(scope="module")
def mariadb():
    yield from started(throwaway_mariadb.ThrowawayMariaDb, throwaway_mariadb.why_not)


@pytest.mark.parametrize("scheme", ["postgresql", "odbc"])
def test_postgresql(postgres, tmp_path, scheme):
    postgres.sql("postgres", "drop database if exists bad_rows")
    postgres.sql("postgres", "create database bad_rows")
    postgres.sql("bad_rows", POSTGRES)
    url = f"postgresql://127.0.0.1:{postgres.port}/bad_rows"
    if scheme == "odbc":
        url = "odbc:Driver=PostgreSQL Unicode;Servername=127.0.0.1;" \
              f"Port={postgres.port};Database=bad_rows"
    access = f'url: "{url}", user: postgres, password: "${{PASSWORD}}"'
    loaded = Loaded(tmp_path, access, "s/public.bad", postgres.PASSWORD)
    load_and_mend(loaded, postgres, "bad_rows", POSTGRES_BAD, POSTGRES_MEND)


@pytest.mark.parametrize("scheme", throwaway_mariadb.ThrowawayMariaDb.SCHEMES)
def test_mariadb(mariadb, tmp_path, scheme):
    mariadb.sql("mysql", "drop database if exists bad_rows; create database bad_rows")
    mariadb.sql("bad_rows", MARIADB)
    access = mariadb.access("bad_rows", scheme)
    loaded = Loaded(tmp_path, access, "s/bad", mariadb.PASSWORD)
    load_and_mend(loaded, mariadb, "bad_rows", MARIADB_BAD, MARIADB_MEND)
