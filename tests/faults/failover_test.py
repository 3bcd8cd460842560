"""A ledger in PostgreSQL and two coordinators: one leads, and the other takes over."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from playground import KILLED, Playground

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402

ROWS, DAYS = 6000, 60
LEADS = r"listening at 127\.0\.0\.1:(\d+)"
STANDS_BY = r"127\.0\.0\.1:(\d+) leads; standing by at 127\.0\.0\.1:(\d+)"

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@pytest.fixture(scope="module")
def server():
    with ThrowawayPostgres() as server:
        os.environ["LEDGER_PASSWORD"] = server.PASSWORD
        yield server


@pytest.fixture
def play(server, tmp_path):
    play = Playground(tmp_path / "play", rows=ROWS, days=DAYS)
    play.database = f"ledger_{abs(hash(str(tmp_path)))}"
    server.sql("postgres", f"create database {play.database}")
    play.ledger = (f'ledger: {{url: "postgresql://127.0.0.1:{server.port}/{play.database}", '
                   f'user: {server.USER}, password: "${{LEDGER_PASSWORD}}"}}')
    play.configure()
    return play


class Pair:
    """Two coordinators, one of which leads, and two workers that know both."""

    def __init__(self, play, failpoints=""):
        self.play, self.failpoints, self.stack = play, failpoints, contextlib.ExitStack()

    def __enter__(self):
        self.leader, self.leader_port = self.coordinator(LEADS, failpoints=self.failpoints)
        self.standby, self.standby_port = self.coordinator(STANDS_BY)
        self.workers = [self.stack.enter_context(self.play.start(
            "--coordinator", self.addresses, "worker", "--name", name)) for name in ("w1", "w2")]
        return self

    def __exit__(self, *failure):
        return self.stack.__exit__(*failure)

    @property
    def addresses(self):
        return f"127.0.0.1:{self.leader_port},127.0.0.1:{self.standby_port}"

    def coordinator(self, until, **options):
        started = self.stack.enter_context(
            self.play.start("coordinator", "--listen", "127.0.0.1:0", **options))
        found = started.wait_for(until)
        return started, int(found[found.lastindex])

    def run(self, *words):
        return self.stack.enter_context(self.play.start("--coordinator", self.addresses, *words))

    def check(self):
        self.play.check()
        assert self.run("verify").wait() == 0
        assert [worker.process.poll() for worker in self.workers] == [None, None]


def term(server, play):
    return int(server.sql(play.database, "select term from headwater_leader", "-At"))


@pytest.mark.parametrize("place", ["delta.before_put", "delta.after_put"])
def test_a_leader_that_is_killed_in_a_commit_is_followed_by_the_other(play, server, place):
    with Pair(play, failpoints=f"{place}=3:hold") as pair:
        before = term(server, play)
        run = pair.run("run")
        pair.leader.wait_for_hold(place)
        assert pair.leader.kill() == KILLED
        began = time.monotonic()
        pair.standby.wait_for(LEADS)
        print(f"leads after {time.monotonic() - began:.1f} s")
        assert run.wait() == 0, run.text()
        assert term(server, play) == before + 1
        pair.check()


def test_a_leader_that_ends_gives_way_at_once(play, server):
    with Pair(play) as pair:
        run = pair.run("run")
        run.wait_for("done")
        assert pair.leader.end() == 0
        assert server.sql(play.database, "select until = '-infinity' or term > 1 from "
                                         "headwater_leader", "-At").strip() == "t"
        pair.standby.wait_for(LEADS)
        assert run.wait() == 0, run.text()
        pair.check()


def test_a_leader_that_was_stopped_past_its_lease_ends_when_it_goes_on(play, server):
    with Pair(play, failpoints="delta.before_put=3:hold") as pair:
        run = pair.run("run")
        pair.leader.wait_for_hold("delta.before_put")
        pair.leader.process.send_signal(signal.SIGSTOP)
        pair.standby.wait_for(LEADS)
        pair.leader.process.send_signal(signal.SIGCONT)
        assert pair.leader.wait() == 4
        assert "no longer" in pair.leader.text()
        assert run.wait() == 0, run.text()
        pair.check()


def test_the_ledgers_sessions_are_killed_again_and_again(play, server):
    with Pair(play) as pair:
        run = pair.run("run")
        kills = 0
        while run.process.poll() is None:
            server.sql(play.database, "select count(pg_terminate_backend(pid)) from "
                                      "pg_stat_activity where datname = current_database() and "
                                      "pid <> pg_backend_pid()")
            kills += 1
        assert run.wait() == 0, run.text()
        assert kills > 1
        pair.check()
        assert pair.leader.process.poll() is None, pair.leader.text()


def test_a_database_that_is_away_for_longer_than_a_lease_ends_its_leader(play, server, tmp_path):
    with ThrowawayPostgres() as other:
        other.sql("postgres", "create database ledger")
        play.ledger = (f'ledger: {{url: "postgresql://127.0.0.1:{other.port}/ledger", '
                       f'user: {other.USER}, password: "${{LEDGER_PASSWORD}}"}}')
        play.configure()
        with Pair(play, failpoints="delta.before_put=3:hold") as pair:
            run = pair.run("run")
            pair.leader.wait_for_hold("delta.before_put")
            other.process.send_signal(signal.SIGSTOP)
            for session in children(other.process.pid):
                os.kill(session, signal.SIGSTOP)
            assert pair.leader.wait() == 4, pair.leader.text()
            play.check_nothing_false()
            for stopped in [other.process.pid, *children(other.process.pid)]:
                os.kill(stopped, signal.SIGCONT)
            pair.standby.wait_for(LEADS)
            assert run.wait() in (0, 4), run.text()
            again = pair.run("run")
            assert again.wait() == 0, again.text()
            pair.check()


def children(pid):
    tasks = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in tasks]


def test_a_run_without_a_coordinator_leads_itself_and_others_attach(play, server):
    first = play.start("run", failpoints="delta.before_put=3:hold")
    with first:
        first.wait_for_hold("delta.before_put")
        second = play.start("run")
        with second:
            second.wait_for("done")
            assert first.kill() == KILLED
            assert second.wait() == 0, second.text()
    play.check()
    play.run("verify")
    assert not (play.state / "ledger.db").exists()


def test_what_looks_at_the_ledger_looks_into_the_database(play, server):
    play.run("run")
    assert "t_full" in play.run("status").text()
    play.run("fsck")
    with Pair(play) as pair:
        at_standby = play.run("--coordinator", f"127.0.0.1:{pair.standby_port}", "status")
        assert "t_full" in at_standby.text()
        play.run("fsck")
        play.run("run")


def test_a_ledger_in_a_database_is_healed(play, server):
    play.run("run")
    before = server.sql(play.database, "select ledger_id from headwater_ledger", "-At")
    server.sql(play.database, "truncate headwater_events, headwater_snapshots")
    assert "missing" in play.run("run", expect=2).text()
    healed = play.run("state", "heal", "--yes", expect=None)
    assert healed.wait() in (0, 1), healed.text()
    assert server.sql(play.database, "select ledger_id from headwater_ledger", "-At") != before
    assert server.sql(play.database, "select count(*) from pg_tables where tablename like "
                                     "'headwater_events_before_heal_%'", "-At").strip() == "1"
    play.check_settles()


def test_a_ledger_moves_into_the_database(play, server):
    database, play.ledger = play.ledger, ""
    play.configure()
    play.run("run")
    before = play.run("state", "export").stdout
    play.ledger = database
    play.configure()
    moved = play.run("ledger", "migrate", "--yes")
    assert "moved" in moved.text()
    assert not (play.state / "ledger.db").exists()
    assert len(list(play.state.glob("ledger.db.migrated-*Z"))) == 1
    assert play.run("state", "export").stdout == before
    versions = play.versions("t")
    play.run("run")  # Nothing is read again.
    assert play.versions("t") == versions
    play.check_settles()
    assert "no ledger" in play.run("ledger", "migrate", "--yes", expect=None).text()
    play.ledger = ""
    play.configure()
    refused = play.run("run", expect=None)  # Who goes back by mistake is stopped by the tables.
    assert refused.process.returncode != 0, refused.text()


def test_no_password_is_shown_or_kept(play, server):
    wrong = play.ledger.replace("${LEDGER_PASSWORD}", "written-out")
    (play.folder / "wrong.yaml").write_text(
        (play.folder / "headwater.yaml").read_text().replace(play.ledger, wrong))
    refused = play.run("-c", "wrong.yaml", "run", expect=2)
    assert "written out" in refused.text() and "written-out" not in refused.text()
    os.environ["LEDGER_PASSWORD"] = "open-sesame"
    try:
        refused = play.run("run", expect=None)
        assert refused.process.returncode in (2, 4)
        assert "open-sesame" not in refused.text()
        assert "authentication failed" in refused.text()
    finally:
        os.environ["LEDGER_PASSWORD"] = server.PASSWORD
