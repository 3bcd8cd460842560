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


def commits(play, table="t"):
    return len(list((play.lake / table / "_delta_log").glob("*.json")))


def wait_for_commits(play, run, count):
    """Ends early when the run does, so that a run that fails says so."""
    while commits(play) < count:
        with contextlib.suppress(Exception):
            run.process.wait(timeout=0.005)
        assert run.process.poll() is None, f"ended before {count} commits:\n{run.text()}"


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
        first, _ = cluster.worker("w1"), cluster.worker("w2")
        run = cluster.run()
        wait_for_commits(play, run, 3)
        assert first.kill() == KILLED
        assert run.wait() == 0, run.text()
        play.check()
        play.run("--coordinator", cluster.address, "verify")


@pytest.mark.parametrize("place", ["store.before_link", "store.after_link"])
def test_a_worker_that_dies_while_it_stages_is_replaced(play, place):
    with Cluster(play) as cluster:
        cluster.coordinator()
        dying, _ = cluster.worker("w1", failpoints=f"{place}=2:crash"), cluster.worker("w2")
        run = cluster.run()
        assert run.wait() == 0, run.text()
        play.check()
        assert dying.process.poll() in (None, 137)


def test_a_killed_coordinator_goes_on_at_the_same_address(play):
    with Cluster(play) as cluster:
        coordinator = cluster.coordinator()
        workers = [cluster.worker("w1"), cluster.worker("w2")]
        run = cluster.run()
        wait_for_commits(play, run, 3)
        assert coordinator.kill() == KILLED
        play.check_nothing_false()
        cluster.coordinator()
        assert run.wait() in (0, 4), run.text()
        again = cluster.run()
        assert again.wait() == 0, again.text()
        play.check()
        play.run("--coordinator", cluster.address, "verify")
        assert [w.process.poll() for w in workers] == [None, None], workers[0].text()


@pytest.mark.parametrize("place", ["delta.before_put", "delta.after_put"])
def test_a_coordinator_that_dies_in_a_commit_publishes_it_once(play, place):
    with Cluster(play) as cluster:
        coordinator = cluster.coordinator(failpoints=f"{place}=3:crash")
        cluster.worker("w1"), cluster.worker("w2")
        run = cluster.run()
        assert coordinator.wait() == 137
        cluster.coordinator()
        assert run.wait() in (0, 4), run.text()
        again = cluster.run()
        assert again.wait() == 0, again.text()
        play.check()


def test_nobody_listens(play):
    with Cluster(play) as cluster:
        cluster.coordinator().kill()
        run = cluster.run()
        assert run.wait() == 4, run.text()
        assert cluster.address in run.text()
