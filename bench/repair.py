"""What it costs to find a few rows that differ among many, and to repair them.

  repair_bench [--rows N] [--source postgres|sqlite]

A table in PostgreSQL, or in an SQLite file, loaded whole; then 3 rows are deleted and 2 changed behind Headwater's back.
`verify` has to name just those 5, and `repair` to mend them. The same again with `checksum: none`,
where every row is read. The server is on the same cores, SQLite in the same process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
import peers  # noqa: E402
from odbc_load import SQLITE_DEALS  # noqa: E402
from postgres_load import CRM, DATABASE, DEALS  # noqa: E402
from sqlite_file import SqliteFile  # noqa: E402
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402

SQLITE = """
version: 1
servers: {{crm: {{url: "{url}"}}}}
targets: {{lake: {{delta: ./lake}}}}
"""
TABLES = """defaults: {{target: lake}}
tables:
  - {{from: crm/{deals}, target_table: divided, strategy: full, key: [deal_id]}}
  - {{from: crm/{deals}, target_table: read, strategy: full, key: [deal_id], checksum: none}}
"""


@contextmanager
def postgres(rows):
    """Yields the server with its rows, and a configuration."""
    with ThrowawayPostgres() as server:
        server.sql("postgres", f"create database {DATABASE}")
        server.sql(DATABASE, DEALS.format(rows=rows))
        yield server, (CRM + TABLES).format(port=server.port, user=server.USER,
                                            deals="public.deals")


@contextmanager
def sqlite(rows):
    with SqliteFile() as file:
        file.sql(DATABASE, SQLITE_DEALS.format(rows=rows))
        yield file, (SQLITE + TABLES).format(url=file.url(), deals="deals")


SOURCES = {"postgres": (postgres, why_not), "sqlite": (sqlite, lambda: None)}


class Bench:
    def __init__(self, server, config, options, folder):
        self.server, self.options, self.folder = server, options, Path(folder)
        (self.folder / "headwater.yaml").write_text(config)

    def headwater(self, *words, expect=0):
        began = time.monotonic()
        done = subprocess.run(
            [self.options.headwater, *words, "-o", "json", "--progress", "off"], cwd=self.folder,
            env=dict(os.environ, BENCH_PASSWORD=self.server.PASSWORD), text=True,
            capture_output=True, check=False)
        if done.returncode != expect:
            sys.exit(done.stdout + done.stderr)
        (dataset,) = json.loads(done.stdout)["datasets"]
        return dataset, time.monotonic() - began

    def change(self, round_number):
        """3 deleted and 2 changed rows, spread over the keys; returns their keys."""
        step = self.options.rows // 7
        keys = [round_number + step * i for i in range(1, 6)]
        deleted, changed = (", ".join(map(str, some)) for some in (keys[:3], keys[3:]))
        self.server.sql(DATABASE, f"""
            delete from deals where deal_id in ({deleted});
            update deals set comment = comment || '!' where deal_id in ({changed});""")
        return {f"deal_id = {key}" for key in keys}

    def measure(self, table, round_number):
        _, load = self.headwater("run", "--table", table)
        keys = self.change(round_number)
        found, seconds = self.headwater("verify", "--table", table, expect=5)
        if {row["key"] for row in found.get("differences", [])} != keys and table == "divided":
            sys.exit(f"{table}: expected {keys}, found {found}")
        read, data = int(found.get("rows_read", 0)), int(found.get("bytes_read", 0))
        repaired, mending = self.headwater("repair", "--table", table)
        _, equal = self.headwater("verify", "--table", table)
        print(f"{table:8}  load {load:6.1f} s   verify {seconds:6.1f} s, {read:>12,} rows read "
              f"({100 * read / self.options.rows:.4f} %), {data:,} bytes   verify and repair "
              f"{mending:6.1f} s, {int(repaired['rows_read']):,} rows read   verify after it "
              f"{equal:6.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="repair_bench")
    parser.add_argument("--headwater", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--source", choices=list(SOURCES), default="postgres")
    options = parser.parse_args()
    opened, why_not_here = SOURCES[options.source]
    if (reason := why_not_here()) is not None:
        print(f"not measured: {reason}")
        return
    with (opened(options.rows) as (server, config),
          tempfile.TemporaryDirectory(prefix="hw_bench_") as folder):
        print(f"{options.source}: {options.rows:,} rows of 10 columns, 3 deleted and 2 changed; {peers.versions()}",
              flush=True)
        bench = Bench(server, config, options, folder)
        for number, table in enumerate(("divided", "read")):
            bench.measure(table, number + 1)


if __name__ == "__main__":
    main()
