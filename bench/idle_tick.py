"""Seconds of one tick that finds nothing new on many servers, each a PostgreSQL database of its own.

  idle_tick_bench [--servers N] [--clusters N] [--rounds N] [--workers N]

The databases are on loopback, in one cluster or a few, and on the same cores. The first run loads
them; every later `headwater run` is a tick: it starts, connects to each server, probes it, finds
nothing, and ends. Bars are on the median of the rounds, of the whole process. Beside it, as many
psql sessions that connect and ask for the same, two at a time: what connecting alone takes.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from measure import Figures, Rounds, timed  # noqa: E402
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402

ROWS = 1_000
MODEL = "model_of_all"
DEALS = f"""
create table deals(deal_id bigint primary key, symbol text, price numeric(18,6),
  timemsc timestamp(3));
insert into deals
  select g, 'EURUSD', g * 0.01, timestamp '2026-01-01' + g * interval '1 minute'
  from generate_series(1, {ROWS}) g;
create index on deals(timemsc);
vacuum analyze deals;
"""
MAX_SECONDS = 2


def configuration(servers, user):
    """`servers`: name -> port."""
    lines = ["version: 1", "servers:"]
    for name, port in servers.items():
        lines += [f"  {name}:", f'    url: "postgresql://127.0.0.1:{port}/{name}"',
                  f"    user: {user}", '    password: "${BENCH_PASSWORD}"']
    lines += ["targets:", "  lake: {delta: ./lake}", "tables:"]
    lines += [f"  - {{from: {name}/public.deals, target: lake, strategy: incremental, cursor: timemsc, "
              "unit: 1d}" for name in servers]
    return "\n".join(lines) + "\n"


class Bench:
    def __init__(self, clusters, options, folder):
        self.options, self.folder = options, Path(folder)
        self.environment = dict(os.environ, BENCH_PASSWORD=ThrowawayPostgres.PASSWORD)
        self.servers = {}  # Name -> its cluster.
        for cluster in clusters:
            cluster.sql("postgres", f"create database {MODEL}")
            cluster.sql(MODEL, DEALS)
        for number in range(options.servers):
            name, cluster = f"server{number:04}", clusters[number % len(clusters)]
            cluster.sql("postgres", f"create database {name} template {MODEL}")
            self.servers[name] = cluster
        ports = {name: cluster.port for name, cluster in self.servers.items()}
        (self.folder / "headwater.yaml").write_text(configuration(ports, ThrowawayPostgres.USER))

    def run(self):
        command = [self.options.headwater, "run", "-o", "json", "--progress", "off"]
        if self.options.workers:
            command += ["--workers", str(self.options.workers)]
        return timed(command, self.environment, self.folder)

    def load(self):
        figures, _ = self.run()
        versions = self.versions()
        print(f"  loaded {self.options.servers} servers in {figures.seconds:.2f} s, "
              f"{versions} versions of the table")

    def versions(self):
        return len(list((self.folder / "lake" / "deals" / "_delta_log").glob("*.json")))

    def tick(self):
        before = self.versions()
        figures, _ = self.run()
        if self.versions() != before:
            sys.exit("a tick with nothing new wrote to the table")
        return figures

    def connecting(self):
        """As many sessions by psql, of which two run at a time."""
        began = time.monotonic()
        running = []
        for name, cluster in self.servers.items():
            if len(running) == 2 and running.pop(0).wait() != 0:
                sys.exit("psql failed")
            command, environment = cluster.psql_command(
                name, "-At", "-c", "select min(timemsc), max(timemsc), now() from deals")
            running.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
        if any([session.wait() for session in running]):
            sys.exit("psql failed")
        return Figures(time.monotonic() - began)


def main():
    parser = argparse.ArgumentParser(prog="idle_tick_bench")
    parser.add_argument("--headwater", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--servers", type=int, default=200)
    parser.add_argument("--clusters", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, help="worker loops; as many as cores, if not said")
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"not measured: {reason}")
        return
    with contextlib.ExitStack() as stack:
        # Each worker keeps what it used last for a while: two connections to each database at most.
        room = 2 * options.servers // options.clusters + 50
        clusters = [stack.enter_context(ThrowawayPostgres(["-c", f"max_connections={room}"]))
                    for _ in range(options.clusters)]
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hw_bench_"))
        bench = Bench(clusters, options, folder)
        bench.load()
        rounds = Rounds(options.servers, {"psql": bench.connecting, "headwater": bench.tick},
                        options.rounds)
        rounds.bar(f"one tick with nothing new on {options.servers} servers",
                   rounds.seconds("headwater"), MAX_SECONDS, unit=" s")
        print(f"{options.servers} databases in {options.clusters} PostgreSQL clusters, "
              f"{options.rounds} rounds (a `row` is a server)")
        rounds.report("psql")


if __name__ == "__main__":
    main()
