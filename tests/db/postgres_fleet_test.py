"""The program loads a fleet of three PostgreSQL servers, row for row.

Three databases of one throw-away PostgreSQL stand for the servers. Expected rows come from psql's
COPY.
"""

import io
import sys
from pathlib import Path

import deltalake
import pyarrow as pa
import pyarrow.csv
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from fleet import DAYS, ROWS, STRATEGIES, Fleet  # noqa: E402
from loaded_table import started  # noqa: E402
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402

MEMBERS = ("oslo", "bergen", "tromso")

DEALS = """
create table deals(deal_id bigint primary key, login bigint, symbol text, price numeric(18,6),
  volume double precision, profit numeric(18,2), comment text, entry int, timemsc timestamp(3),
  last_modified timestamptz);
select setseed({seed});
insert into deals
  select g, (random() * 100000)::bigint, (array['EURUSD', 'GBPUSD', 'USDJPY', 'XAUUSD'])[1 + g % 4],
    (random() * 2)::numeric(18,6), random() * 100, (random() * 1000 - 500)::numeric(18,2),
    case when g % 7 = 0 then null when g % 11 = 0 then '' else 'order #' || g || E' \\t"ø"\\n' end,
    nullif(g % 5, 4),
    case when g % 9999 = 0 then null else (at at time zone 'UTC')::timestamp(3) end, at
  from (select g, now() - interval '{days} days' * (1 - g::float8 / {rows}) as at
        from generate_series(1, {rows}) g) as stamped;
create index on deals(last_modified);
create index on deals(timemsc);
"""

# Stamped a minute before it begins; so older than rows that are already there.
LATE = """
insert into deals
  select -g, g, 'LATE', 1.000001, 0.1, -0.01, null, 0,
    (now() at time zone 'UTC')::timestamp(3) - interval '1 minute', now() - interval '1 minute'
  from generate_series(1, 500) g"""

COPY = """
copy (select deal_id, login, symbol, price, volume, profit, comment, entry, timemsc,
        last_modified at time zone 'UTC' as last_modified from deals order by deal_id)
  to stdout (format csv, header, null '\\N', force_quote (symbol, comment))"""

TYPES = {
    "deal_id": pa.int64(), "login": pa.int64(), "symbol": pa.string(),
    "price": pa.decimal128(18, 6), "volume": pa.float64(), "profit": pa.decimal128(18, 2),
    "comment": pa.string(), "entry": pa.int32(), "timemsc": pa.timestamp("us"),
    "last_modified": pa.timestamp("us"),
}

ACCESS = ('url: "postgresql://127.0.0.1:{port}/{{member}}", user: postgres, '
          'password: "${{PASSWORD}}"')


class PostgresFleet(Fleet):
    def table(self, strategy):
        return deltalake.DeltaTable(str(self.folder / "lake" / strategy))

    def versions(self):
        return {strategy: self.table(strategy).version() for strategy in STRATEGIES}

    def expected(self, member):
        text = self.server.sql(member, COPY).encode()
        return pa.csv.read_csv(
            io.BytesIO(text),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                column_types=TYPES, null_values=["\\N"], strings_can_be_null=True,
                quoted_strings_can_be_null=False))

    def published(self, strategy, member):
        rows = self.table(strategy).to_pyarrow_table(filters=[("server_source", "=", member)])
        assert set(rows.column("server_source").to_pylist()[:1]) <= {member}
        return pa.table({name: rows.column(name).cast(kind)
                         for name, kind in TYPES.items()}).sort_by("deal_id")

    def check_rows(self, members=None):
        for member in members or self.members:
            expected = self.expected(member)
            assert expected.num_rows >= ROWS
            for strategy in STRATEGIES:
                compare(expected, self.published(strategy, member), f"{member}/{strategy}")


def compare(expected, published, what):
    assert published.num_rows == expected.num_rows, what
    for name in TYPES:
        left, right = expected.column(name).combine_chunks(), published.column(name).combine_chunks()
        if left.equals(right):
            continue
        row = next(i for i in range(len(left)) if left[i] != right[i])
        pytest.fail(f"{what}: {name} of row {expected['deal_id'][row]} is {right[row]}, "
                    f"but {left[row]} in PostgreSQL")


@pytest.fixture(scope="module")
def server():
    yield from started(ThrowawayPostgres, why_not)


@pytest.fixture
def fleet(server, tmp_path):
    for index, member in enumerate(MEMBERS):
        server.sql("postgres", f"drop database if exists {member} with (force)")
        server.sql("postgres", f"create database {member}")
        server.sql(member, DEALS.format(seed=index / 10, rows=ROWS, days=DAYS))
    return PostgresFleet(server, tmp_path, MEMBERS, ACCESS.format(port=server.port),
                         "public.deals")


def test_every_row_arrives_once_also_those_of_a_transaction_that_ends_after_the_run(fleet):
    fleet.check_late_rows(fleet.server.begin("bergen", LATE))
    assert fleet.published("incremental", "bergen").num_rows == ROWS + 500


# The rows of a day and more, which are on their way, and a twin of the newest row that has come. In
# one transaction, which has one now(): else rows that grow 30 hours old between the statements are
# in both tables, and cannot be delivered.
HELD = """
begin;
create table held as select * from deals where last_modified >= now() - interval '30 hours';
delete from deals where last_modified >= now() - interval '30 hours';
insert into held select -deal_id, login, symbol, price, volume, profit, comment, entry, timemsc,
  last_modified from deals order by last_modified desc limit 1;
commit"""

DELIVER = """
with come as (delete from held where last_modified < now() - interval '{hours} hours' returning *)
insert into deals select * from come"""


def test_a_lagging_source_that_delivers_yesterdays_rows_today_needs_no_lookback(fleet):
    for member in MEMBERS:
        fleet.server.sql(member, HELD)
    fleet.run_well()
    for hours in (26, 20, 0):
        for member in MEMBERS:
            fleet.server.sql(member, DELIVER.format(hours=hours))
        fleet.run_well()
        for member in MEMBERS:
            count = int(fleet.server.sql(member, "select count(*) from deals", "-At"))
            for strategy in STRATEGIES:
                assert fleet.published(strategy, member).num_rows == count, (member, strategy)
    fleet.check_rows()
    assert fleet.run_well() == 0


def test_nothing_new_makes_no_version(fleet):
    fleet.run_well()
    versions = fleet.versions()
    assert fleet.run_well() == 0
    assert fleet.versions() == versions


def test_a_lost_database_fails_alone_and_in_the_words_of_its_server(fleet):
    fleet.server.sql("postgres", "drop database bergen with (force)")
    fleet.check_lost("bergen", 'database "bergen" does not exist')


def test_a_wrong_password_is_refused_and_never_shown(fleet):
    fleet.check_wrong_password('password authentication failed for user "postgres"')
