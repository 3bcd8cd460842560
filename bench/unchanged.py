"""What a run costs that finds nothing changed, beside reading everything again.

  unchanged_bench [--rows N] [--rounds N]

A static table (key: deal_id) and a table in daily partitions with a lookback of 30 days, of the same
rows in PostgreSQL, which answers by checksums; each then with every row read again by Headwater, and
with `./dev bench --peers` the whole loaded again by dlt with connectorx. The server is on the same
cores.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
import peers  # noqa: E402
import postgres_load  # noqa: E402
from measure import Rounds, timed  # noqa: E402
from postgres_load import CRM, DATABASE, DEALS  # noqa: E402
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402

CONFIG = CRM + """defaults: {{target: lake}}
tables:
  - {{from: crm/public.deals, target_table: static, strategy: static, key: [deal_id]}}
  - {{from: crm/public.deals, target_table: days, strategy: partition, cursor: timemsc, unit: 1d,
      lookback: 30}}
"""


class Bench(postgres_load.Bench):
    def __init__(self, server, options, folder):
        super().__init__(server, options, folder)
        (self.folder / "headwater.yaml").write_text(
            CONFIG.format(port=server.port, user=server.USER))

    def command(self, *words):
        figures, _ = timed([self.options.headwater, *words, "--workers", "2", "--progress", "off"],
                           self.environment, self.folder)
        return figures

    def versions(self):
        return len(list(self.folder.glob("lake/*/_delta_log/*.json")))

    def nothing_changed(self, table):
        before = self.versions()
        figures = self.command("run", "--table", table)
        if self.versions() != before:
            sys.exit(f"{table} has a new version, though nothing changed")
        return figures


def main():
    parser = argparse.ArgumentParser(prog="unchanged_bench")
    parser.add_argument("--headwater", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"not measured: {reason}")
        return
    with ThrowawayPostgres() as server, tempfile.TemporaryDirectory(prefix="hw_bench_") as folder:
        server.sql("postgres", f"create database {DATABASE}")
        server.sql(DATABASE, DEALS.format(rows=options.rows))
        bench = Bench(server, options, folder)
        for table in ("static", "days"):
            figures = bench.command("run", "--table", table)
            print(f"first load of {table}: {figures.seconds:.1f} s, {figures.memory:.0f} MiB",
                  flush=True)
        kinds = {
            "static, nothing changed": lambda: bench.nothing_changed("static"),
            "static, read again": lambda: bench.command("run", "--table", "static", "--force"),
            "30 days, nothing changed": lambda: bench.nothing_changed("days"),
            "all days, read again": lambda: bench.command(
                "backfill", "--table", "days", "--from", "2025-12-31", "--to", "now"),
        }
        if (reason := peers.why_not("dlt")) is None:
            kinds["dlt + connectorx, all"] = bench.dlt
        else:
            print(f"  {reason}")
        rounds = Rounds(options.rows, kinds, options.rounds)
        print(f"{options.rows:,} rows of 10 columns, {options.rounds} interleaved rounds; "
              f"{peers.versions()}")
        rounds.report("static, read again")


if __name__ == "__main__":
    main()
