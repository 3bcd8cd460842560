"""A folder with SQLite servers, a configuration and the lake that headwater makes of them.

The servers are small and exact: every value can be compared with what a reader finds in the lake.
Processes are started and ended here, each by its own pid.
"""

import contextlib
import datetime
import json
import os
import queue
import re
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter

import deltalake

BINARY = os.environ["HEADWATER_BINARY"]
PATIENCE = 60  # Seconds that any wait may take; a deadline, never a duration.
KILLED = -signal.SIGKILL
FIRST_DAY = datetime.datetime(2013, 1, 1)

TABLES = [
    "{from: f/t, strategy: partition, cursor: at, cursor_timezone: UTC, unit: 1d, lookback: 2}",
    "{from: f/t, target_table: t_full, strategy: full}",
    "{from: f/t, target_table: t_inc, strategy: incremental, cursor: at, cursor_timezone: UTC,"
    " unit: 10d}",
]


def make_server(path, rows, days):
    """Ids are even-handed over `days`; every seventh row shares its instant with the one before."""
    minutes = days * 24 * 60 // rows
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE t (id INTEGER, at TIMESTAMP, v REAL, n TEXT)")
        connection.execute("CREATE INDEX t_at ON t (at)")
        connection.execute("CREATE TABLE demo_clock (value TIMESTAMP)")
        for i in range(rows):
            at = FIRST_DAY + datetime.timedelta(minutes=minutes * (i - (i % 7 == 6)))
            connection.execute("INSERT INTO t VALUES (?, ?, ?, ?)",
                               (i, str(at), None if i % 11 == 0 else i / 8, f"row {i}"))
        connection.execute("INSERT INTO demo_clock VALUES (?)",
                           (str(FIRST_DAY + datetime.timedelta(days=days + 1)),))
    connection.close()


def wait_until(what, reached, *running):
    """Looks until `reached()`, at most PATIENCE; fails as soon as one of `running` has ended."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        for started in running:
            assert started.process.poll() is None, f"ended before {what}:\n{started.text()}"
        assert time.monotonic() < deadline, f"not in {PATIENCE} s: {what}"
        with contextlib.suppress(subprocess.TimeoutExpired):
            running[0].process.wait(timeout=0.005)


class Started:
    """A headwater process whose stderr is read line by line. Ends with its `with` block."""

    def __init__(self, command, folder, environment):
        self.process = subprocess.Popen(command, cwd=folder, env=environment, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.stdout, self.stderr = [], []
        self._lines = queue.Queue()
        self._threads = [threading.Thread(target=self._read, args=streams, daemon=True) for streams
                         in ((self.process.stdout, self.stdout), (self.process.stderr, self.stderr))]
        for thread in self._threads:
            thread.start()

    def _read(self, stream, kept):
        for line in stream:
            kept.append(line)
            self._lines.put(line)

    def wait_for(self, pattern):
        """The match of the first line not yet looked at, on either stream, that has `pattern`."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"nothing like {pattern!r} in:\n{self.text()}") from None
            if match := re.search(pattern, line):
                return match

    def text(self):
        return "".join(self.stderr) + "".join(self.stdout)

    def wait_for_hold(self, place):
        """Until a thread of it is held at the failpoint: then it cannot end by itself."""
        self.wait_for(rf"failpoint holds name={re.escape(place)}$")
        assert self.process.poll() is None

    def kill(self):
        """The exit code: KILLED proves that it was alive."""
        self.process.kill()
        return self.wait()

    def end(self):
        """As a service manager asks for it; the exit code."""
        assert self.process.poll() is None
        self.process.terminate()
        return self.wait()

    def wait(self):
        try:
            code = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running:\n{self.text()}") from None
        for thread in self._threads:
            thread.join(timeout=PATIENCE)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()


class Playground:
    def __init__(self, folder, servers=("a", "b"), rows=2000, days=20, tables=tuple(TABLES)):
        self.folder, self.servers, self.tables = folder, servers, tables
        self.ledger = ""  # A line of the configuration.
        self.lake, self.state = folder / "lake", folder / ".headwater"
        (folder / "data").mkdir(parents=True)
        for server in servers:
            make_server(self.server_file(server), rows, days)
        self.configure()

    def configure(self, tables=None, servers=None, url=None, retries=None):
        if tables is not None:
            self.tables = tables
        url = url or "odbc:Driver=SQLite3;Database={config_dir}/data/{member}.db;NoCreat=1"
        lines = ["version: 1", *([self.ledger] if self.ledger else []), "fleets:", "  f:", f'    url: "{url}"',
                 "    timezone: America/New_York", '    clock: "SELECT value FROM demo_clock"',
                 f"    members: [{', '.join(servers or self.servers)}]",
                 "targets:", '  lake: {delta: "./lake"}', "defaults: {target: lake}",
                 "tables:"] + [f"  - {table}" for table in self.tables]
        (self.folder / "headwater.yaml").write_text("\n".join(lines) + "\n")

    def server_file(self, server):
        return self.folder / "data" / f"{server}.db"

    def change(self, server, sql, *values):
        connection = sqlite3.connect(self.server_file(server))
        with connection:
            connection.execute(sql, values)
        connection.close()

    def start(self, *words, failpoints=""):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HEADWATER_")}
        if failpoints:
            environment["HEADWATER_FAILPOINTS"] = failpoints
        return Started([BINARY, "--progress", "plain", *words], self.folder, environment)

    def run(self, *words, expect=0, **options):
        """The process of a command that has ended with `expect` (None: any exit code)."""
        with self.start(*words, **options) as started:
            code = started.wait()
        assert expect is None or code == expect, f"{words}: exit {code}\n{started.text()}"
        return started

    def source_rows(self, servers=None, where="1"):
        found = Counter()
        for server in servers or self.servers:
            connection = sqlite3.connect(self.server_file(server))
            for id_, at, v, n in connection.execute(f"SELECT id, at, v, n FROM t WHERE {where}"):
                found[(server, id_, datetime.datetime.fromisoformat(at), v, n)] += 1
            connection.close()
        return found

    def lake_rows(self, table):
        if not (self.lake / table / "_delta_log").is_dir():
            return Counter()
        if not list((self.lake / table / "_delta_log").glob("*.json")):
            return Counter()
        columns = ["server_source", "id", "at", "v", "n"]
        read = deltalake.DeltaTable(self.lake / table).to_pyarrow_table(columns=columns)
        return Counter((s, i, at.replace(tzinfo=None), v, n) for s, i, at, v, n
                       in zip(*(read[name].to_pylist() for name in columns)))

    def check(self, servers=None, tables=("t", "t_full", "t_inc"), where="1"):
        """Each source row is in each table exactly once, and nothing else is."""
        expected = self.source_rows(servers, where)
        for table in tables:
            found = self.lake_rows(table)
            assert found == expected, (
                f"{table}: {sum(found.values())} rows, source {sum(expected.values())}; missing "
                f"{list((expected - found).items())[:3]}, too many "
                f"{list((found - expected).items())[:3]}")

    def check_nothing_false(self, tables=("t", "t_full", "t_inc")):
        """What is visible is true and there once, though not all of it may be there yet."""
        expected = self.source_rows()
        for table in tables:
            extra = self.lake_rows(table) - expected
            assert not extra, f"{table}: not in the source, or twice: {list(extra.items())[:3]}"

    def check_settles(self, **expected):
        """A run completes what is missing; then the rows are right, verified, and stay so."""
        self.run("run")
        self.check(**expected)
        self.run("verify")

    def commits(self, table="t"):
        return len(list((self.lake / table / "_delta_log").glob("*.json")))

    def check_partly_loaded(self, table="t"):
        """Something of the table is published, and not all of it: a run is in the middle."""
        found, whole = self.lake_rows(table).total(), self.source_rows().total()
        assert 0 < found < whole, f"{table}: {found} of {whole} rows"

    def versions(self, table):
        return deltalake.DeltaTable(self.lake / table).version()

    def last_json(self, started):
        return json.loads(started.stdout[-1])
