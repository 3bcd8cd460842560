"""Rows with a value that does not fit go to the quarantine, and come back when they are mended."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import deltalake
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))
import readers  # noqa: E402

BINARY = os.environ["HEADWATER_BINARY"]
ROWS = 400
BAD = {7: "abc", 8: "12.345", 250: "NaN"}  # Of DECIMAL(10,2), by id.

CONFIG = """
version: 1
servers:
  s: {{url: "odbc:Driver=SQLite3;Database={{config_dir}}/s.db;StepAPI=1;NoCreat=1",
      clock: "SELECT '2013-03-01 00:00:00'"}}
targets: {{lake: {{delta: ./lake}}}}
defaults: {{target: lake, retries: 0, on_bad_row: quarantine{more}}}
tables:
  - {{from: s/t, target_table: inc, strategy: incremental, cursor: at, unit: 10d, key: [id]}}
  - {{from: s/t, target_table: whole, strategy: full}}
"""
TABLES = ("inc", "whole")


class Source:
    def __init__(self, folder, more=""):
        self.folder = folder
        (folder / "headwater.yaml").write_text(CONFIG.format(more=more))
        with self.open() as connection:
            connection.execute("CREATE TABLE t (id INTEGER, at TIMESTAMP, price DECIMAL(10,2), n TEXT)")
            for i in range(ROWS):
                connection.execute("INSERT INTO t VALUES (?, ?, ?, ?)", (
                    i, f"2013-{1 + i // 200:02}-{1 + i % 25:02} 05:00:00", BAD.get(i, i / 4),
                    f'row "{i}"'))

    def open(self):
        return sqlite3.connect(self.folder / "s.db")

    def sql(self, text):
        connection = self.open()
        with connection:
            connection.execute(text)
        connection.close()

    def headwater(self, *command, expect=0, failpoints=""):
        done = subprocess.run([BINARY, *command], cwd=self.folder, text=True, capture_output=True,
                              env=dict(os.environ, HEADWATER_FAILPOINTS=failpoints), timeout=60,
                              check=False)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run_object(self):
        done = subprocess.run([BINARY, "run", "-o", "json", "--progress", "off"], cwd=self.folder,
                              text=True, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return {d["dataset"]["table"]: d for d in json.loads(done.stdout)["datasets"]}

    def ids(self, table):
        rows = deltalake.DeltaTable(str(self.folder / "lake" / table)).to_pyarrow_table()
        return sorted(rows.column("id").to_pylist())

    def quarantine(self, table):
        """The rows that every reader finds there, by id."""
        path = str(self.folder / "lake" / f"{table}__quarantine")
        found = [readers.rows_of(open_table(path)()) for open_table in
                 (readers.open_deltalake, readers.open_duckdb, readers.open_polars)]
        assert found[0] == found[1] == found[2]
        rows = deltalake.DeltaTable(path).to_pyarrow_table().to_pylist()
        return {int(json.loads(row["row"])["id"]): row for row in rows}

    def check(self, bad):
        for table in TABLES:
            assert self.ids(table) == [i for i in range(ROWS) if i not in bad], table
            assert set(self.quarantine(table)) == set(bad), table
        self.headwater("verify")


@pytest.fixture
def source(tmp_path):
    return Source(tmp_path)


def test_each_row_is_in_the_table_or_in_its_quarantine(source):
    said = source.headwater("run")
    assert "BAD ROWS" in said and "3 rows" in said and "inc__quarantine" in said, said
    source.check(BAD)
    row = source.quarantine("inc")[7]
    assert row["server_source"] == "s" and row["column_name"] == "price" and row["value"] == "abc"
    assert json.loads(row["row_key"]) == {"id": "7"}
    assert json.loads(row["row"])["n"] == 'row "7"'
    assert row["reason"] == "expected a decimal(10,2)"
    assert row["_hw_microbatch"].startswith("inc/s@") and row["_hw_loaded_at"] is not None
    shown = source.headwater("status")
    assert "3 rows with a value that does not fit" in " ".join(shown.split()), shown


def test_nothing_new_stays_nothing_new(source):
    source.headwater("run")
    versions = [deltalake.DeltaTable(str(path)).version() for path in
                sorted((source.folder / "lake").iterdir())]
    run = source.run_object()
    assert int(run["whole"].get("microbatches_unchanged", 0)) == 1, run
    assert int(run["inc"].get("rows_written", 0)) == 0, run
    assert versions == [deltalake.DeltaTable(str(path)).version() for path in
                        sorted((source.folder / "lake").iterdir())]
    source.check(BAD)


def test_a_mended_row_moves_to_the_table(source):
    source.headwater("run")
    source.sql("UPDATE t SET price = 1.25 WHERE id IN (7, 250)")
    source.headwater("backfill", "--from", "2013-01-01", "--to", "2013-03-01")
    source.headwater("run")
    source.check({8: BAD[8]})
    source.sql("UPDATE t SET price = 1.25 WHERE id = 8")
    source.headwater("backfill", "--from", "2013-01-01", "--to", "2013-03-01")
    source.headwater("run")
    source.check({})


def test_a_change_elsewhere_in_a_bad_row_is_seen(source):
    source.headwater("run")
    source.sql("UPDATE t SET n = 'changed' WHERE id = 7")
    run = source.run_object()
    assert int(run["whole"]["bad_rows"]) == 3, run
    assert json.loads(source.quarantine("whole")[7]["row"])["n"] == "changed"


@pytest.mark.parametrize("place", ["delta.after_quarantine", "delta.before_put", "delta.after_put"])
@pytest.mark.parametrize("occurrence", [1, 2, 3])
def test_a_crash_between_the_two_commits_is_made_good(source, place, occurrence):
    source.headwater("run", "--workers", "1", expect=137, failpoints=f"{place}={occurrence}:crash")
    source.headwater("run")
    source.check(BAD)


def test_a_quarantine_that_was_removed_is_read_again(source):
    source.headwater("run")
    subprocess.run(["rm", "-r", str(source.folder / "lake" / "inc__quarantine")], check=True)
    source.headwater("verify", expect=5)
    source.headwater("run")
    source.check(BAD)


def test_more_bad_rows_than_allowed_fail_the_microbatch(tmp_path):
    source = Source(tmp_path, ", max_bad_rows: 2")
    said = " ".join(source.headwater("run", expect=1).split())
    assert 'max_bad_rows: 2' in said and '"id":"7"' in said and "abc" in said, said
    # Those of inc lie in two microbatches, which one by one do not pass the limit.
    assert source.ids("inc") == [i for i in range(ROWS) if i not in BAD]
    assert not (tmp_path / "lake" / "whole").exists()


def test_a_share_is_a_limit_too(tmp_path):
    Source(tmp_path, ", max_bad_rows: 0.5%").headwater("run", "whole", expect=1)


def test_without_the_policy_a_bad_row_is_an_error(tmp_path):
    source = Source(tmp_path)
    config = tmp_path / "headwater.yaml"
    config.write_text(config.read_text().replace("on_bad_row: quarantine", "on_bad_row: fail"))
    said = source.headwater("run", expect=1)
    assert "abc" in said and not (tmp_path / "lake" / "whole__quarantine").exists()
