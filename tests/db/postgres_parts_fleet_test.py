"""The program keeps to a server's connections, and loads whole tables over several of them while
others change them.

What a load publishes must be one committed
state; the sampler counts the connections that the server really has.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import deltalake
import pyarrow.compute as pc
import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "faults")]
from loaded_table import started  # noqa: E402
from playground import Started  # noqa: E402
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402

ACCOUNTS = 60_000
BALANCE = 1000
PARTS = 3  # Also the server's max_connections.

# `id` is the key that divides the parts; `serial` names an account for good. The three accounts
# without a balance lie in three parts, and every transaction writes its number into each.
CREATE = f"""
create table accounts(id bigint primary key, serial bigint not null, balance bigint not null,
  written bigint, filler text);
insert into accounts select i, i, {BALANCE}, null, repeat('x', 100)
  from generate_series(1, {ACCOUNTS}) as i;
insert into accounts values (-{ACCOUNTS} * 1000, -1, 0, 0), ({ACCOUNTS // 2} * 1000, -2, 0, 0),
  ({ACCOUNTS} * 1000, -3, 0, 0);
analyze accounts;
"""

# One transaction after another, until the table `stop` is there: money moves between accounts,
# accounts move between the parts, some are deleted and made anew under another key.
WRITER = f"""
do $$
declare n bigint := 0;
begin
  while to_regclass('stop') is null loop
    n := n + 1;
    update accounts set id = -id where serial % 400 = n % 400 and serial > 0;
    update accounts set balance = balance + case when serial % 2 = 0 then 1 else -1 end
      where serial between 1 + n % 1000 * 10 and 10 + n % 1000 * 10;
    with gone as (delete from accounts where serial between 20001 + n % 100 * 50
      and 20050 + n % 100 * 50 returning *)
    insert into accounts select case when id > 0 then -1 else 1 end * (100000 + serial + n * 100000),
      serial, balance, n, filler from gone;
    update accounts set written = n where serial < 0;
    commit;
  end loop;
end $$;
"""

# The most connections of ours that there ever were.
SAMPLER = """
do $$
declare most int := 0; now_open int;
begin
  while to_regclass('stop') is null loop
    perform pg_stat_clear_snapshot();
    select count(*) into now_open from pg_stat_activity where application_name like 'headwater%';
    most := greatest(most, now_open);
    perform pg_sleep(0.001);
    commit;
  end loop;
  create table most_connections as select most;
end $$;
"""

# Ends one part's backend as soon as it reads.
KILLER = """
do $$
begin
  loop
    perform pg_stat_clear_snapshot();
    exit when (select bool_or(pg_terminate_backend(pid)) from pg_stat_activity
      where state = 'active' and query like 'COPY%part=2/3%');
    commit;
  end loop;
end $$;
"""

CONFIG = """
version: 1
servers:
  bank: {{url: "postgresql://127.0.0.1:{port}/bank", user: postgres, password: "${{BANK_PASSWORD}}",
    max_connections: {parts}}}
targets:
  lake: {{delta: ./lake}}
defaults: {{target: lake, retries: {retries}}}
tables:
  - {{from: bank/public.accounts, strategy: full, read_connections: {parts}}}
"""

# Thirty small microbatches each.
RANGES = """  - {from: bank/public.accounts, target_table: a, strategy: incremental, cursor: serial, unit: 2000}
  - {from: bank/public.accounts, target_table: b, strategy: incremental, cursor: serial, unit: 2000}
"""


@pytest.fixture(scope="module")
def server():
    yield from started(ThrowawayPostgres, why_not)


class Bank:
    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        server.sql("postgres", "drop database if exists bank with (force)")
        server.sql("postgres", "create database bank")
        server.sql("bank", CREATE)
        self.configure()

    def configure(self, retries=0, ranges=""):
        (self.folder / "headwater.yaml").write_text(
            CONFIG.format(port=self.server.port, parts=PARTS, retries=retries) + ranges)

    def start(self, *words):
        return Started([os.environ["HEADWATER_BINARY"], *words], self.folder,
                       dict(os.environ, BANK_PASSWORD=ThrowawayPostgres.PASSWORD))

    @contextlib.contextmanager
    def beside(self, *texts):
        """Sessions that run `texts` until the block is left."""
        started = []
        for text in texts:
            command, environment = self.server.psql_command("bank")
            session = subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            session.stdin.write(text)
            session.stdin.close()
            session.stdin = None
            started.append(session)
        try:
            yield
            self.server.sql("bank", "create table stop()")
            for session in started:
                _, said = session.communicate(timeout=60)
                assert session.returncode == 0, said
            self.server.sql("bank", "drop table stop")
        finally:
            for session in started:
                session.kill()
                session.wait()

    def run(self):
        done = subprocess.run(
            [os.environ["HEADWATER_BINARY"], "run", "-o", "json", "--progress", "plain"],
            cwd=self.folder, env=dict(os.environ, BANK_PASSWORD=ThrowawayPostgres.PASSWORD),
            text=True, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def table(self):
        return deltalake.DeltaTable(str(self.folder / "lake" / "accounts"))

    def check_one_state(self):
        """What every transaction keeps, and that all parts show the same last one; its number."""
        rows = self.table().to_pyarrow_table(columns=["serial", "balance", "written"])
        assert rows.num_rows == ACCOUNTS + 3
        assert pc.count_distinct(rows["serial"]).as_py() == ACCOUNTS + 3
        assert pc.sum(rows["balance"]).as_py() == ACCOUNTS * BALANCE
        written = rows.filter(pc.less(rows["serial"], 0))["written"].to_pylist()
        assert len(set(written)) == 1, written
        assert max(rows["written"].drop_null().to_pylist()) == written[0]
        return written[0]

    def files(self):
        return {str(path.relative_to(self.folder / "lake" / "accounts"))
                for path in (self.folder / "lake").rglob("*.parquet")
                if "_delta_log" not in path.parts}

    def live_files(self):
        return {os.path.relpath(uri, self.folder / "lake" / "accounts")
                for uri in self.table().file_uris()}

    def most_connections(self):
        most = int(self.server.sql("bank", "select * from most_connections", "-At"))
        self.server.sql("bank", "drop table most_connections")
        return most


@pytest.fixture
def bank(server, tmp_path):
    return Bank(server, tmp_path)


def test_every_load_is_one_committed_state_and_keeps_to_the_servers_connections(bank):
    with bank.beside(WRITER, SAMPLER):
        states = []
        for _ in range(4):
            bank.run()
            states.append(bank.check_one_state())
    assert states == sorted(set(states)), "the writer did not write between the loads"
    assert len(bank.live_files()) == PARTS
    assert bank.most_connections() == PARTS


def test_a_whole_that_is_unchanged_makes_no_version_and_leaves_no_file(bank):
    bank.run()
    version, files = bank.table().version(), bank.files()
    assert len(files) == PARTS
    bank.run()
    assert bank.table().version() == version
    assert bank.files() == files


def test_a_killed_backend_fails_the_attempt_and_the_next_one_succeeds(bank):
    bank.configure(retries=3)
    # More than the connection holds, or the part is sent whole before its backend is found.
    bank.server.sql("bank", "update accounts set filler = repeat('x', 3000)")
    with bank.beside(KILLER):
        bank.run()
    bank.check_one_state()
    assert bank.table().version() == 0
    assert bank.files() == bank.live_files(), "the failed attempt left files"
    # The server does not give its reason where it waits in the middle of a row.
    words = (b"terminating connection due to administrator command",
             b"server closed the connection unexpectedly")
    ledger = [path.read_bytes() for path in (bank.folder / ".headwater").iterdir() if path.is_file()]
    assert any(word in content for content in ledger for word in words)


def test_workers_together_keep_to_the_servers_connections(bank):
    bank.configure(ranges=RANGES)
    with contextlib.ExitStack() as stack:
        coordinator = stack.enter_context(bank.start("coordinator", "--listen", "127.0.0.1:0"))
        address = "127.0.0.1:" + coordinator.wait_for(r"listening at 127\.0\.0\.1:(\d+)")[1]
        for name in ("w1", "w2", "w3"):
            stack.enter_context(bank.start("--coordinator", address, "worker", "--name", name))
        with bank.beside(SAMPLER):
            for _ in range(2):
                run = stack.enter_context(bank.start("--coordinator", address, "run"))
                assert run.wait() == 0, run.text()
    bank.check_one_state()
    assert 2 <= bank.most_connections() <= PARTS


def test_microbatches_use_each_others_connections(bank):
    bank.configure(ranges=RANGES)
    count = "select sessions from pg_stat_database where datname = 'bank'"
    before = int(bank.server.sql("bank", count, "-At"))
    bank.run()
    # Of more than sixty microbatches and three probes; sessions are counted when they end.
    assert int(bank.server.sql("bank", count, "-At")) - before < 20
