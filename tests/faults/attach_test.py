"""Several commands on one ledger: one owns it, others attach, and take over when the owner dies."""

import pytest
from playground import KILLED, TABLES, Playground, wait_until

# The first commit publishes a first few microbatches, the second one is not let through.
SECOND_COMMIT = "delta.before_put"
HELD = f"{SECOND_COMMIT}=2:hold"


@pytest.fixture
def play(tmp_path):
    return Playground(tmp_path / "play", rows=6000, days=60)


def test_a_second_coordinator_is_refused(play):
    with play.start("coordinator", "--listen", "127.0.0.1:0") as first:
        first.wait_for("listening at")
        second = play.run("coordinator", "--listen", "127.0.0.1:0", expect=2)
        assert "ledger.db" in second.text() and "one coordinator per ledger" in second.text()
        assert first.process.poll() is None


def test_a_second_run_attaches(play):
    # Not "t": that is the relation of all three tables, and the held commit might be another's.
    with play.start("run", "t_inc", failpoints=HELD) as host:
        host.wait_for_hold(SECOND_COMMIT)
        with play.start("run", "t_full") as other:  # The held host does it for us.
            assert other.wait() == 0, other.text()
        play.check(tables=["t_full"])
        play.check_partly_loaded("t_inc")
        assert host.kill() == KILLED
    play.check_settles()


def test_runs_that_start_at_once_share_one_ledger(play):
    started = [play.start("run") for _ in range(4)]
    try:
        assert [run.wait() for run in started] == [0] * 4, "\n".join(r.text() for r in started)
    finally:
        for run in started:
            run.__exit__()
    play.check()


def test_an_attached_command_takes_over_from_a_killed_host(play):
    play.configure(tables=TABLES[:1])
    with play.start("run", failpoints=HELD) as host:
        host.wait_for_hold(SECOND_COMMIT)
        with play.start("run") as other:
            wait_until("both runs are live at the host", lambda: live_runs(play) == 2, host, other)
            assert play.commits("t") == 1
            play.check_partly_loaded("t")
            assert host.kill() == KILLED
            assert other.wait() == 0, other.text()
    play.check(tables=["t"])
    play.run("verify")


def test_an_attached_command_takes_over_from_a_host_that_ends(play):
    with play.start("coordinator", "--listen", "127.0.0.1:0") as host:
        host.wait_for("listening at")
        with play.start("run") as other:
            wait_until("the run waits for a worker", lambda: live_runs(play) == 1, host, other)
            assert host.end() == 0
            assert other.wait() == 0, other.text()
    play.check()


def test_who_attaches_to_a_host_that_reads_is_not_told_to_start_workers(play):
    with play.start("run", "t_inc", failpoints=HELD) as host:
        host.wait_for_hold(SECOND_COMMIT)
        with play.start("run", "t_full") as other:
            assert other.wait() == 0, other.text()
            assert "worker" not in "".join(other.stderr)
        assert host.kill() == KILLED


def live_runs(play):
    status = play.run("status")
    return len([line for line in status.stdout if line.rstrip().endswith(" is live")])


def test_another_configuration_does_not_attach(play):
    with play.start("coordinator", "--listen", "127.0.0.1:0") as host:
        host.wait_for("listening at")
        play.configure(tables=play.tables[:1])
        refused = play.run("run", expect=2)
        assert "configuration" in refused.text()
        assert host.process.poll() is None
