"""Loads through ODBC drivers, against the drivers' own time and against odbc2parquet.

  odbc_load_bench [--rows N] [--rounds N] [--driver NAME]...

For each of psqlODBC, MariaDB's driver and SQLite's, interleaved, with the server on the same cores:
the driver alone (a bare SQLFetch loop over the cells that our reader binds) and encoding alone (hash
and Parquet of the same batches in memory), both by odbc_alone.cc; `headwater run` on one connection,
and on two over two ranges of the key; with `./dev bench --peers` odbc2parquet on the same query. For
MariaDB also `headwater run` over mariadb://, which streams with libmariadb.
"""

import argparse
import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
import peers  # noqa: E402
import throwaway_mariadb  # noqa: E402
import throwaway_postgres  # noqa: E402
from measure import Figures, Rounds, rows_of, timed  # noqa: E402
from postgres_load import DEALS as POSTGRES_DEALS  # noqa: E402

# MariaDB's and SQLite's nearest types to those of postgres_load.py; digits from the row's number,
# since their random numbers differ.
MARIADB_DEALS = """
create table deals(deal_id bigint primary key, login bigint, symbol varchar(12), price decimal(18,6),
  volume double, profit decimal(18,2), comment varchar(60), entry int, timemsc datetime(3),
  last_modified datetime(3), index (timemsc));
insert into deals
  select seq, floor(rand() * 100000), elt(1 + seq % 4, 'EURUSD', 'GBPUSD', 'USDJPY', 'XAUUSD'),
    rand() * 2, rand() * 100, rand() * 1000 - 500, concat('order #', seq, ' ', md5(seq)), seq % 4,
    timestamp '2026-01-01 00:00:00' + interval seq * 500000 microsecond,
    timestamp '2026-01-01 00:00:00' + interval seq * 500000 microsecond
  from seq_1_to_{rows};
analyze table deals;
"""
SQLITE_DEALS = """
create table deals(deal_id integer primary key, login bigint, symbol text, price decimal(18,6),
  volume double precision, profit decimal(18,2), comment text, entry int, timemsc timestamp,
  last_modified timestamp);
with recursive numbers(g) as (select 1 union all select g + 1 from numbers where g < {rows})
insert into deals
  select g, abs(random()) % 100000, substr('EURUSDGBPUSDUSDJPYXAUUSD', 1 + 6 * (g % 4), 6),
    (abs(random()) % 2000000) / 1000000.0, (abs(random()) % 1000000007) / 10000000.0,
    (random() % 50000) / 100.0, 'order #' || g || ' ' || lower(hex(randomblob(16))), g % 4, at, at
  from (select g, strftime('%Y-%m-%d %H:%M:%S', 1767225600 + g / 2, 'unixepoch')
                  || iif(g % 2, '.500', '.000') as at from numbers);
create index deals_timemsc on deals(timemsc);
analyze;
"""
CONFIG = """
version: 1
servers:
  crm:
    url: "{url}"
    max_connections: {connections}
targets:
  lake: {{delta: ./lake}}
tables:
  - {{from: crm/deals, target: lake, {strategy}}}
"""


@contextmanager
def postgres(rows, folder):
    """Yields the connection string of a server with `rows` deals, its password last, and its url
    for an adapter of its own that is not measured elsewhere, if there is one. As the others."""
    with throwaway_postgres.ThrowawayPostgres() as server:
        server.sql("postgres", "create database deals")
        server.sql("deals", POSTGRES_DEALS.format(rows=rows))
        yield (f"Driver={{PostgreSQL Unicode}};Servername=127.0.0.1;Port={server.port};Database=deals;"
               f"UID={server.USER};UseDeclareFetch=1;Fetch=1000;PWD={server.PASSWORD}", None)


@contextmanager
def mariadb(rows, folder):
    with throwaway_mariadb.ThrowawayMariaDb() as server:
        server.sql("mysql", "create database deals")
        server.sql("deals", MARIADB_DEALS.format(rows=rows))
        yield (server.url("deals", "odbc").removeprefix("odbc:")
               + f";Charset=utf8mb4;UID={server.USER};PWD={server.PASSWORD}",
               server.url("deals", "mariadb").replace(
                   "//", f"//{server.USER}:${{BENCH_PASSWORD}}@"))


@contextmanager
def sqlite(rows, folder):
    path = folder / "deals.db"
    with sqlite3.connect(path) as database:
        database.executescript(SQLITE_DEALS.format(rows=rows))
    database.close()
    yield f"Driver=SQLite3;Database={path};StepAPI=1;NoCreat=1", None
    path.unlink()


DRIVERS = {
    "psqlODBC": (throwaway_postgres.why_not, postgres),
    "MariaDB": (throwaway_mariadb.why_not, mariadb),
    "SQLite": (lambda: None, sqlite),
}
FETCH, ENCODE, ONE, TWO, PEER = ("driver alone", "encoding alone", "headwater, 1 connection",
                                 "headwater, 2 connections", "odbc2parquet")
OWN_ALONE, OWN_ONE, OWN_TWO = ("libmariadb alone", "headwater, mariadb://, 1",
                               "headwater, mariadb://, 2")


class Bench:
    def __init__(self, connection, options, folder):
        self.connection, self.options, self.folder = connection, options, folder

    def alone(self, what, url=None):
        """The time that the program says, and the memory of the whole process."""
        out = self.new_folder()
        if url is not None:
            url = url.replace("${BENCH_PASSWORD}", self.connection.partition(";PWD=")[2])
        figures, said = timed([self.options.alone, what, url or self.connection, "deals",
                               *([str(out)] if what == "encode" else [])])
        rows, seconds = said.split()
        self.check_rows(int(rows), what)
        return Figures(float(seconds), figures.cores, figures.memory)

    def headwater(self, connections, url=None):
        work = self.new_folder()
        half = (self.options.rows + 1) // 2
        strategy = ("strategy: full" if connections == 1 else
                    f"strategy: incremental, cursor: deal_id, unit: {half + 1}")
        without_secret, _, password = self.connection.partition(";PWD=")
        secret = ";PWD=${BENCH_PASSWORD}" if password else ""
        (work / "headwater.yaml").write_text(CONFIG.format(
            url=url or f"odbc:{without_secret}{secret}", connections=connections,
            strategy=strategy))
        figures, _ = timed([self.options.headwater, "run", "--workers", str(connections),
                            "--progress", "off"], dict(os.environ, BENCH_PASSWORD=password), work)
        return self.with_size(figures, work / "lake")

    def odbc2parquet(self):
        out = self.new_folder()
        figures, _ = timed(peers.odbc2parquet_command(
            out / "deals.parquet", self.connection, "SELECT * FROM deals"))
        return self.with_size(figures, out)

    def new_folder(self):
        folder = self.folder / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def with_size(self, figures, folder):
        files = list(folder.rglob("*.parquet"))
        self.check_rows(sum(rows_of(file) for file in files), folder.name)
        figures.size = sum(file.stat().st_size for file in files)
        return figures

    def check_rows(self, rows, what):
        if rows != self.options.rows:
            sys.exit(f"{rows} rows of {self.options.rows}: {what}")


def measure(name, options, folder):
    why_not, start = DRIVERS[name]
    if (reason := why_not()) is not None:
        print(f"{name} is not measured: {reason}")
        return
    with start(options.rows, folder) as (connection, url):
        bench = Bench(connection, options, folder)
        kinds = {FETCH: lambda: bench.alone("fetch"), ENCODE: lambda: bench.alone("encode"),
                 ONE: lambda: bench.headwater(1), TWO: lambda: bench.headwater(2)}
        ours = [(ONE, TWO, FETCH)]
        if url is not None:
            kinds[OWN_ALONE] = lambda: bench.alone("stream", url)
            kinds[OWN_ONE] = lambda: bench.headwater(1, url)
            kinds[OWN_TWO] = lambda: bench.headwater(2, url)
            ours.append((OWN_ONE, OWN_TWO, OWN_ALONE))
        if (reason := peers.why_not("odbc2parquet")) is None:
            kinds[PEER] = bench.odbc2parquet
        else:
            print(f"  {reason}")
        bench.alone("fetch")  # Into the server's memory.
        rounds = Rounds(options.rows, kinds, options.rounds)
    for one, two, alone in ours:
        slower = max(rounds.seconds(alone), rounds.seconds(ENCODE))
        rounds.bar(f"{one} / the slower alone", rounds.seconds(one) / slower, 1.15)
        if PEER in rounds:
            rounds.bar(f"odbc2parquet's time / {two}", rounds.seconds(PEER) / rounds.seconds(two),
                       1.5, least=True)
        rounds.bar(f"memory at its peak, {one} and 2", max(rounds.memory(one), rounds.memory(two)),
                   256, unit=" MiB")
    print(f"{name}: {options.rows:,} rows of 10 columns, {options.rounds} interleaved rounds")
    rounds.report(FETCH)


def main():
    parser = argparse.ArgumentParser(prog="odbc_load_bench")
    parser.add_argument("--headwater", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--alone", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--driver", action="append", choices=list(DRIVERS), help="default: all")
    options = parser.parse_args()
    print(peers.versions() or "no peers", f"load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="hw_bench_") as folder:
        for name in options.driver or DRIVERS:
            measure(name, options, Path(folder))


if __name__ == "__main__":
    main()
