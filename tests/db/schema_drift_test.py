"""Columns come, go and widen on some servers of a fleet, and the tables follow.

Three databases of one throw-away PostgreSQL stand for the servers; no two have their columns in one
order. HEADWATER_BINARY names the program (ctest sets it).
"""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import deltalake
import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))
from loaded_table import started  # noqa: E402
from readers import OPENERS  # noqa: E402
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402

MEMBERS = ("bergen", "oslo", "tromso")
TABLES = ("inc", "full")
ROWS = 50

COLUMNS = {"id": "int not null", "amount": "numeric(9,2)", "ratio": "real", "name": "text",
           "at": "timestamp"}
ORDERS = {"bergen": ("id", "amount", "ratio", "name", "at"),
          "oslo": ("name", "at", "id", "ratio", "amount"),
          "tromso": ("ratio", "name", "amount", "at", "id")}

FLOOR = 2_147_483_500  # Of the ids: row 147 is the last one that an int can name.
HUGE = 170

INSERT = """insert into t(id, amount, ratio, at) select {floor} + g, g / 4.0, g / 8.0,
  timestamp '2020-01-01' + g * interval '1 second' from generate_series({first}, {last}) g;"""
NAME = """update t set name = '{member} ' || id - {floor}
  where id - {floor} between {first} and {last};"""

CONFIG = """
version: 1
fleets:
  crm:
    url: "postgresql://127.0.0.1:{port}/{{member}}"
    user: postgres
    password: "${{PASSWORD}}"
    members: [bergen, oslo, tromso]
targets: {{lake: {{delta: ./lake}}}}
defaults: {{target: lake, retries: 0, on_schema_change: {policy}}}
tables:
  - {{from: crm/t, target_table: inc, strategy: incremental, cursor: id, unit: 100,
      settle_values: 0, key: [id]}}
  - {{from: crm/t, target_table: full, strategy: full}}
"""


class Fleet:
    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.set_policy("evolve")
        for member in MEMBERS:
            server.sql("postgres", f"drop database if exists {member} with (force)")
            server.sql("postgres", f"create database {member}")
            columns = ", ".join(f"{name} {COLUMNS[name]}" for name in ORDERS[member])
            server.sql(member, f"create table t({columns});")
            self.insert(member, 1, ROWS)

    def set_policy(self, policy):
        (self.folder / "headwater.yaml").write_text(
            CONFIG.format(port=self.server.port, policy=policy))

    def insert(self, member, first, last, name=True):
        self.server.sql(member, INSERT.format(floor=FLOOR, first=first, last=last))
        if name:
            self.server.sql(member, NAME.format(floor=FLOOR, member=member, first=first, last=last))

    def command(self, *words):
        done = subprocess.run(
            [os.environ["HEADWATER_BINARY"], "--progress", "off", "-o", "json", "--workers", "2",
             *words], cwd=self.folder, env=dict(os.environ, PASSWORD=self.server.PASSWORD),
            text=True, capture_output=True, timeout=120, check=False)
        said = done.stdout + done.stderr
        assert done.stdout, said
        return done.returncode, json.loads(done.stdout), said

    def run(self):
        """Rows written by table, and what was told of each dataset."""
        code, run, said = self.command("run")
        assert code == 0, said
        written = {table: sum(int(dataset.get("rows_written", 0)) for dataset in run["datasets"]
                              if dataset["dataset"]["table"] == table) for table in TABLES}
        return written, told(run, "warning")

    def run_failing(self):
        """The run's complaints by dataset."""
        code, run, said = self.command("run")
        assert code == 1, said
        return told(run, "message")

    def version(self, table):
        return deltalake.DeltaTable(str(self.folder / "lake" / table)).version()

    def types(self, table):
        fields = deltalake.DeltaTable(str(self.folder / "lake" / table)).schema().fields
        return {field.name: str(field.type.type) for field in fields
                if not field.name.startswith("_hw_") and field.name != "server_source"}

    def rows(self, table, member, *names):
        """By number, as every reader sees them."""
        seen = None
        for name, opener in OPENERS.items():
            rows = opener(str(self.folder / "lake" / table))().to_pylist()
            mine = sorted(tuple(row[column] for column in ("id", *names)) for row in rows
                          if row["server_source"] == member)
            if seen is not None:
                assert mine == seen, f"{name} reads {table} of {member} otherwise"
            seen = mine
        return {row[0] - FLOOR: row[1:] for row in seen}


def told(run, kind):
    found = {}
    for problem in run.get("problems", []):
        if problem.get(kind):
            key = (problem["dataset"]["server"], problem["dataset"]["table"])
            found[key] = found.get(key, "") + problem[kind] + "\n"
    return found


@pytest.fixture(scope="module")
def server():
    yield from started(ThrowawayPostgres, why_not)


@pytest.fixture
def fleet(server, tmp_path):
    return Fleet(server, tmp_path)


def same_row(member, row_id, name=True):
    return (Decimal(row_id) / 4, row_id / 8, f"{member} {row_id}" if name else None)


def check_base(fleet, member, ids):
    for table in TABLES:
        rows = fleet.rows(table, member, "amount", "ratio", "name")
        for row_id in ids:
            assert rows[row_id] == same_row(member, row_id), f"{table} of {member}"


def test_columns_in_another_order_on_each_server_load_right(fleet):
    written, warnings = fleet.run()
    assert written == {"inc": 3 * ROWS, "full": 3 * ROWS} and not warnings
    for member in MEMBERS:
        check_base(fleet, member, range(1, ROWS + 1))
        assert len(fleet.rows("inc", member)) == ROWS
    for table in TABLES:
        assert fleet.types(table) == {"id": "integer", "amount": "decimal(9,2)", "ratio": "float",
                                      "name": "string", "at": "timestamp_ntz"}
    fleet.run()  # What was read before all orders were known is written in one order.
    versions = [fleet.version(table) for table in TABLES]
    assert fleet.run() == ({"inc": 0, "full": 0}, {})
    assert [fleet.version(table) for table in TABLES] == versions


def drift(fleet):
    """Oslo gets a column, Bergen loses one, Tromsø widens three; and each gets rows."""
    fleet.server.sql("oslo", "alter table t add column note text; "
                             f"update t set note = 'old' where id <= {FLOOR + ROWS};")
    fleet.server.sql("bergen", "alter table t drop column name;")
    fleet.server.sql("tromso", "alter table t alter id type bigint, "
                               "alter amount type numeric(14,2), alter ratio type float8;")
    fleet.insert("oslo", 101, 110)
    fleet.server.sql("oslo", f"update t set note = 'new ' || id - {FLOOR} where id > {FLOOR + 100};")
    fleet.insert("bergen", 101, 110, name=False)
    fleet.server.sql("tromso", f"insert into t(id, amount, ratio, name, at) values "
                               f"({FLOOR + HUGE}, 123456789012.25, 0.1, 'huge', '2020-02-01');")


def test_the_tables_follow_servers_that_change(fleet):
    fleet.run()
    drift(fleet)
    code, plan, said = fleet.command("plan")
    assert code == 0, said
    for words in ("column note (string) is new in the source", "column name is not in the source",
                  "integer widens to long", "decimal(9,2) widens to decimal(14,2)",
                  "float widens to double"):
        assert words in json.dumps(plan), words
    before = {table: fleet.version(table) for table in TABLES}
    written, warnings = fleet.run()
    assert written["inc"] == 10 + 10 + 1
    assert "column note (string) is new" in warnings["oslo", "inc"]
    assert "column name is not in the source" in warnings["bergen", "inc"]
    assert "integer widens to long" in warnings["tromso", "inc"]
    for table in TABLES:
        assert fleet.version(table) > before[table]
        assert fleet.types(table) == {"id": "long", "amount": "decimal(14,2)", "ratio": "double",
                                      "name": "string", "at": "timestamp_ntz", "note": "string"}
    check_drifted(fleet)
    check_filters(fleet)

    # Nothing is told or read twice; what `full` read before all was known is written once more.
    _, warnings = fleet.run()
    assert warnings == {}
    versions = [fleet.version(table) for table in TABLES]
    assert fleet.run() == ({"inc": 0, "full": 0}, {})
    assert [fleet.version(table) for table in TABLES] == versions
    check_drifted(fleet)
    code, _, said = fleet.command("verify", "--table", "inc")
    assert code == 0, said

    # Read again, the old rows get what their sources have by now.
    code, _, said = fleet.command("backfill", "--table", "inc", "--from", str(FLOOR), "--to", str(FLOOR + 1000))
    assert code == 0, said
    for member in MEMBERS:
        columns = ("amount", "ratio", "name", "at", "note")
        assert fleet.rows("inc", member, *columns) == fleet.rows("full", member, *columns)


def check_filters(fleet):
    """Files of the narrower types are filtered by what only the wider ones can hold."""
    path = str(fleet.folder / "lake" / "inc")
    rows = deltalake.DeltaTable(path).to_pyarrow_table()
    values = {"id": (FLOOR + HUGE, FLOOR + 147, FLOOR + 1), "ratio": (0.1, 0.125, 1e300),
              "amount": (Decimal("123456789012.25"), Decimal("0.25"), Decimal("-99999999999.00"))}
    for column, bounds in values.items():
        kind, found = rows[column].type, rows[column].to_pylist()
        for bound in bounds:
            for operator, compare in (("=", lambda a, b: a == b), (">=", lambda a, b: a >= b),
                                      ("<", lambda a, b: a < b)):
                wanted = sum(compare(value, bound) for value in found)
                for reader, opener in OPENERS.items():
                    got = opener(path)((column, operator, pa.scalar(bound, kind))).num_rows
                    assert got == wanted, f"{reader}: {column} {operator} {bound}"


def check_drifted(fleet):
    old = range(1, ROWS + 1)
    for member in ("oslo", "tromso"):
        check_base(fleet, member, old)
    for table in TABLES:
        oslo = fleet.rows(table, "oslo", "note", "name")
        assert len(oslo) == ROWS + 10
        for row_id in old:
            assert oslo[row_id][0] == (None if table == "inc" else "old")
        for row_id in range(101, 111):
            assert oslo[row_id] == (f"new {row_id}", f"oslo {row_id}")
        bergen = fleet.rows(table, "bergen", "amount", "ratio", "name", "note")
        assert len(bergen) == ROWS + 10
        for row_id in (*old, *range(101, 111)):
            kept = table == "inc" and row_id <= ROWS  # Settled rows are not read again.
            assert bergen[row_id] == (*same_row("bergen", row_id, name=kept), None)
        tromso = fleet.rows(table, "tromso", "amount", "ratio", "name", "note")
        assert len(tromso) == ROWS + 1
        assert tromso[HUGE] == (Decimal("123456789012.25"), 0.1, "huge", None)


def test_frozen_tables_stop_the_servers_that_would_change_them(fleet):
    fleet.set_policy("freeze")
    fleet.run()
    before = fleet.types("inc")
    drift(fleet)
    problems = fleet.run_failing()
    assert set(problems) == {(member, table) for member in ("oslo", "tromso") for table in TABLES}
    assert "column note (string) is new, which on_schema_change: freeze refuses" in (
        problems["oslo", "inc"])
    assert "column id is integer in the table and long in the source" in problems["tromso", "full"]
    assert fleet.types("inc") == before
    assert fleet.rows("inc", "bergen", "name")[105] == (None,)
    assert max(fleet.rows("inc", "oslo")) == ROWS
    fleet.set_policy("evolve")
    fleet.run()
    check_drifted(fleet)


def test_ignored_columns_are_left_out_and_types_widen_all_the_same(fleet):
    fleet.set_policy("ignore")
    fleet.run()
    drift(fleet)
    _, warnings = fleet.run()
    assert "column note (string) is new in the source and not loaded" in warnings["oslo", "inc"]
    assert "note" not in fleet.types("inc") and fleet.types("inc")["id"] == "long"
    assert fleet.rows("inc", "oslo", "name")[105] == ("oslo 105",)
    assert HUGE in fleet.rows("full", "tromso")


def test_what_does_not_fit_stops_its_server_with_the_difference(fleet):
    fleet.run()
    fleet.server.sql("oslo", "alter table t alter amount type text, alter at type date;")
    fleet.server.sql("tromso", 'alter table t rename name to "Name";')
    fleet.server.sql("bergen", "alter table t rename id to number;")
    problems = fleet.run_failing()
    for table in TABLES:
        assert "column amount is decimal(9,2) in the table and string in the source" in (
            problems["oslo", table])
        assert "column at is timestamp_ntz in the table and date in the source" in (
            problems["oslo", table])
        assert "column name of the table is written Name in the source" in problems["tromso", table]
    assert "has no column 'id'" in problems["bergen", "inc"]
    # Without a cursor or a key a renamed column is one that came and one that went.
    assert ("bergen", "full") not in problems
    rows = deltalake.DeltaTable(str(fleet.folder / "lake" / "full")).to_pyarrow_table(
        filters=[("server_source", "=", "bergen")])
    assert rows["id"].null_count == ROWS and rows["number"].null_count == 0
