"""What the benchmarks in Python share: timing a process, interleaved rounds, bars met or missed."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass


@dataclass
class Figures:
    """Of one run: seconds, and where a process of its own did it, core-seconds, MiB and bytes."""

    seconds: float
    cores: float | None = None
    memory: float | None = None
    size: int | None = None


def timed(command, environment=None, cwd=None):
    """Runs it; its figures, and what it printed."""
    with tempfile.TemporaryFile("w+") as said:
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, cwd=cwd, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed with {process.returncode}:\n{text}")
    cores = usage.ru_utime + usage.ru_stime
    return Figures(seconds, cores, usage.ru_maxrss / 1024), text


def rows_of(file):
    import pyarrow.parquet
    return pyarrow.parquet.read_metadata(file).num_rows


def median(values):
    return sorted(values)[len(values) // 2]


class Rounds:
    """Figures of several kinds of work, taken in turn."""

    def __init__(self, rows, kinds, count):
        """`kinds`: name -> function that does the work once and returns its Figures."""
        self.rows = rows
        self.figures = {name: [] for name in kinds}
        self.bars = []
        for _ in range(count):
            for name, measure in kinds.items():
                self.figures[name].append(measure())

    def __contains__(self, name):
        return name in self.figures

    def seconds(self, name):
        return median([one.seconds for one in self.figures[name]])

    def cores(self, name):
        return median([one.cores for one in self.figures[name]])

    def memory(self, name):
        return max(one.memory for one in self.figures[name])

    def size(self, name):
        return max(one.size for one in self.figures[name])

    def bar(self, what, value, limit, least=False, unit=""):
        """Notes a bar: `value` is to be at most `limit`, or at least."""
        met = value >= limit if least else value <= limit
        self.bars.append(f"  {what:<58} {value:8.2f}{unit}  {'at least' if least else 'at most'} "
                         f"{limit}{unit}: {'met' if met else 'MISSED'}")

    def report(self, base):
        """A line per kind, with its time as a multiple of `base`'s, then the bars."""
        print("  median; in brackets each round; the worst round's memory and size;"
              f" load average now {os.getloadavg()[0]:.1f}")
        for name, figures in self.figures.items():
            seconds = self.seconds(name)
            line = (f"  {name:<24} {seconds:7.2f} s {self.rows / seconds:>11,.0f} rows/s "
                    f"{seconds / self.seconds(base):6.2f} x")
            if figures[0].cores is not None:
                line += f" {self.cores(name):6.1f} core-s {self.memory(name):6.0f} MiB"
            if figures[0].size is not None:
                line += f" {self.size(name) / 1e6:7.1f} MB"
            print(f"{line}   [{' '.join(f'{one.seconds:.2f}' for one in figures)}]")
        print(*self.bars, sep="\n", flush=True)
