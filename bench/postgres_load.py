"""Rows per second from PostgreSQL into a committed Delta table, and those of what it competes with.

  postgres_load_bench [--rows N] [--rounds N]

All are timed interleaved, with the server on the same cores: a null COPY (two connections, binary,
to nowhere: no client that reads by COPY is faster), `headwater run` on two workers, and DuckDB's
PostgreSQL scanner into one zstd Parquet file, where its wheel is installed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
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
CONFIG = """
version: 1
servers:
  crm:
    url: "postgresql://127.0.0.1:{port}/deals"
    user: {user}
    password: "${{BENCH_PASSWORD}}"
targets:
  lake: {{delta: ./lake}}
tables:
  - {{from: crm/public.deals, target: lake, strategy: incremental, cursor: timemsc, unit: {unit}}}
"""
DUCKDB = """
import os, sys
import duckdb, duckdb_extension_postgres_scanner
out, dsn = sys.argv[1:]
folder = os.path.dirname(duckdb_extension_postgres_scanner.__file__)
db = duckdb.connect()
db.load_extension(
    f"{folder}/extensions/v{duckdb.__version__}/postgres_scanner.duckdb_extension")
db.execute("set threads = 2")
db.execute(f"attach '{dsn}' as source (type postgres, read_only)")
db.execute(f"copy source.public.deals to '{out}' (format parquet, compression zstd)")
"""


def timed(command, environment, cwd):
    """Runs it; seconds, core-seconds and peak memory in MiB, of it alone."""
    with tempfile.TemporaryFile("w+") as said:
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, cwd=cwd, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            sys.exit(f"{command[0]} failed with {process.returncode}:\n{said.read()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Bench:
    def __init__(self, server, options, folder):
        self.server, self.options, self.folder = server, options, Path(folder)
        self.environment = dict(os.environ, BENCH_PASSWORD=server.PASSWORD,
                                PGPASSWORD=server.PASSWORD)

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
        return time.monotonic() - began, None, None, None

    def headwater(self):
        work = self.folder / "headwater"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        (work / "headwater.yaml").write_text(
            CONFIG.format(port=self.server.port, user=self.server.USER, unit=self.options.unit))
        result = timed([self.options.headwater, "run", "--workers", "2", "--progress", "off"],
                       self.environment, work)
        files = list((work / "lake").rglob("*.parquet"))
        self.check_rows(sum(rows_of(file) for file in files))
        return *result, sum(file.stat().st_size for file in files)

    def duckdb(self):
        out = self.folder / "duckdb.parquet"
        dsn = (f"host=127.0.0.1 port={self.server.port} dbname={DATABASE} "
               f"user={self.server.USER}")
        result = timed([sys.executable, "-c", DUCKDB, str(out), dsn], self.environment, self.folder)
        self.check_rows(rows_of(out))
        return *result, out.stat().st_size

    def check_rows(self, rows):
        if rows != self.options.rows:
            sys.exit(f"{rows} rows were written of {self.options.rows}")


def rows_of(file):
    import pyarrow.parquet
    return pyarrow.parquet.read_metadata(file).num_rows


def why_not_duckdb():
    try:
        import duckdb_extension_postgres_scanner  # noqa: F401
    except ImportError:
        return ("DuckDB is not measured: its scanner is not installed "
                "(./dev setup installs requirements.txt)")
    return None


def median(values):
    return sorted(values)[len(values) // 2]


def report(name, results, rows, base):
    seconds = [result[0] for result in results]
    line = f"  {name:<10} {median(seconds):6.2f} s  {rows / median(seconds):>11,.0f} rows/s"
    if results[0][1] is not None:
        _, cores, memory, size = map(max, zip(*results))
        line += (f"  {median(seconds) / base:5.2f} x null COPY  {cores:5.1f} core-s"
                 f"  {memory:6.0f} MiB peak  {size / 1e6:6.1f} MB")
    print(f"{line}   [{' '.join(f'{one:.2f}' for one in seconds)}]")


def main():
    parser = argparse.ArgumentParser(prog="postgres_load_bench")
    parser.add_argument("--headwater", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--unit", default="1d", help="of one microbatch: a day is 172,800 rows")
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"not measured: {reason}")
        return
    with ThrowawayPostgres() as server, tempfile.TemporaryDirectory(prefix="hw_bench_") as folder:
        server.sql("postgres", f"create database {DATABASE}")
        server.sql(DATABASE, DEALS.format(rows=options.rows))
        bench = Bench(server, options, folder)
        kinds = {"null COPY": bench.null_copy, "headwater": bench.headwater}
        if (reason := why_not_duckdb()) is None:
            kinds["DuckDB"] = bench.duckdb
        else:
            print(reason)
        bench.null_copy()  # Into PostgreSQL's memory.
        results = {name: [] for name in kinds}
        for _ in range(options.rounds):
            for name, measure in kinds.items():
                results[name].append(measure())
        print(f"{options.rows:,} rows of 10 columns, unit {options.unit}, median of "
              f"{options.rounds} interleaved rounds (worst core-seconds, memory and size)")
        base = median([result[0] for result in results["null COPY"]])
        for name, one in results.items():
            report(name, one, options.rows, base)


if __name__ == "__main__":
    main()
