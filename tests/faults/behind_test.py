"""A lake that was lost, restored from an older copy, or thinned out by another writer, while the
ledger that filled it lives on: rows that were published are not there, and that must be said."""

import contextlib
import datetime
import json
import shutil

import deltalake
import pyarrow as pa
import pytest
from playground import FIRST_DAY, Playground

TABLES = ["t", "t_full", "t_inc"]
BACKFILL = ["backfill", "--from", "2012-12-01", "--to", "2013-02-01"]


@pytest.fixture
def playground(tmp_path):
    return Playground(tmp_path / "play", rows=400)


@contextlib.contextmanager
def live_coordinator(playground):
    """A coordinator with a worker, to which every command in the playground's folder attaches."""
    with playground.start("coordinator", "--listen", "127.0.0.1:0") as coordinator:
        address = coordinator.wait_for(r"listening at (127\.0\.0\.1:\d+)")[1]
        with playground.start("--coordinator", address, "worker", "--name", "w"):
            yield


def add_row(playground, number):
    playground.change("a", "INSERT INTO t VALUES (?, ?, ?, ?)", 900_000 + number,
                      str(FIRST_DAY + datetime.timedelta(days=20, minutes=number)), 1.5, "new")


def one_line(ended):
    return " ".join(ended.text().split())


def check_refused(playground, ended, found, tables=TABLES):
    text = one_line(ended)
    for table in tables:
        said = f"table {table}, folder {playground.lake / table}: the table is behind its ledger"
        assert text.count(said) == 1, text
        refusal = text.split(said)[1].split("FAILED")[0]
        for words in ("Expected version", found, "Restore the folder", ".headwater"):
            assert words in refusal, refusal


def check_said_everywhere(playground, found):
    """`run` with nothing new and with a new row, `verify` and `status`; nothing is written."""
    check_refused(playground, playground.run("run", expect=1), found)
    add_row(playground, 1)
    check_refused(playground, playground.run("run", expect=1), found)
    check_refused(playground, playground.run(*BACKFILL, expect=1), found)
    verified = playground.run("verify", expect=None)
    assert verified.process.returncode in (1, 5), "refused, and t_full differs by the new row"
    assert "behind its ledger" in one_line(verified)
    assert "behind its ledger" in one_line(playground.run("status"))


def test_a_lost_lake_is_not_taken_for_an_empty_one(playground):
    playground.run("run")
    playground.lake.rename(playground.folder / "away")
    check_said_everywhere(playground, "found: no table")
    assert not playground.lake.exists() or not list(playground.lake.rglob("*.json"))
    # Restored, it goes on.
    shutil.rmtree(playground.lake, ignore_errors=True)
    (playground.folder / "away").rename(playground.lake)
    playground.check_settles()


def test_a_lost_lake_is_loaded_again_once_its_ledger_is_gone_as_well(playground):
    playground.run("run")
    shutil.rmtree(playground.lake)
    playground.run("run", expect=1)
    shutil.rmtree(playground.state)
    playground.check_settles()


def test_an_older_copy_of_the_lake_is_refused(playground):
    playground.run("run")
    copy = playground.folder / "copy"
    shutil.copytree(playground.lake, copy)
    add_row(playground, 0)
    playground.run("run")
    newer = playground.folder / "newer"
    playground.lake.rename(newer)
    shutil.copytree(copy, playground.lake)
    check_said_everywhere(playground, "found: version ")
    shutil.rmtree(playground.lake)
    newer.rename(playground.lake)
    playground.check_settles()


def test_a_live_coordinator_notices_that_its_lake_is_gone(playground):
    with live_coordinator(playground):
        playground.run("run")
        away = playground.folder / "away"
        playground.lake.rename(away)
        check_said_everywhere(playground, "found: no table")
        assert not playground.lake.exists() or not list(playground.lake.rglob("*.json"))
        shutil.rmtree(playground.lake, ignore_errors=True)
        away.rename(playground.lake)
        playground.check_settles()


def test_a_foreign_folder_that_is_moved_away_is_forgotten_by_a_live_coordinator(playground):
    with live_coordinator(playground):
        make_foreign(playground.lake / "t")
        assert "did not make" in one_line(playground.run("run", expect=1))
        (playground.lake / "t").rename(playground.folder / "theirs")
        playground.check_settles()


def make_foreign(folder):
    deltalake.write_deltalake(folder, pa.table({"theirs": ["x", "y"]}))


def remove_one_file(playground, table):
    """What another writer's commit does that has nothing but a `remove`."""
    log = playground.lake / table / "_delta_log"
    live, last = {}, 0
    for version in sorted(log.glob("*.json")):
        last = int(version.stem)
        for line in version.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                live[action["add"]["path"]] = action["add"]
            if "remove" in action:
                live.pop(action["remove"]["path"], None)
    path, add = sorted(live.items())[0]
    remove = {"remove": {"path": path, "deletionTimestamp": 1, "dataChange": True,
                         "partitionValues": add["partitionValues"], "size": add["size"]}}
    (log / f"{last + 1:020d}.json").write_text(json.dumps(remove) + "\n")


def test_files_that_another_writer_removed_are_seen_and_read_again(playground):
    playground.run("run")
    for command in ["run"], BACKFILL:
        for table in ("t", "t_inc"):
            remove_one_file(playground, table)
        for _ in range(2):  # It stays true until a run mends it.
            text = one_line(playground.run("verify", expect=5))
            assert text.count("its files are gone from the table") == 2, text
        playground.run(*command)
        playground.check()
        playground.run("verify")
