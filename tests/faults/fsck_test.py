"""`fsck` finds each thing that is made wrong by hand, and nothing while all is well: beside loads too."""

import json
import os
import random
import shutil
import urllib.parse

import pytest
from playground import FIRST_DAY, KILLED, TABLES, Playground
from playground import datetime as times

SEED = int(os.environ.get("HEADWATER_FAULT_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = int(os.environ.get("HEADWATER_FAULT_FSCKS", 6))
KEYED = ("{from: f/t, target_table: t_key, strategy: incremental, cursor: at, cursor_timezone: UTC,"
         " unit: 10d, write: merge, key: [id], delete_missing: hard}")
BAD = ("{from: f/t, target_table: t_bad, strategy: incremental, cursor: at, cursor_timezone: UTC,"
       " unit: 1d, on_bad_row: quarantine}")
ALL = ["t", "t_full", "t_inc", "t_key"]


@pytest.fixture
def playground(tmp_path):
    play = Playground(tmp_path / "play", rows=600, tables=(*TABLES, KEYED))
    play.run("run")
    return play


def fsck(playground, *words, expect=0):
    report = playground.last_json(playground.run("-o", "json", "fsck", *words, expect=expect))
    found = [v for table in report["tables"] for v in table["violations"]]
    assert (expect == 5) == bool(found), report
    return report, found


class Log:
    """The entries of a table's log, to be changed by hand."""

    def __init__(self, playground, table):
        self.folder = playground.lake / table
        self.live = {}  # The entry's file and line, by the action's path.
        for path in sorted((self.folder / "_delta_log").glob("*.json")):
            for number, line in enumerate(path.read_text().splitlines()):
                action = json.loads(line)
                if "remove" in action:
                    self.live.pop(action["remove"]["path"], None)
                if "add" in action:
                    self.live[action["add"]["path"]] = (path, number)

    def first(self):
        return next(iter(self.live))

    def file(self):
        return self.folder / urllib.parse.unquote(self.first())

    def change(self, what):
        """Calls `what` with the first live add action, and writes what it made of it."""
        path, number = self.live[self.first()]
        lines = path.read_text().splitlines()
        action = json.loads(lines[number])
        what(action["add"])
        lines[number] = json.dumps(action)
        path.write_text("\n".join(lines) + "\n")


def with_rows(add, rows):
    stats = json.loads(add["stats"])
    stats["numRecords"] += rows
    add["stats"] = json.dumps(stats)


def add_row(playground, number):
    at = FIRST_DAY + times.timedelta(days=20, minutes=number)
    for server in playground.servers:
        playground.change(server, "INSERT INTO t VALUES (?, ?, ?, ?)", 900_000 + number, str(at),
                          1.5, f"new {number}")


def test_a_clean_system_is_called_clean_and_nothing_is_written(playground):
    before = {path: path.stat().st_mtime_ns for path in playground.lake.rglob("*")}
    report, _ = fsck(playground)
    assert [t["table"] for t in report["tables"]] == sorted(ALL)
    for table in report["tables"]:
        assert (int(table["datasets"]), int(table["rows"])) == (2, 1200), table
        assert int(table["files"]) > 0 and int(table["claims"]) == 0, table
    assert {path: path.stat().st_mtime_ns for path in playground.lake.rglob("*")} == before
    text = " ".join(playground.run("fsck", "t_inc").text().split())
    assert "nothing wrong was found in 1 table" in text


def test_without_a_ledger_nothing_is_called_clean(playground):
    shutil.rmtree(playground.state)
    playground.run("fsck", expect=2)


@pytest.mark.parametrize("table", ALL)
def test_a_file_that_is_gone_is_named(playground, table):
    file = Log(playground, table).file()
    file.unlink()
    _, (found,) = fsck(playground, expect=5)
    assert (found["invariant"], found["where"]) == ("I7", str(file))
    assert found["found"] == "no file" and "state reset" in found["advice"]


def test_a_file_that_was_cut_is_named(playground):
    file = Log(playground, "t_inc").file()
    size = file.stat().st_size
    os.truncate(file, size - 7)
    _, (found,) = fsck(playground, "t_inc", expect=5)
    assert found["expected"] == f"{size} bytes" and found["found"] == f"{size - 7} bytes"
    _, found = fsck(playground, "t_full")
    assert not found, "it was not asked for the other table"


def test_what_fsck_advises_for_a_lost_file_helps(playground):
    log = Log(playground, "t_inc")
    log.file().unlink()
    _, (found,) = fsck(playground, expect=5)
    name = f"{found['dataset']['server']}/{found['dataset']['table']}"
    playground.run("state", "reset", name, "--yes")
    playground.run("run")
    fsck(playground)
    playground.check(tables=ALL)


@pytest.mark.parametrize("table", ALL)
def test_a_file_without_our_tags_is_found(playground, table):
    log = Log(playground, table)
    log.change(lambda add: add["tags"].pop("headwater.fence"))
    _, found = fsck(playground, expect=5)
    assert "I2" in {violation["invariant"] for violation in found}
    assert any("repair --adopt" in violation["advice"] for violation in found)


@pytest.mark.parametrize("table, what", [
    ("t", lambda add: with_rows(add, 1)),
    ("t_key", lambda add: with_rows(add, -1)),
    ("t_inc", lambda add: add["tags"].update({"headwater.fence": "1"})),
    ("t_inc", lambda add: add["tags"].update({"headwater.sum": "0" * 32})),
    ("t_full", lambda add: add["tags"].update({"headwater.rows": "7"})),
])
def test_an_action_that_was_edited_differs_from_the_ledger(playground, table, what):
    Log(playground, table).change(what)
    _, (found,) = fsck(playground, expect=5)
    assert found["invariant"] == "I4" and found["dataset"]["table"] == table


def test_rows_that_show_twice_are_found(playground):
    log = Log(playground, "t_inc")
    path, number = log.live[log.first()]
    action = json.loads(path.read_text().splitlines()[number])
    start, end = map(int, action["add"]["tags"]["headwater.piece"].split(":")[1:])
    action["add"]["tags"]["headwater.piece"] = f"range:{start + 1}:{end}"
    twin = log.file().with_name(log.file().name.replace(".parquet", "-2.parquet"))
    shutil.copy(log.file(), twin)
    action["add"]["path"] = action["add"]["path"].replace(".parquet", "-2.parquet")
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(action) + "\n")
    _, found = fsck(playground, expect=5)
    assert {violation["invariant"] for violation in found} == {"I1"}


def test_a_file_that_nobody_can_explain_is_found(playground):
    (playground.lake / "t_inc" / "notes.txt").write_text("whose is this?")
    _, (found,) = fsck(playground, expect=5)
    assert found["invariant"] == "I7" and "1 files" in found["found"]


def test_a_table_of_another_ledger_is_found(playground):
    def give_away(path):
        path.write_text(path.read_text().replace('"headwater.ledger":"',
                                                 '"headwater.ledger":"another-'))
    give_away(playground.lake / "t" / "_delta_log" / f"{0:020}.json")
    _, found = fsck(playground, expect=5)
    assert [violation["invariant"] for violation in found] == ["owner"]


def test_a_table_that_is_gone_or_older_is_found(playground):
    shutil.copytree(playground.lake / "t_inc", playground.folder / "older")
    add_row(playground, 1)
    playground.run("run")
    fsck(playground)
    shutil.rmtree(playground.lake / "t_inc")
    _, (found,) = fsck(playground, expect=5)
    assert found["invariant"] == "I4" and found["found"] == "no table"
    (playground.folder / "older").rename(playground.lake / "t_inc")
    _, (found,) = fsck(playground, expect=5)
    assert found["invariant"] == "I4" and "version" in found["found"]


def test_a_ledger_that_is_older_than_its_tables_is_found(playground):
    shutil.copytree(playground.state, playground.folder / "older")
    add_row(playground, 1)
    playground.run("run")
    shutil.rmtree(playground.state)
    (playground.folder / "older").rename(playground.state)
    _, found = fsck(playground, expect=5)
    assert {violation["invariant"] for violation in found} == {"I8"}
    assert all("state heal" in violation["advice"] for violation in found)
    playground.run("state", "heal", "--yes")
    fsck(playground)
    playground.check_settles(tables=ALL)
    fsck(playground)


def test_what_dead_attempts_left_is_explained(playground):
    add_row(playground, 1)
    playground.run("run", expect=137, failpoints="delta.before_put=1:crash")
    fsck(playground)
    playground.run("run")
    fsck(playground)


def test_a_commit_without_an_outcome_is_no_violation(playground):
    add_row(playground, 1)
    playground.run("run", expect=137, failpoints="delta.after_put=1:crash")
    report, _ = fsck(playground)
    assert any("outcome" in note for table in report["tables"] for note in table["notes"])
    playground.run("run")
    report, _ = fsck(playground)
    assert not any(table["notes"] for table in report["tables"])


def test_a_clean_system_is_clean_while_it_loads(tmp_path):
    print(f"seed {SEED} (HEADWATER_FAULT_SEED={SEED})")
    draw = random.Random(SEED)
    play = Playground(tmp_path / "play", rows=600, tables=(*TABLES, KEYED, BAD))
    beside = 0
    with play.start("coordinator", "--listen", "127.0.0.1:0") as coordinator:
        address = coordinator.wait_for(r"listening at (127\.0\.0\.1:\d+)")[1]
        with play.start("worker", "--coordinator", address):
            for number in range(ROUNDS):
                for i in range(5):
                    add_row(play, 10 * number + i)
                play.change("a", "INSERT INTO t VALUES (?, ?, 1, 'bad')", f"no number {number}",
                            str(FIRST_DAY + times.timedelta(days=draw.randrange(20))))
                window = ("backfill", "--from", "2013-01-01", "--to", "2013-01-21", "*/t_bad",
                          "*/t", "*/t_inc")
                words = window if draw.random() < 0.5 else ("run",)
                with play.start(*words, "--coordinator", address) as load:
                    while load.process.poll() is None:
                        report, _ = fsck(play)
                        beside += any(int(t["claims"]) > 0 for t in report["tables"])
                fsck(play)
        assert coordinator.end() in (0, KILLED)
    fsck(play)
    print(f"{beside} times something was being loaded")
    assert beside > 0
