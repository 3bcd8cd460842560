"""Headwater under constant writes: three PostgreSQL servers, a tick every second, backfills that
overlap, and at the end every row exactly once.

    soak.py [--minutes N] [--seed S] [--times K]

Each of K rounds (default 1) writes for N minutes (default 5) and says what it did. The first one
has seed S (default: a random one), the next S + 1. Choices come from the seed, but how writers,
readers and the machine interleave does not: a seed that failed may pass. Ends with exit code 1 at
the first round that found something. HEADWATER_BINARY names the program.
"""

import argparse
import contextlib
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import deltalake

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from readings import Backfills, Cluster, Looks, Ticks, written  # noqa: E402
from source_tables import (  # noqa: E402
    DATABASE, DDL, LOADED, SERVERS, SETTLE_SECONDS, STILL, configuration, differences, overlaps)
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402
from writers import writers_of  # noqa: E402

CALM_SECONDS = 90  # In which ticks must have found everything that was written; a deadline.
SKIPPED = 77


def started_servers(stack):
    """Name -> server, each a PostgreSQL cluster of its own."""
    servers = {name: stack.enter_context(ThrowawayPostgres()) for name in SERVERS}
    for server in servers.values():
        server.sql(DATABASE, DDL)
    return servers


def listed(counted):
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(counted.items()))


def ticks_said(kind, took):
    return (f"ticks {kind}: {len(took)}, median {statistics.median(took):.2f} s, longest "
            f"{max(took):.2f} s" if took else f"ticks {kind}: none")


class Round:
    def __init__(self, seed, seconds, folder):
        self.seed, self.seconds, self.folder = seed, seconds, folder
        self.wrote, self.asked, self.made = Counter(), Counter(), Counter()
        self.said = []

    def run(self):
        """Sentences that say what is wrong."""
        with contextlib.ExitStack() as stack:
            self.servers = started_servers(stack)
            (self.folder / "headwater.yaml").write_text(configuration(self.servers))
            self.cluster = stack.enter_context(Cluster(self.folder, ThrowawayPostgres.PASSWORD))
            self.cluster.ask("run")
            still = {table: self.version(table) for table in STILL}
            memory = self.cluster.memory_mb()
            wrong = self.write_and_read() or self.come_to_rest() or self.compare()
            wrong += [f"{table}: version {self.version(table)} after {version}, and nothing changed"
                      for table, version in still.items() if self.version(table) != version]
            self.made["versions"] = sum(self.version(table) + 1 for table in LOADED)
            self.say_sizes(memory)
        return wrong

    def version(self, table):
        return deltalake.DeltaTable(self.cluster.lake / table).version()

    def newest_change(self, table):
        """The newest version that is no compaction: those come when their unit has settled."""
        log = sorted((self.cluster.lake / table / "_delta_log").glob("*.json"), reverse=True)
        texts = ((int(path.stem), path.read_text()) for path in log)
        return next(version for version, text in texts
                    if '"dataChange":true' in text or '"dataChange":false' not in text)

    def write_and_read(self):
        """Sentences of those threads that failed."""
        ended, quiet = threading.Event(), threading.Event()
        writers = [writer for name, server in self.servers.items()
                   for writer in writers_of(name, server, self.seed, quiet)]
        backfills = [Backfills(self.cluster, self.seed, ended, number) for number in range(2)]
        ticks = Ticks(self.cluster, self.seed, ended, lambda: any(b.alive for b in backfills))
        askers = [*backfills, ticks, Looks(self.cluster, self.seed, ended, self.servers)]
        for thread in [*writers, *askers]:
            thread.start()
        try:
            deadline = time.monotonic() + self.seconds
            while time.monotonic() < deadline and not any(t.failure for t in writers + askers):
                ended.wait(min(1.0, max(0.0, deadline - time.monotonic())))
        finally:
            quiet.set()
            for writer in writers:
                writer.join()
            ended.set()
            for asker in askers:
                asker.join()
        for writer in writers:
            self.wrote.update(writer.written)
        for asker in askers:
            self.asked.update(asker.counted)
        self.said += [ticks_said("without a backfill", ticks.alone),
                      ticks_said("beside one", ticks.beside)]
        return [f"{thread.name}: {thread.failure}" for thread in writers + askers if thread.failure]

    def come_to_rest(self):
        """Nothing is written any more: ticks until one finds nothing and what was written has
        settled, after backfills of what only they find."""
        began = time.monotonic()
        both = [self.cluster.begin("backfill", "*/events", "--from", begin, "--to", end)
                for begin, end in (("-60d", "-20h"), ("-30h", "now"))]
        for command in both:
            self.cluster.end(command)
        settled = False
        while time.monotonic() < began + CALM_SECONDS:
            late = time.monotonic() > began + SETTLE_SECONDS
            rows, pieces = written(self.cluster.ask("run"))
            if settled and rows == 0 and pieces == 0:
                return []
            settled = late
        return [f"{CALM_SECONDS} s after the last write a run still wrote {rows} rows"]

    def compare(self):
        changes = {table: self.newest_change(table) for table in LOADED}
        wrong = differences(self.cluster.lake, self.servers)
        for table in LOADED:
            wrong += overlaps(self.cluster.lake, table)
        verified = self.cluster.ask("verify", codes=(0, 5))
        wrong += [f"verify: {dataset['dataset']} is different" for dataset in verified["datasets"]
                  if int(dataset.get("different", 0)) > 0 or dataset.get("failed")]
        status = self.cluster.ask("status")
        wrong += [f"status: {dataset['dataset']} is {dataset['state']}"
                  for dataset in status["datasets"] if dataset["state"] != "fresh"]
        self.cluster.ask("run")
        wrong += [f"{table}: a run with nothing new made version {self.newest_change(table)}"
                  for table, version in changes.items() if self.newest_change(table) != version]
        wrong += differences(self.cluster.lake, self.servers)  # Whatever was compacted meanwhile.
        for kind in ("rows", "pieces"):
            self.made[kind] = sum(int(dataset[kind]) for dataset in status["datasets"])
        return wrong

    def say_sizes(self, before):
        coordinator, worker = self.cluster.memory_mb()
        self.said.append(f"coordinator {before[0]} MB at first, {coordinator} MB at the end; worker "
                         f"{before[1]} and {worker} MB; ledger {self.cluster.ledger_mb():.1f} MB")


def soak(seed, options):
    """Whether a round found nothing."""
    print(f"soak: seed {seed}, {options.minutes:g} minutes", flush=True)
    folder, began = Path(tempfile.mkdtemp(prefix="hw_soak_")), time.monotonic()
    this = Round(seed, options.minutes * 60, folder)
    try:
        wrong = this.run()
    except AssertionError as failure:
        wrong = [str(failure)]
    print(f"  written: {listed(this.wrote)}", f"  asked: {listed(this.asked)}",
          f"  in the lake: {listed(this.made)}", *(f"  {line}" for line in this.said), sep="\n")
    if wrong:
        print(*(f"  WRONG: {line}" for line in wrong), f"  everything is kept in {folder}",
              f"  repeat with ./dev soak --minutes {options.minutes:g} --seed {seed}", sep="\n")
        return False
    print(f"  every row is there exactly once; {time.monotonic() - began:.0f} s", flush=True)
    shutil.rmtree(folder)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    if reason := why_not():
        print(reason, file=sys.stderr)
        return 1 if os.environ.get("CI") else SKIPPED
    seeds = range(options.seed, options.seed + options.times)
    return 0 if all(soak(seed, options) for seed in seeds) else 1


if __name__ == "__main__":
    sys.exit(main())
