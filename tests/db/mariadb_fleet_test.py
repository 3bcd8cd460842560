"""The program loads a fleet of two MariaDB databases, row for row, through ODBC.

Expected rows are what the mariadb client prints.
"""

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop"), str(TESTS / "db")]
from fleet import DAYS, ROWS, STRATEGIES, Fleet  # noqa: E402
from loaded_table import started  # noqa: E402
from postgres_values import float_bits, micros  # noqa: E402
from readers import READERS, rows_of  # noqa: E402
from throwaway_mariadb import ThrowawayMariaDb, why_not  # noqa: E402

MEMBERS = ("oslo", "bergen")

DEALS = """
create table deals(deal_id bigint primary key, symbol varchar(12), price decimal(18,6),
  volume double, comment text, timemsc datetime(3), last_modified timestamp(6) not null,
  index (last_modified), index (timemsc));
insert into deals
  select seq, elt(1 + seq % 4, 'EURUSD', 'GBPUSD', 'USDJPY', 'XAUUSD'), seq / 7, seq / 3,
    case when seq % 7 = 0 then null when seq % 11 = 0 then '' else concat('order #', seq, '\\t"\u00f8') end,
    if(seq % 9999 = 0, null, now(6) - interval {span} * (1 - seq / {rows}) microsecond),
    now(6) - interval {span} * (1 - seq / {rows}) microsecond
  from seq_1_to_{rows};
"""

# Stamped a minute before it begins; so older than rows that are already there.
LATE = """
insert into deals select -seq, 'LATE', 1.000001, 0.1, null, now(3) - interval 1 minute,
  now(6) - interval 1 minute from seq_1_to_500"""

PRINTED = {
    "comment": ("hex(comment)", lambda text: bytes.fromhex(text).decode()),
    "deal_id": ("deal_id", int),
    "last_modified": ("last_modified", micros),
    "symbol": ("symbol", str),
    "timemsc": ("timemsc", micros),
    "volume": ("volume", float_bits),
}

class MariaDbFleet(Fleet):
    def expected(self, member):
        selected = ", ".join(expression for expression, _ in PRINTED.values())
        text = self.server.sql(member, f"select {selected} from deals")
        reads = [read for _, read in PRINTED.values()]
        return {tuple(None if value == "NULL" else read(value)
                      for read, value in zip(reads, line.split("\t")))
                for line in text.split("\n")[:-1]}

    def published(self, strategy):
        table = READERS["deltalake"](str(self.folder / "lake" / strategy))
        return {member: rows_of(table.filter(
            [source == member for source in table["server_source"].to_pylist()]
        ).select(list(PRINTED))) for member in MEMBERS}

    def check_rows(self, members=None):
        published = {strategy: self.published(strategy) for strategy in STRATEGIES}
        for member in members or self.members:
            expected = self.expected(member)
            assert len(expected) >= ROWS
            for strategy in STRATEGIES:
                found = published[strategy][member]
                assert len(found) == len(expected), (member, strategy)
                assert set(found) == expected, (member, strategy)


@pytest.fixture(scope="module")
def server():
    yield from started(ThrowawayMariaDb, why_not)


@pytest.fixture(params=ThrowawayMariaDb.SCHEMES)
def fleet(request, server, tmp_path):
    for member in MEMBERS:
        server.sql("mysql", f"drop database if exists {member}; create database {member}")
        server.sql(member, DEALS.format(rows=ROWS, span=DAYS * 86_400_000_000))
    return MariaDbFleet(server, tmp_path, MEMBERS, server.access("{member}", request.param))


def test_every_row_arrives_once_also_those_of_a_transaction_that_ends_after_the_run(fleet):
    fleet.check_late_rows(fleet.server.begin("bergen", LATE))


def test_a_lost_database_fails_alone_and_in_the_words_of_its_server(fleet):
    fleet.server.sql("mysql", "drop database bergen")
    fleet.check_lost("bergen", "Unknown database 'bergen'")


def test_a_wrong_password_is_refused_and_never_shown(fleet):
    fleet.check_wrong_password("Access denied for user 'loader'")
