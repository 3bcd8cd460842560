"""Replicas as sources: what is open on the server that they follow, and how far behind they are."""

import datetime
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import deltalake
import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "db")]
from loaded_table import started  # noqa: E402
from throwaway_mariadb import ThrowawayMariaDb  # noqa: E402
from throwaway_mariadb import why_not as why_no_mariadb  # noqa: E402
from throwaway_postgres import StandbyPostgres, ThrowawayPostgres  # noqa: E402
from throwaway_postgres import why_not as why_no_postgres  # noqa: E402

PATIENCE = 60  # Seconds for what comes in less than one.
UNKNOWN = "open transactions cannot be seen on this server"

CONFIG = """
version: 1
servers:
  main: {{{primary}}}
  other: {{{other}}}
  copy: {{{replica}, {more}}}
targets: {{lake: {{delta: ./lake}}}}
tables:
  - {{from: copy/{relation}, target: lake, strategy: incremental, cursor: at, unit: 1h, settle: 1s}}
"""


class Postgres:
    PASSWORD, PAUSE, RESUME = ThrowawayPostgres.PASSWORD, "select pg_wal_replay_pause()", (
        "select pg_wal_replay_resume()")
    # A transaction's rows are stamped as it began.
    database, relation, clock = "postgres", "public.deals", "now()"

    def __init__(self, primary, replica):
        self.primary, self.replica = primary, replica
        primary.sql("postgres", """
          create table deals(id int primary key, at timestamptz);
          create role loader login password 'correct-horse';
          grant select on deals to loader; grant pg_read_all_stats to loader;""")

    def ids(self, server):
        return server.sql("postgres", "select id from deals order by id", "-At").split()

    @staticmethod
    def access(server):
        return (f'url: "postgresql://127.0.0.1:{server.port}/postgres", user: loader, '
                'password: "${PASSWORD}"')


class MariaDb:
    PASSWORD, PAUSE, RESUME = ThrowawayMariaDb.PASSWORD, "stop slave", "start slave"
    database, relation, clock = "shop", "deals", "utc_timestamp(6)"

    def __init__(self, primary, replica):
        self.primary, self.replica = primary, replica
        primary.sql("mysql", "reset master; create user copier identified by 'x'; "
                             "grant replication slave on *.* to copier")
        replica.sql("mysql", f"change master to master_host='127.0.0.1', master_port={primary.port},"
                             " master_user='copier', master_password='x', master_use_gtid=slave_pos;"
                             "start slave")
        primary.sql("mysql", "create database shop; use shop; "
                             "create table deals(id int primary key, at timestamp(6))")

    def ids(self, server):
        there = server.sql("mysql", "show databases like 'shop'").split()
        return server.sql("shop", "select id from deals order by id").split() if there else []

    @staticmethod
    def access(server):
        return server.access("shop", "mariadb")


@pytest.fixture(scope="module")
def postgres():
    for primary in started(ThrowawayPostgres, why_no_postgres):
        with StandbyPostgres(primary) as replica, ThrowawayPostgres() as other:
            yield Postgres(primary, replica), other


@pytest.fixture(scope="module")
def mariadb():
    def primary():
        return ThrowawayMariaDb(tcp=True, options=["--log-bin", "--server-id=1"])
    for server in started(primary, why_no_mariadb):
        with ThrowawayMariaDb(options=["--server-id=2", "--read-only=1"]) as replica:
            yield MariaDb(server, replica), None


@pytest.fixture(params=["postgres", "mariadb"])
def pair(request, tmp_path):
    servers, other = request.getfixturevalue(request.param)
    return Pair(servers, other, tmp_path)


class Pair:
    """Two servers, the table `deals` of the replica, and what loads it."""

    def __init__(self, servers, other, folder):
        self.servers, self.other, self.folder = servers, other, folder
        self.number = max([0, *map(int, servers.ids(servers.primary))])
        self.configure("transactions_from: main")

    def configure(self, more):
        servers = self.servers
        (self.folder / "headwater.yaml").write_text(CONFIG.format(
            primary=servers.access(servers.primary), replica=servers.access(servers.replica),
            other=servers.access(self.other or servers.primary), more=more,
            relation=servers.relation))

    def row(self):
        self.number += 1
        return f"insert into deals values ({self.number}, {self.servers.clock})"

    def insert(self):
        self.servers.primary.sql(self.servers.database, self.row())

    def begin(self):
        return self.servers.primary.begin(self.servers.database, self.row())

    def on_replica(self, text):
        self.servers.replica.sql(self.servers.database, text)

    def catch_up(self):
        expected = self.servers.ids(self.servers.primary)
        until(lambda: self.servers.ids(self.servers.replica) == expected)

    def command(self, *words):
        done = subprocess.run(
            [os.environ["HEADWATER_BINARY"], "--progress", "off", *words], cwd=self.folder,
            env=dict(os.environ, PASSWORD=self.servers.PASSWORD), text=True, capture_output=True,
            timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def plan(self):
        (dataset,) = json.loads(self.command("plan", "-o", "json"))["datasets"]
        return dataset.get("warnings", [])

    def complete_through(self):
        """After a tick."""
        self.command("run")
        (dataset,) = json.loads(self.command("status", "-o", "json"))["datasets"]
        text = dataset.get("complete_through", "1970-01-01T00:00:00Z")
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))

    def published(self):
        table = deltalake.DeltaTable(str(self.folder / "lake" / "deals")).to_pyarrow_table()
        return sorted(map(str, table.column("id").to_pylist()), key=int)

    def check_rows(self):
        self.catch_up()
        self.command("run")
        assert self.published() == self.servers.ids(self.servers.primary)


def until(true):
    limit = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < limit, "it did not come"
        time.sleep(0.02)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def test_without_its_primary_a_replica_is_awaited_for_an_hour(pair):
    pair.configure("max_connections: 2")
    pair.insert()
    pair.catch_up()
    assert any(UNKNOWN in warning for warning in pair.plan())
    assert pair.complete_through() <= now() - datetime.timedelta(minutes=59)
    pair.check_rows()


def test_what_is_open_on_the_primary_settles_nothing_and_is_found(pair):
    pair.insert()
    pair.catch_up()
    assert pair.plan() == []
    began = now()
    until(lambda: pair.complete_through() > began)  # Nothing is open, though nothing is written.
    opened = now()
    late = pair.begin()
    try:
        pair.insert()
        pair.catch_up()
        limit = now() + datetime.timedelta(seconds=4)  # Several times `settle`.
        while now() < limit:
            assert pair.complete_through() <= opened + datetime.timedelta(seconds=1)
        late.communicate("commit;\n", timeout=PATIENCE)
        assert late.returncode == 0
    finally:
        late.kill()
        late.wait()
    pair.check_rows()
    until(lambda: pair.complete_through() > opened + datetime.timedelta(seconds=4))


def test_a_replica_that_stands_still_is_known_to_be_behind(pair):
    pair.insert()
    pair.check_rows()
    pair.on_replica(pair.servers.PAUSE)
    stopped = now()
    try:
        pair.insert()
        assert any("server 'main': this replica is behind it" in warning
                   for warning in pair.plan())
        assert pair.complete_through() <= stopped
        assert len(pair.published()) + 1 == pair.number
    finally:
        pair.on_replica(pair.servers.RESUME)
    pair.check_rows()
    assert pair.plan() == []


def test_a_primary_that_is_away_or_another_is_told(postgres, tmp_path):
    pair = Pair(*postgres, tmp_path)
    pair.insert()
    pair.catch_up()
    other = pair.other
    other.sql("postgres", "drop role if exists loader; create role loader login password "
                          "'correct-horse'; grant pg_read_all_stats to loader")
    pair.configure("transactions_from: other")
    assert any("server 'other': it is not the server that this replica follows" in warning
               for warning in pair.plan())
    other.sql("postgres", "revoke pg_read_all_stats from loader")
    assert any("server 'other': it does not tell of its own transactions" in warning
               for warning in pair.plan())
    other.sql("postgres", "alter role loader nologin")
    away = pair.plan()
    assert any("server 'other'" in warning and "not permitted to log in" in warning
               for warning in away), away
    assert "correct-horse" not in str(away)
    pair.check_rows()
