"""A coordinator, two workers and a client as processes of their own, and kill -9 of each."""

import contextlib

import pytest
from playground import KILLED, Playground

# Enough microbatches that a kill after the first few commits is in the middle of the run.
ROWS, DAYS = 6000, 60


@pytest.fixture
def play(tmp_path):
    return Playground(tmp_path / "play", rows=ROWS, days=DAYS)


class Cluster:
    """A coordinator on a port of the system's choice and its workers; all end with the block."""

    def __init__(self, play):
        self.play, self.port, self.stack = play, 0, contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        return self.stack.__exit__(*failure)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def coordinator(self, failpoints=""):
        started = self.stack.enter_context(
            self.play.start("coordinator", "--listen", self.address, failpoints=failpoints))
        self.port = int(started.wait_for(r"listening at 127\.0\.0\.1:(\d+)")[1])
        return started

    def worker(self, name, failpoints=""):
        return self.stack.enter_context(self.play.start(
            "--coordinator", self.address, "worker", "--name", name, failpoints=failpoints))

    def run(self):
        return self.stack.enter_context(self.play.start("--coordinator", self.address, "run"))


def test_a_run_without_workers_says_what_it_waits_for(play):
    with Cluster(play) as cluster:
        cluster.coordinator()
        run = cluster.run()
        run.wait_for(r"the coordinator has no worker yet; this waits for one: headwater worker "
                     rf"--coordinator {cluster.address}")
        cluster.worker("w1")
        assert run.wait() == 0
    play.check()


def test_separate_processes_load_what_the_embedded_run_loads(play):
    with Cluster(play) as cluster:
        cluster.coordinator()
        cluster.worker("w1"), cluster.worker("w2")
        run = cluster.run()
        assert run.wait() == 0, run.text()
        play.check()
        play.run("--coordinator", cluster.address, "verify")
    play.run("run")  # The embedded coordinator takes the same ledger and finds nothing to do.
    play.check()


def test_a_killed_worker_leaves_its_work_to_the_other(play):
    with Cluster(play) as cluster:
        cluster.coordinator()
        first = cluster.worker("w1", failpoints="stage.before_close=5:hold")
        run = cluster.run()
        first.wait_for_hold("stage.before_close")  # In a microbatch that it never hands in.
        cluster.worker("w2")
        assert run.process.poll() is None
        assert first.kill() == KILLED
        assert run.wait() == 0, run.text()
        play.check()
        play.run("--coordinator", cluster.address, "verify")


# With a file that has no end yet; with all files durable and nothing said about them.
@pytest.mark.parametrize("place", ["stage.before_close", "stage.after_sync"])
def test_a_worker_that_dies_while_it_stages_is_replaced(play, place):
    with Cluster(play) as cluster:
        cluster.coordinator()
        dying = cluster.worker("w1", failpoints=f"{place}=3:crash")
        run = cluster.run()
        assert dying.wait() == 137, dying.text()
        assert run.process.poll() is None
        cluster.worker("w2")
        assert run.wait() == 0, run.text()
        play.check()


def killed_in_the_middle(play, cluster):
    """Two workers and a run whose coordinator was killed before its third commit."""
    coordinator = cluster.coordinator(failpoints="delta.before_put=3:hold")
    workers = [cluster.worker("w1"), cluster.worker("w2")]
    run = cluster.run()
    coordinator.wait_for_hold("delta.before_put")
    assert run.process.poll() is None
    assert coordinator.kill() == KILLED
    return workers, run


def check_gone_on(play, cluster, workers):
    play.check()
    play.run("--coordinator", cluster.address, "verify")
    assert [w.process.poll() for w in workers] == [None, None], workers[0].text()


def test_a_coordinator_that_is_back_soon_ends_the_run_it_was_killed_in(play):
    with Cluster(play) as cluster:
        workers, run = killed_in_the_middle(play, cluster)
        cluster.coordinator()  # Within the five seconds for which a client asks.
        assert run.wait() == 0, run.text()
        check_gone_on(play, cluster, workers)


def test_a_coordinator_that_stays_away_is_said_so_and_goes_on_when_it_is_back(play):
    with Cluster(play) as cluster:
        workers, run = killed_in_the_middle(play, cluster)
        assert run.wait() == 4, run.text()
        assert cluster.address in run.text()
        play.check_nothing_false()
        cluster.coordinator()
        again = cluster.run()
        assert again.wait() == 0, again.text()
        check_gone_on(play, cluster, workers)


@pytest.mark.parametrize("place", ["delta.before_put", "delta.after_put"])
def test_a_coordinator_that_dies_in_a_commit_publishes_it_once(play, place):
    with Cluster(play) as cluster:
        coordinator = cluster.coordinator(failpoints=f"{place}=3:crash")
        cluster.worker("w1"), cluster.worker("w2")
        run = cluster.run()
        assert coordinator.wait() == 137
        assert run.process.poll() is None
        cluster.coordinator()
        assert run.wait() == 0, run.text()
        play.check()


def test_nobody_listens(play):
    with Cluster(play) as cluster:
        assert cluster.coordinator().kill() == KILLED
        run = cluster.run()
        assert run.wait() == 4, run.text()
        assert cluster.address in run.text()
