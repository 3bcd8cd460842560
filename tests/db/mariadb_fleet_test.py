"""The program loads a fleet of two MariaDB databases, row for row, through ODBC.

HEADWATER_BINARY names the program (ctest sets it). Expected rows are what the mariadb client prints.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop"), str(TESTS / "db")]
from mariadb_values_test import server  # noqa: E402, F401
from postgres_values import float_bits, micros  # noqa: E402
from readers import READERS, rows_of  # noqa: E402
from throwaway_mariadb import ThrowawayMariaDb  # noqa: E402

MEMBERS = ("oslo", "bergen")
ROWS = 60_000
DAYS = 3  # That the rows of `deals` cover, up to now.
STRATEGIES = ("incremental", "partition", "full")

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

CONFIG = """
version: 1
fleets:
  crm:
    url: "odbc:Driver=MariaDB Unicode;Socket={socket};Database={{member}}"
    user: loader
    password: "${{FLEET_PASSWORD}}"
    members: [oslo, bergen]
targets:
  lake: {{delta: ./lake}}
defaults: {{target: lake, retries: 0}}
tables:
  - {{from: crm/deals, target_table: incremental, strategy: incremental, cursor: last_modified,
      unit: 1d}}
  - {{from: crm/deals, target_table: partition, strategy: partition, cursor: timemsc, unit: 1d}}
  - {{from: crm/deals, target_table: full, strategy: full}}
"""


class Fleet:
    def __init__(self, mariadb, folder):
        self.server = mariadb
        self.folder = folder
        (folder / "headwater.yaml").write_text(CONFIG.format(socket=mariadb.socket))

    def run(self, password=ThrowawayMariaDb.PASSWORD):
        """Exit code, the run as an object, and all that was printed."""
        done = subprocess.run(
            [os.environ["HEADWATER_BINARY"], "run", "-o", "json", "--progress", "plain",
             "--workers", "2"],
            cwd=self.folder, env=dict(os.environ, FLEET_PASSWORD=password), text=True,
            capture_output=True, timeout=120, check=False)
        said = done.stdout + done.stderr
        assert done.stdout, said
        return done.returncode, json.loads(done.stdout), said

    def run_well(self):
        code, run, said = self.run()
        assert code == 0, said
        assert len(run["datasets"]) == len(MEMBERS) * len(STRATEGIES)
        return sum(int(dataset.get("rows_written", 0)) for dataset in run["datasets"])

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

    def check_rows(self, members=MEMBERS):
        published = {strategy: self.published(strategy) for strategy in STRATEGIES}
        for member in members:
            expected = self.expected(member)
            assert len(expected) >= ROWS
            for strategy in STRATEGIES:
                found = published[strategy][member]
                assert len(found) == len(expected), (member, strategy)
                assert set(found) == expected, (member, strategy)


@pytest.fixture
def fleet(server, tmp_path):  # noqa: F811
    for member in MEMBERS:
        server.sql("mysql", f"drop database if exists {member}; create database {member}")
        server.sql(member, DEALS.format(rows=ROWS, span=DAYS * 86_400_000_000))
    return Fleet(server, tmp_path)


def test_every_row_arrives_once_also_those_of_a_transaction_that_ends_after_the_run(fleet):
    late = fleet.server.begin("bergen", LATE)
    try:
        fleet.run_well()
        fleet.check_rows()
        assert fleet.run_well() == 0

        late.communicate("commit;\n", timeout=30)
        assert late.returncode == 0
    finally:
        late.kill()
        late.wait()
    assert fleet.run_well() > 0
    fleet.check_rows()
    assert fleet.run_well() == 0


def test_a_lost_database_fails_alone_and_in_the_words_of_its_server(fleet):
    fleet.server.sql("mysql", "drop database bergen")
    code, run, said = fleet.run()
    assert code == 1, said
    told = [problem["message"] for problem in run["problems"] if problem.get("message")]
    assert told and all("Unknown database 'bergen'" in message for message in told), said
    failed = {(dataset["dataset"]["server"], dataset["dataset"]["table"])
              for dataset in run["datasets"] if dataset["state"] == "STATE_FAILED"}
    assert failed == {("bergen", strategy) for strategy in STRATEGIES}
    fleet.check_rows(["oslo"])


def test_a_wrong_password_is_refused_and_never_shown(fleet):
    wrong = "wr0ng-battery"
    code, run, said = fleet.run(password=wrong)
    assert code == 3, said
    told = [problem["message"] for problem in run["problems"] if problem.get("message")]
    assert told and all("Access denied for user 'loader'" in message for message in told), said
    kept = [path.read_bytes() for path in fleet.folder.rglob("*") if path.is_file()]
    for secret in (wrong, ThrowawayMariaDb.PASSWORD):
        assert secret not in said
        assert not any(secret.encode() in content for content in kept)
