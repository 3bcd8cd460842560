"""What ended runs did is kept: first in the ledger, then in Parquet, and no run is lost or doubled.

Time is not waited for: runs follow each other until something is older than what is kept.
"""

import json

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest
from playground import Playground

CRASHED = 137
MOST_RUNS = 60  # Until some are older than a second.


class Past(Playground):
    """One table whose runs are kept in the ledger for a second."""

    def __init__(self, folder, keep="1s"):
        super().__init__(folder, servers=("a",), rows=70, days=2,
                         tables=("{from: f/t, target_table: t_full, strategy: full}",))
        self.keep(keep)

    def keep(self, keep):
        self.configure()
        with (self.folder / "headwater.yaml").open("a") as config:
            config.write(f"history: {{keep: {keep}}}\n")

    def files(self):
        return sorted((self.state / "history").glob("*.parquet"))

    def history(self, *words):
        answer = self.last_json(self.run("-o", "json", "history", "--last", "1000", *words))
        assert not answer["problems"] and not answer["more"], answer
        return answer["runs"]

    def by_id(self):
        runs = {run.pop("run_id"): run for run in self.history()}
        for run in runs.values():
            del run["archived"]
        return runs

    def run_until_archived(self, known, files=1, **options):
        """Runs, and what of the past is known before each: the last one archives."""
        for _ in range(MOST_RUNS):
            if len(self.files()) >= files:
                return
            self.run("run", **options)
            known.update(self.by_id())
        raise AssertionError(f"nothing was archived by {MOST_RUNS} runs")

    def query(self, sql):
        return duckdb.sql(sql.format(files=self.state / "history" / "*.parquet")).fetchall()


@pytest.fixture
def past(tmp_path):
    return Past(tmp_path / "play")


def test_what_is_archived_is_shown_as_it_was(past):
    past.run("run")
    past.change("a", "UPDATE t SET v = coalesce(v, 0) + 1 WHERE id < 7")
    past.run("backfill", "a/t", "--from", "2013-01-01", "--to", "2013-01-02", expect=None)
    known = past.by_id()
    past.run_until_archived(known, files=2)
    now = past.by_id()
    assert {run: now[run] for run in known} == known
    archived = [run["run_id"] for run in past.history() if run["archived"]]
    assert archived and set(archived) < set(known)
    # The newest run of a dataset stays in the ledger: `status` and `retry` know it.
    assert not past.history()[0]["archived"]
    rows = past.query("SELECT run_id FROM '{files}'")
    assert sorted(rows) == sorted((run,) for run in archived), "each is in one file, once"


def test_other_engines_read_the_files(past):
    known = {}
    past.run_until_archived(known)
    (first, *_) = past.files()
    table = pyarrow.parquet.read_table(first)
    schema = table.schema
    assert schema.field("started_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("ended_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("rows_read").type == pa.int64()
    row = table.to_pylist()[0]
    shown = known[row["run_id"]]
    (dataset,) = shown["datasets"]
    assert (row["server"], row["target_table"]) == ("a", "t_full")
    assert row["rows_read"] == int(dataset["rows_read"]) == 70
    assert row["ended_at"].strftime("%Y-%m-%dT%H:%M:%S") == shown["ended"][:19]
    assert (row["kind"], row["run_result"], row["result"]) == ("incremental", "done", "done")
    assert row["problems"] == [] and row["retry_of"] is None
    # The one-liner of docs/runs.md.
    ((server, day, read),) = past.query(
        "SELECT server, count(DISTINCT ended_at::DATE), sum(rows_read) FROM '{files}' "
        "WHERE run_result = 'done' GROUP BY ALL")
    assert server == "a" and day >= 1 and read == 70 * len(
        [run for run in past.history() if run["archived"]])


@pytest.mark.parametrize("place", ["archive.after_put", "store.before_rename"])
def test_a_crash_between_file_and_ledger_loses_and_doubles_nothing(past, place):
    known = {}
    for _ in range(MOST_RUNS):
        ended = past.run("run", expect=None, failpoints=f"{place}=crash")
        known.update(past.by_id())
        if ended.process.returncode == CRASHED:
            break
    assert ended.process.returncode == CRASHED
    past.run_until_archived(known, files=len(past.files()) + 1)
    now = past.by_id()
    assert {run: now[run] for run in known} == known
    ((rows, runs),) = past.query("SELECT count(*), count(DISTINCT run_id) FROM '{files}'")
    assert rows == runs
    assert not list((past.state / "history").glob(".tmp-*"))


def test_a_coordinator_archives_by_itself_and_shows_it(past):
    for _ in range(3):
        past.run("run")
    known = past.by_id()
    with past.start("coordinator", "--listen", "127.0.0.1:0") as coordinator:
        coordinator.wait_for("listening at")
        for _ in range(MOST_RUNS * 10):
            if all(run["archived"] for run in past.history()[1:]):
                break
        now = past.by_id()
        assert now == known and past.files()
        assert [run["run_id"] for run in past.history("t_full")] == [
            run["run_id"] for run in past.history()]
        assert past.history("--to", "2013-01-01") == []
        coordinator.end()
    assert past.by_id() == known


def test_a_folder_that_takes_no_files_stops_nothing(past):
    (past.state).mkdir(exist_ok=True)
    (past.state / "history").write_text("this is no folder")
    said = ""
    for _ in range(MOST_RUNS):
        said = past.run("run").text()
        if "not archived" in said:
            break
    assert "not archived; they stay in the ledger" in said
    runs = past.last_json(past.run("-o", "json", "history", expect=None))["runs"]
    assert len(runs) >= 2
    (past.state / "history").unlink()
    past.run_until_archived({})
    assert {run["run_id"] for run in runs} <= set(past.by_id())


def test_nothing_else_minds_the_folder(past):
    known = {}
    past.run_until_archived(known)
    past.run("gc")
    past.run("fsck")
    past.run("state", "show")
    assert past.files(), "it is nobody's garbage"
    for path in past.state.glob("ledger.db*"):
        path.unlink()
    past.run("state", "heal", "--yes")
    past.run("run")
    past.run("fsck")
    now = past.by_id()
    archived = {row for (row,) in past.query("SELECT run_id FROM '{files}'")}
    assert archived and {run: now[run] for run in archived} == {run: known[run] for run in archived}


def test_people_see_a_line_for_each_run(past):
    past.run("run")
    past.change("a", "ALTER TABLE t RENAME TO gone")
    past.run("run", expect=None)
    said = past.run("history").text()
    header, failed, done = said.splitlines()[:3]
    assert header.split()[:2] == ["RUN", "KIND"]
    assert failed.split()[-1] == "FAILED" and done.split()[-1] == "done", said
    assert "a/t" in said.split("\n\n")[1], "and what went wrong"
    assert json.loads(past.run("-o", "json", "history").stdout[-1])["schema"] == (
        "headwater.history/v1")
