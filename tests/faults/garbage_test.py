"""What tables no longer need goes in time, whatever breaks meanwhile, and nothing else does.

Time is not waited for: what has happened is made older, in the log and in the files' times.
"""

import json
import os
import sys
import time
from pathlib import Path

import deltalake
import pytest
from playground import Playground

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))
from readers import READERS, compare_tables, normalised  # noqa: E402

DAY = 86_400
TABLE = "{from: f/t, target_table: t_full, strategy: full}"


class Aging(Playground):
    """One table that is replaced whole whenever something has changed."""

    def __init__(self, folder, **options):
        super().__init__(folder, servers=("a",), rows=70, days=2, tables=(TABLE,))
        self.run("run", **options)

    @property
    def table(self):
        return self.lake / "t_full"

    def replace(self, **options):
        self.change("a", "UPDATE t SET v = coalesce(v, 0) + 1")
        return self.run("run", **options)

    def files(self):
        return {str(path.relative_to(self.table)) for path in self.table.rglob("*.parquet")
                if "_delta_log" not in path.parts}

    def live(self):
        return {str(Path(path).relative_to(self.table)) for path
                in deltalake.DeltaTable(self.table).file_uris()}

    def log(self):
        return sorted(path.name for path in (self.table / "_delta_log").glob("0*"))

    def age(self, days):
        """All that has happened happened so much earlier."""
        for path in self.table.rglob("*"):
            if path.is_file():
                before = path.stat().st_mtime - days * DAY
                if path.suffix == ".json":
                    self._age_removals(path, days)
                os.utime(path, (before, before))

    @staticmethod
    def _age_removals(path, days):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            for action, key in (("remove", "deletionTimestamp"), ("commitInfo", "timestamp")):
                if action in line:
                    line[action][key] -= days * DAY * 1000
        text = "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n"
                       for line in lines)
        path.write_text(text)

    def gc(self, *words, **options):
        return self.last_json(self.run("-o", "json", "gc", *words, **options))["tables"][0]


@pytest.fixture
def aging(tmp_path):
    return Aging(tmp_path / "play")


def number(shown, name):
    return int(shown.get(name, 0))


def test_replaced_files_go_after_their_time_and_readers_within_it_go_on(aging):
    first = normalised(deltalake.DeltaTable(aging.table).to_pyarrow_table())
    aging.replace()
    aging.age(5)
    within = deltalake.DeltaTable(aging.table, version=0)  # A long reader of an old version.
    assert number(aging.gc(), "files") == 0
    assert compare_tables(first, normalised(within.to_pyarrow_table())) is None
    aging.age(3)
    told = aging.gc("--dry-run")
    (item,) = told["items"]
    assert "replaced more than 7 d ago" in item["why"] and int(item["age_seconds"]) > 7 * DAY
    assert aging.files() - aging.live() == {str(Path(item["path"]).relative_to(aging.table))}
    assert number(aging.gc(), "files") == 1
    assert aging.files() == aging.live()
    aging.check(tables=["t_full"])
    aging.run("verify")


def test_a_run_does_it_by_itself_at_its_end_once_an_hour(tmp_path):
    aging = Aging(tmp_path / "play", expect=137, failpoints="gc.before_look=crash")
    aging.replace(expect=137, failpoints="gc.before_look=crash")  # After its report.
    aging.age(8)
    assert len(aging.files()) == 2
    aging.run("run")
    assert aging.files() == aging.live()
    aging.replace()
    aging.age(8)
    aging.run("run")
    assert len(aging.files()) == 2  # Not again at once, also not by another process;
    aging.gc()
    assert aging.files() == aging.live()  # a person need not wait.


def test_nobody_waits_for_what_is_done_after_a_report(tmp_path):
    aging = Aging(tmp_path / "play", expect=137, failpoints="gc.before_look=crash")
    with aging.start("run", failpoints="gc.before_look=hold") as held:
        held.wait_for_hold("gc.before_look")
        # Its report is out, and others can use it as if nothing were going on.
        assert "done" in held.text()
        aging.run("status")
        aging.run("run")
        held.kill()


def test_people_are_told_in_a_table(aging):
    aging.replace()
    aging.age(8)
    said = aging.run("gc", "--dry-run").text()
    assert "would remove 1 file and 0 log entries" in said and "replaced more than" in said, said
    said = aging.run("gc").text()
    assert "removed 1 file and 0 log entries" in said, said
    assert "in the table" in said, said


@pytest.mark.parametrize("place", ["gc.before_delete=crash", "gc.before_delete=2:crash"])
def test_a_crash_in_the_middle_is_made_good(aging, place):
    for _ in range(3):
        aging.replace()
    aging.age(8)
    aging.run("gc", expect=137, failpoints=place)
    aging.check(tables=["t_full"])
    aging.gc()
    assert aging.files() == aging.live()
    aging.check_settles(tables=["t_full"])


def test_a_killed_attempts_files_go_and_those_of_one_that_is_staged_do_not(aging):
    aging.change("a", "UPDATE t SET v = 5")
    aging.run("run", expect=137, failpoints="stage.after_sync=crash")
    assert len(aging.files()) == 2
    assert number(aging.gc(), "files") == 0  # Not an hour old.
    aging.age(1)
    assert number(aging.gc(), "files") == 1
    aging.change("a", "UPDATE t SET v = 6")
    before = aging.files()
    aging.run("run", expect=137, failpoints="delta.before_put=crash")
    aging.age(30)  # As if the coordinator had been away for long: the intent is open.
    (staged,) = aging.files() - before
    with aging.start("run", failpoints="delta.before_put=hold") as held:
        held.wait_for_hold("delta.before_put")
        said = aging.last_json(aging.run("-o", "json", "gc"))["tables"][0]
        assert any("not over" in kept["why"] for kept in said["kept"]), said
        assert any("looked up" in kept["why"] for kept in said["kept"]), said
        assert staged in aging.files()
        held.kill()
    aging.check_settles(tables=["t_full"])


def test_what_others_put_there_stays(aging):
    aging.replace()
    (aging.table / "report.parquet").write_bytes(b"mine")
    aging.age(400)
    aging.gc()
    assert (aging.table / "report.parquet").read_bytes() == b"mine"


def test_files_that_cannot_be_removed_are_told_and_the_rest_goes(aging):
    for _ in range(2):
        aging.replace()
    aging.age(8)
    started = aging.run("gc", expect=1, failpoints="gc.before_delete=error:PERMISSION_DENIED")
    assert "FAILED" in started.text() and "gc.before_delete" in started.text()
    assert len(aging.files()) == 2
    aging.gc()
    assert aging.files() == aging.live()


def test_old_entries_of_the_log_go_and_every_reader_reads_the_table(aging):
    for _ in range(52):
        aging.replace()
    assert "00000000000000000050.checkpoint.parquet" in aging.log()
    before = {reader: read(str(aging.table)) for reader, read in READERS.items()}
    aging.age(29)
    assert number(aging.gc(), "log_entries") == 0
    aging.age(2)
    young = time.time()
    os.utime(aging.table / "_delta_log" / "00000000000000000052.json", (young, young))
    assert number(aging.gc(), "log_entries") == 50
    assert aging.log()[0] == "00000000000000000050.checkpoint.parquet", aging.log()
    for reader, rows in before.items():
        assert compare_tables(rows, READERS[reader](str(aging.table))) is None, reader
    # A version within the retention can still be named; and the table goes on.
    assert deltalake.DeltaTable(aging.table, version=52).version() == 52
    aging.replace()
    aging.check_settles(tables=["t_full"])
    for read in READERS.values():
        assert read(str(aging.table)).num_rows == 70


def test_a_table_that_another_writer_restored_keeps_what_came_back(aging):
    first = deltalake.DeltaTable(aging.table).file_uris()
    aging.replace()
    deltalake.DeltaTable(aging.table).restore(0)
    aging.age(400)
    aging.gc()
    assert deltalake.DeltaTable(aging.table).file_uris() == first
    assert all(Path(path).exists() for path in first)


def test_safe_minimums_are_kept(aging):
    text = (aging.folder / "headwater.yaml").read_text()
    (aging.folder / "headwater.yaml").write_text(text + "retention: {files: 5m}\n")
    said = aging.run("validate", expect=2).text()
    assert "'files': at least 1h" in said, said
