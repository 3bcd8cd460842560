"""Ctrl-C while a source keeps a run waiting: the run ends, the server is left in peace, and the next
run loads what this one did not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop"), str(TESTS / "db")]
import throwaway_mariadb  # noqa: E402
import throwaway_postgres  # noqa: E402
from loaded_table import started  # noqa: E402
from readers import READERS  # noqa: E402

ROWS = 1_000
LIMIT_SECONDS = 60  # For a state to come about; far more than it takes.
INTERRUPTED = 130
CONFIG = """
version: 1
servers: {{s: {{url: "{url}", user: {user}, password: "${{PASSWORD}}"}}}}
targets: {{lake: {{delta: ./lake}}}}
tables:
  - {{from: {relation}, target: lake, target_table: t, strategy: full}}
"""
POSTGRES_WAITS = ("select count(*) from pg_stat_activity where application_name like 'headwater%' "
                  "and wait_event_type = 'Lock'")
MARIADB_WAITS = ("select count(*) from information_schema.processlist where user = 'loader' "
                 "and state = 'Waiting for table metadata lock'")


def await_count(server, database, query, wanted, program):
    limit = time.monotonic() + LIMIT_SECONDS
    while int(server.sql(database, query, *(["-At"] if "pg_" in query else []))) != wanted:
        assert program is None or program.poll() is None, program.communicate()
        assert time.monotonic() < limit, f"{query}: not {wanted}"
        time.sleep(0.02)


def check_interrupted_run(folder, server, database, lock, waits):
    environment = dict(os.environ, PASSWORD=server.PASSWORD)
    command = [os.environ["HEADWATER_BINARY"], "run", "--progress", "off"]
    with server.begin(database, lock) as holder:
        with subprocess.Popen(command, cwd=folder, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            try:
                await_count(server, database, waits, 1, program)
                program.send_signal(signal.SIGINT)
                said = "".join(program.communicate(timeout=LIMIT_SECONDS))
            except BaseException:
                program.kill()
                holder.kill()
                raise
        assert program.returncode == INTERRUPTED, said
        assert "Interrupted: cancelling this run" in said
        await_count(server, database, waits, 0, None)
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    ids = READERS["deltalake"](str(folder / "lake" / "t")).column("id").to_pylist()
    assert sorted(ids) == list(range(1, ROWS + 1))


@pytest.fixture(scope="module")
def postgres():
    for server in started(throwaway_postgres.ThrowawayPostgres, throwaway_postgres.why_not):
        server.sql("postgres", "create table t as select g as id from generate_series(1, 1000) g")
        yield server


@pytest.fixture(scope="module")
def mariadb():
    for server in started(throwaway_mariadb.ThrowawayMariaDb, throwaway_mariadb.why_not):
        server.sql("mysql", "create database waits")
        server.sql("waits", "create table t as select seq as id from seq_1_to_1000")
        yield server


@pytest.mark.parametrize("scheme", ["postgresql", "odbc"])
def test_postgresql(postgres, tmp_path, scheme):
    url = f"postgresql://127.0.0.1:{postgres.port}/postgres"
    if scheme == "odbc":
        url = "odbc:Driver=PostgreSQL Unicode;Servername=127.0.0.1;" \
              f"Port={postgres.port};Database=postgres"
    (tmp_path / "headwater.yaml").write_text(
        CONFIG.format(url=url, user=postgres.USER, relation="s/public.t"))
    check_interrupted_run(tmp_path, postgres, "postgres", "lock table t in access exclusive mode",
                          POSTGRES_WAITS)


@pytest.mark.parametrize("scheme", throwaway_mariadb.ThrowawayMariaDb.SCHEMES)
def test_mariadb(mariadb, tmp_path, scheme):
    url = mariadb.url("waits", scheme)
    (tmp_path / "headwater.yaml").write_text(
        CONFIG.format(url=url, user=mariadb.USER, relation="s/t"))
    check_interrupted_run(tmp_path, mariadb, "waits", "lock tables t write", MARIADB_WAITS)
