"""Rows per second from PostgreSQL into a committed Delta table, and those of what it competes with.

  postgres_load_bench [--rows N] [--rounds N] [--unit 1d] [--no-profile]

All are timed interleaved, with the server on the same cores: a null COPY (two connections, binary,
to nowhere: no client that reads by COPY is faster), `headwater run` on two workers, DuckDB's
PostgreSQL scanner into one zstd Parquet file, where its wheel is installed, and with
`./dev bench --peers` dlt with connectorx, and connectorx with pyarrow. Then one more load runs under
perf, which says how much of the program's CPU time hashing takes.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
import peers  # noqa: E402
from measure import Figures, Rounds, rows_of, timed  # noqa: E402
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402

DATABASE = "deals"
DEALS = """
create table deals(deal_id bigint primary key, login bigint, symbol text, price numeric(18,6),
  volume double precision, profit numeric(18,2), comment text, entry int, timemsc timestamp(3),
  last_modified timestamp(3));
insert into deals
  select g, (random() * 100000)::bigint, (array['EURUSD', 'GBPUSD', 'USDJPY', 'XAUUSD'])[1 + g % 4],
    (random() * 2)::numeric(18,6), random() * 100, (random() * 1000 - 500)::numeric(18,2),
    'order #' || g || ' ' || md5(g::text), g % 4,
    timestamp '2026-01-01' + g * interval '500 milliseconds',
    timestamp '2026-01-01' + g * interval '500 milliseconds'
  from generate_series(1, {rows}) g;
create index on deals(timemsc);
vacuum analyze deals;
checkpoint;
"""
CRM = """
version: 1
servers:
  crm:
    url: "postgresql://127.0.0.1:{port}/deals"
    user: {user}
    password: "${{BENCH_PASSWORD}}"
targets:
  lake: {{delta: ./lake}}
"""
CONFIG = CRM + """tables:
  - {{from: crm/public.deals, target: lake, strategy: incremental, cursor: timemsc, unit: {unit}}}
"""
# What perf calls it: by symbol, those that the compiler took out of line among them.
HASHING = re.compile(r"RowHasher::|\bXXH")


class Bench:
    def __init__(self, server, options, folder):
        self.server, self.options, self.folder = server, options, Path(folder)
        self.environment = dict(os.environ, BENCH_PASSWORD=server.PASSWORD,
                                PGPASSWORD=server.PASSWORD, DLT_DATA_DIR=str(self.folder / "dlt"),
                                RUNTIME__DLTHUB_TELEMETRY="false")
        self.url = (f"postgresql://{server.USER}:{server.PASSWORD}@127.0.0.1:{server.port}/"
                    f"{DATABASE}")

    def null_copy(self):
        half = self.options.rows // 2
        began = time.monotonic()
        sessions = []
        with open(os.devnull, "w") as nowhere:
            for where in (f"deal_id <= {half}", f"deal_id > {half}"):
                copy = f"copy (select * from deals where {where}) to stdout (format binary)"
                command, environment = self.server.psql_command(DATABASE, "-c", copy)
                sessions.append(subprocess.Popen(command, env=environment, stdout=nowhere))
            if any([session.wait() for session in sessions]):
                sys.exit("the null COPY failed")
        return Figures(time.monotonic() - began)

    def headwater(self, before=()):
        work = self.new_folder("headwater")
        (work / "headwater.yaml").write_text(
            CONFIG.format(port=self.server.port, user=self.server.USER, unit=self.options.unit))
        figures, _ = timed([*before, self.options.headwater, "run", "--workers", "2", "--progress",
                            "off"], self.environment, work)
        return self.with_size(figures, work / "lake")

    def duckdb(self):
        out = self.new_folder("duckdb")
        dsn = (f"host=127.0.0.1 port={self.server.port} dbname={DATABASE} "
               f"user={self.server.USER}")
        figures, _ = timed(peers.duckdb_command(out / "deals.parquet", dsn), self.environment, out)
        return self.with_size(figures, out)

    def connectorx(self):
        out = self.new_folder("connectorx")
        figures, _ = timed(peers.python_command(peers.CONNECTORX, out / "deals.parquet", self.url),
                           self.environment, out)
        return self.with_size(figures, out)

    def dlt(self):
        out = self.new_folder("dlt")
        figures, _ = timed(peers.python_command(peers.DLT, out / "lake", self.url),
                           self.environment, out)
        return self.with_size(figures, out / "lake", "deals/*.parquet")

    def new_folder(self, name):
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def with_size(self, figures, folder, pattern="*.parquet"):
        files = list(folder.rglob(pattern))
        rows = sum(rows_of(file) for file in files)
        if rows != self.options.rows:
            sys.exit(f"{rows} rows were written of {self.options.rows} into {folder.name}")
        figures.size = sum(file.stat().st_size for file in files)
        return figures

    def hashing_share(self):
        """Of the program's CPU time, in percent; None where perf cannot say."""
        if shutil.which("perf") is None:
            return None
        data = self.folder / "perf.data"
        self.headwater(["perf", "record", "-q", "-e", "cpu-clock", "-F", "999", "-o", str(data)])
        listed = subprocess.run(
            ["perf", "report", "-i", str(data), "--stdio", "--no-children", "-F",
             "overhead,dso,symbol", "--percent-limit", "0"],
            text=True, capture_output=True, check=False).stdout
        shares = re.findall(r"^\s*([\d.]+)%\s+(.*)$", listed, re.MULTILINE)
        return sum(float(share) for share, symbol in shares if HASHING.search(symbol)) or None


def note_bars(rounds):
    mine, copy = rounds.seconds("headwater"), rounds.seconds("null COPY")
    rounds.bar("time / null COPY (stretch 1.25)", mine / copy, 1.5)
    if "DuckDB" in rounds:
        rounds.bar("DuckDB's time / ours", rounds.seconds("DuckDB") / mine, 1.25, least=True)
        rounds.bar("core-seconds / DuckDB's", rounds.cores("headwater") / rounds.cores("DuckDB"), 0.6)
        rounds.bar("size / DuckDB's", rounds.size("headwater") / rounds.size("DuckDB"), 0.85)
    for name in ("dlt + connectorx", "connectorx + pyarrow"):
        if name in rounds:
            rounds.bar(f"{name}'s time / ours", rounds.seconds(name) / mine, 2.2, least=True)
    rounds.bar("memory at its peak", rounds.memory("headwater"), 256, unit=" MiB")


def main():
    parser = argparse.ArgumentParser(prog="postgres_load_bench")
    parser.add_argument("--headwater", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--unit", default="1d", help="of one microbatch: a day is 172,800 rows")
    parser.add_argument("--no-profile", action="store_true", help="no load under perf")
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"not measured: {reason}")
        return
    with ThrowawayPostgres() as server, tempfile.TemporaryDirectory(prefix="hw_bench_") as folder:
        server.sql("postgres", f"create database {DATABASE}")
        server.sql(DATABASE, DEALS.format(rows=options.rows))
        bench = Bench(server, options, folder)
        kinds = {"null COPY": bench.null_copy, "headwater": bench.headwater}
        others = {"DuckDB": (peers.why_not_duckdb(), bench.duckdb),
                  "dlt + connectorx": (peers.why_not("dlt"), bench.dlt),
                  "connectorx + pyarrow": (peers.why_not("connectorx"), bench.connectorx)}
        for name, (reason, measure) in others.items():
            if reason is None:
                kinds[name] = measure
            else:
                print(f"  {reason}")
        bench.null_copy()  # Into PostgreSQL's memory.
        rounds = Rounds(options.rows, kinds, options.rounds)
        note_bars(rounds)
        share = None if options.no_profile else bench.hashing_share()
        if share is None:
            print("  the share of hashing is not measured: there is no perf")
        else:
            rounds.bar("row hashing, of the program's CPU time", share, 10, unit=" %")
        print(f"{options.rows:,} rows of 10 columns, unit {options.unit}, {options.rounds} "
              f"interleaved rounds; {peers.versions()}")
        rounds.report("null COPY")


if __name__ == "__main__":
    main()
