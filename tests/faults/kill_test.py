"""kill -9 of an embedded run, anywhere: the next run ends with the rows of an undisturbed one."""

import os
import random
import subprocess
import time
from collections import Counter

import pytest
from playground import KILLED, Playground

SEED = int(os.environ.get("HEADWATER_FAULT_SEED", random.SystemRandom().randrange(1 << 32)))
KILLS = int(os.environ.get("HEADWATER_FAULT_KILLS", 25))

# Every commit of the 20 days of t writes a log entry; checkpoints come at each 50th version.
PLACES = ["delta.before_put", "store.before_link", "store.after_link", "delta.after_put"]
CHECKPOINT_PLACES = ["delta.before_checkpoint", "delta.during_checkpoint"]


def test_kills_at_random_moments_lose_and_repeat_nothing(tmp_path):
    print(f"seed {SEED} (HEADWATER_FAULT_SEED={SEED})")
    draw = random.Random(SEED)
    measured = Playground(tmp_path / "undisturbed")
    begun = time.monotonic()
    measured.run("run")
    whole = time.monotonic() - begun
    measured.check()

    play, killed, tries = Playground(tmp_path / "try0"), 0, 0
    while killed < KILLS and tries < 6 * KILLS:
        tries += 1
        with play.start("run") as run:
            try:
                code = run.process.wait(timeout=draw.uniform(0.0, whole))
            except subprocess.TimeoutExpired:
                code = run.kill()
            # Both are right: the moment is drawn, and a run may have ended before it.
            assert code in (0, KILLED), f"seed {SEED}: exit {code}\n{run.text()}"
            ended = code == 0
            killed += not ended
        play.check_nothing_false()
        if ended or draw.random() < 0.3:  # Else the next kill meets what this one left.
            play.check_settles()
            play = Playground(tmp_path / f"try{tries}")
    play.check_settles()
    assert killed == KILLS, f"seed {SEED}: only {killed} of {tries} runs were killed in time"


@pytest.mark.parametrize("occurrence", [1, 2, 4])
@pytest.mark.parametrize("place", PLACES)
def test_a_crash_around_the_commit_is_made_good(playground, place, occurrence):
    playground.run("run", expect=137, failpoints=f"{place}={occurrence}:crash")
    playground.check_nothing_false()
    playground.check_settles()


@pytest.mark.parametrize("place", CHECKPOINT_PLACES)
def test_a_crash_around_the_checkpoint_is_made_good(playground, place):
    """Rows of one day change until t has the 50 versions after which it is checkpointed."""
    crashed = False
    for step in range(80):
        playground.change("a", "UPDATE t SET v = ? WHERE id = 1999", step / 16)
        code = playground.run("run", expect=None, failpoints=f"{place}=crash").process.returncode
        if code == 137:
            crashed = True
            break
        assert code == 0
    assert crashed, f"{place} was never reached; t is at version {playground.versions('t')}"
    ids = Counter((server, id_) for server, id_, *_ in playground.lake_rows("t").elements())
    assert max(ids.values()) == 1  # Of the changed row either state may still be the visible one.
    playground.configure(tables=playground.tables[:2])  # t_inc has no lookback: it keeps the first.
    playground.check_settles(tables=["t", "t_full"])


def test_crashes_in_a_row_do_not_add_up(playground):
    for step, place in enumerate(PLACES * 2):
        # t_full is read and written again by each run: all of them come to a commit.
        playground.change("a", "INSERT INTO t VALUES (?, '2013-01-20 12:00:00', 1.5, 'new')",
                          9000 + step)
        playground.run("run", expect=137, failpoints=f"{place}=crash")
        playground.check_nothing_false()
    playground.check_settles()


def test_a_killed_run_is_finished_by_the_next(playground):
    with playground.start("run", "t_inc", failpoints="delta.before_put=2:hold") as run:
        run.wait_for_hold("delta.before_put")
        playground.check_partly_loaded("t_inc")
        assert run.kill() == KILLED
    playground.check_settles()
    before = {table: playground.versions(table) for table in ("t", "t_full", "t_inc")}
    playground.run("run")
    assert before == {table: playground.versions(table) for table in before}, (
        "a run with nothing new wrote a version")
