"""Several commands on one ledger: one owns it, others attach, and take over when the owner dies."""

import pytest
from playground import KILLED, Playground


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
    with play.start("run") as host:
        host.wait_for(r"a/t")
        with play.start("run", "t_full") as other:
            assert other.wait() == 0, other.text()
        assert host.wait() == 0, host.text()
    play.check()


def test_runs_that_start_at_once_share_one_ledger(play):
    started = [play.start("run") for _ in range(4)]
    try:
        assert [run.wait() for run in started] == [0] * 4, "\n".join(r.text() for r in started)
    finally:
        for run in started:
            run.__exit__()
    play.check()


def test_an_attached_command_takes_over_from_a_killed_host(play):
    with play.start("run") as host:
        host.wait_for(r"a/t")
        with play.start("run") as other:
            other.wait_for(r"a/t")
            assert host.kill() in (KILLED, 0)
            assert other.wait() == 0, other.text()
    play.check()
    play.run("verify")


def test_another_configuration_does_not_attach(play):
    with play.start("coordinator", "--listen", "127.0.0.1:0") as host:
        host.wait_for("listening at")
        play.configure(tables=play.tables[:1])
        refused = play.run("run", expect=2)
        assert "configuration" in refused.text()
        assert host.process.poll() is None
