"""Headwater in processes of its own, and what it is asked for while writers write: ticks and
backfills, and looks at the tables as any reader would take them.
"""

import datetime
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))
from playground import BINARY, PATIENCE, Started  # noqa: E402
from source_tables import GROWING, LOADED, STILL, lake_rows, source_rows, some, twice  # noqa: E402

TICK_SECONDS = 1.0
# By its own word, or by the kernel's before it listens to signals.
INTERRUPTED = (130, -signal.SIGINT)


class Cluster:
    """A coordinator and two workers on loopback. Ends with its `with` block."""

    def __init__(self, folder, password):
        self.folder, self.lake = folder, folder / "lake"
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("HEADWATER_")}
        self.environment["PASSWORD"] = password
        self._processes = []

    def __enter__(self):
        try:
            coordinator = self._start("coordinator", "--listen", "127.0.0.1:0")
            port = coordinator.wait_for(r"listening at 127\.0\.0\.1:(\d+)")[1]
            self.address = f"127.0.0.1:{port}"
            for name in ("w1", "w2"):
                self._start("--coordinator", self.address, "worker", "--name", name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for number, started in reversed(list(enumerate(self._processes))):
            started.__exit__()
            (self.folder / f"process{number}.log").write_text(started.text())

    def _start(self, *words):
        started = Started([BINARY, "--progress", "off", *words], self.folder, self.environment)
        self._processes.append(started)
        return started

    def check_alive(self):
        for started in self._processes:
            assert started.process.poll() is None, f"it has ended:\n{started.text()}"

    def begin(self, *words):
        """A command, under way."""
        return subprocess.Popen(
            [BINARY, "--coordinator", self.address, "--progress", "off", "-o", "json", *words],
            cwd=self.folder, env=self.environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def end(self, command, codes=(0,)):
        """Exit code and what it printed as data; fails with all that it said."""
        try:
            out, said = command.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            command.kill()
            out, said = command.communicate()
            raise AssertionError(f"{command.args}: no end in {PATIENCE} s\n{out}{said}") from None
        assert command.returncode in codes, (
            f"{command.args}: exit code {command.returncode}\n{out[-4000:]}{said[-4000:]}")
        return command.returncode, json.loads(out) if out.strip() else None

    def ask(self, *words, codes=(0,)):
        return self.end(self.begin(*words), codes)[1]

    def memory_mb(self):
        """Of the coordinator and of the larger worker."""
        resident = []
        for started in self._processes:
            status = Path(f"/proc/{started.process.pid}/status").read_text()
            resident.append(int(status.split("VmRSS:")[1].split()[0]) // 1024)
        return resident[0], max(resident[1:])

    def ledger_mb(self):
        return sum(path.stat().st_size for path in (self.folder / ".headwater").glob("ledger.db*")
                   ) / 1e6


def written(run):
    """Rows that a run wrote, and pieces: one may be written with fewer rows, or none."""
    return (sum(int(dataset.get("rows_written", 0)) for dataset in run["datasets"]),
            sum(int(dataset.get("pieces_written", 0)) for dataset in run["datasets"]))


class Asker(threading.Thread):
    """Repeats `turn` until `stop` is set."""

    def __init__(self, cluster, seed, stop, live):
        super().__init__(name=type(self).__name__)
        self.cluster, self.stop, self.live = cluster, stop, live
        self.random = random.Random(f"{seed}/{self.name}")
        self.counted, self.failure = Counter(), None

    def run(self):
        try:
            while not self.stop.is_set():
                self.turn()
        except BaseException as failure:  # Told to the test, which fails with it.
            self.failure = failure


class Ticks(Asker):
    """A run every second, now and then two of them at once."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.alone, self.beside = [], []  # Seconds, without and with a live backfill.

    def turn(self):
        began, beside = time.monotonic(), self.live()
        twins = [self.cluster.begin("run") for _ in range(2 if self.random.random() < 0.1 else 1)]
        for command in twins:
            run = self.cluster.end(command)[1]
            self.counted["runs"] += 1
            self.counted["runs that wrote"] += written(run)[0] > 0
        took = time.monotonic() - began
        if len(twins) == 1:
            (self.beside if beside or self.live() else self.alone).append(took)
        self.stop.wait(max(0.0, TICK_SECONDS - took))


class Backfills(Asker):
    """One backfill after the other at moments of its own, some cancelled; two of these overlap."""

    def __init__(self, cluster, seed, stop, number):
        super().__init__(cluster, seed, stop, None)
        self.random = random.Random(f"{seed}/{self.name}/{number}")
        self.alive = False

    def turn(self):
        self.stop.wait(self.random.uniform(0.5, 6))
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
        begin = now - datetime.timedelta(hours=self.random.uniform(10, 500))
        end = begin + datetime.timedelta(hours=self.random.uniform(5, 400))
        mode = self.random.choice(["missing", "stale", "all", "all"])
        # Those that rest on settling alone are read again only where something is known to lack.
        selection = ["*/events"] if mode == "all" else []
        self.alive = True
        command = self.cluster.begin("backfill", *selection, "--from", f"{begin.isoformat()}Z",
                                     "--to", f"{end.isoformat()}Z", "--only", mode)
        codes = (0,)
        if self.random.random() < 0.3:
            try:
                command.wait(timeout=self.random.uniform(0.05, 1.5))
            except subprocess.TimeoutExpired:
                command.send_signal(signal.SIGINT)
                codes = (0, *INTERRUPTED)
        code = self.cluster.end(command, codes)[0]
        self.alive = False
        self.counted["backfills"] += 1
        self.counted["backfills cancelled"] += code in INTERRUPTED


# DuckDB says so of a log whose versions came milliseconds apart while it was listed: no file system
# lists a folder as it was at one moment. It reads nothing then, so nothing wrong.
OVERTAKEN = "Expected contiguous commit files"


class Looks(Asker):
    """What a reader finds at any moment: no row twice, and none that was never committed."""

    def __init__(self, cluster, seed, stop, servers):
        super().__init__(cluster, seed, stop, None)
        self.servers = servers

    def turn(self):
        self.stop.wait(self.random.uniform(1, 6))
        self.cluster.check_alive()
        table = self.random.choice([table for table in LOADED if table not in STILL])
        rows = self.rows(table, self.random.choice(["deltalake", "duckdb"]))
        double = twice(rows)
        assert not double, f"{table} has twice: {double[:5]}"
        if table in GROWING:
            there = set().union(*(source_rows(name, server, table)
                                  for name, server in self.servers.items()))
            extra = set(rows) - there
            assert not extra, f"{table}: not in the source: {some(extra)}"
        self.counted["looks"] += 1

    def rows(self, table, reader, tries=20):
        try:
            return lake_rows(self.cluster.lake, table, reader)
        except duckdb.Error as failure:
            if OVERTAKEN not in str(failure) or tries == 1:
                raise
            self.counted["looks overtaken"] += 1
            return self.rows(table, reader, tries - 1)
