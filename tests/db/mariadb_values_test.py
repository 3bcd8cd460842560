"""Random values of every type, loaded from a real MariaDB, are what every reader finds.

HEADWATER_BINARY names the program (ctest sets it). HEADWATER_SEED repeats a run that failed.
Expected values come from the text that the mariadb client prints of the same rows.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop")]
from mariadb_values import KINDS, rows  # noqa: E402
from readers import READERS, rows_of  # noqa: E402
from throwaway_mariadb import ThrowawayMariaDb, why_not  # noqa: E402

ROWS = int(os.environ.get("HEADWATER_ROWS", "800"))
ROWS_PER_INSERT = 100

CONFIG = """
version: 1
servers:
  my:
    url: "{url};PWD=${{MY_PASSWORD}}"
targets: {{lake: {{delta: ./lake}}}}
defaults: {{target: lake, retries: 0, strategy: full}}
tables:
  - {{from: my/{table}}}
"""


class Place:
    """A database with one table, and the lake that the program makes of it."""

    def __init__(self, server, database, table, folder):
        self.server, self.database, self.table, self.folder = server, database, table, folder
        server.sql("mysql", f"drop database if exists {database}; create database {database}")
        (folder / "headwater.yaml").write_text(CONFIG.format(url=server.url(database), table=table))

    def sql(self, text):
        return self.server.sql(self.database, text)

    def command(self, *words):
        done = subprocess.run(
            [os.environ["HEADWATER_BINARY"], "--progress", "off", *words], cwd=self.folder,
            env=dict(os.environ, MY_PASSWORD=ThrowawayMariaDb.PASSWORD), text=True,
            capture_output=True, timeout=300, check=False)
        return done.returncode, done.stdout, done.stdout + done.stderr

    def run(self):
        code, _, said = self.command("run")
        assert code == 0, said

    def read(self, reader):
        return READERS[reader](str(self.folder / "lake" / self.table))


@pytest.fixture(scope="module")
def server():
    reason = why_not()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(reason)
        print(f"\nSKIPPED: {reason}", file=sys.__stderr__)
        pytest.skip(reason)
    with ThrowawayMariaDb() as mariadb:
        yield mariadb


@pytest.fixture(scope="module")
def every_type(server, tmp_path_factory):
    place = Place(server, "types", "every", tmp_path_factory.mktemp("types"))
    seed = int(os.environ.get("HEADWATER_SEED", random.randrange(1 << 32)))
    print(f"HEADWATER_SEED={seed}", file=sys.__stderr__)
    place.sql("create table every(id int primary key, "
              + ", ".join(f"`{name}` {kind.sql}" for name, kind in KINDS.items()) + ")")
    tuples = [f"({i}, {', '.join(row)})" for i, row in enumerate(rows(seed, ROWS))]
    for begin in range(0, len(tuples), ROWS_PER_INSERT):
        place.sql("insert into every values " + ", ".join(tuples[begin:begin + ROWS_PER_INSERT]))
    place.run()
    place.seed = seed
    return place


@pytest.fixture(scope="module")
def expected(every_type):
    """What the client prints, by column, in order of id. (No printed text needs an escape.)"""
    selected = ", ".join(kind.selected.format(f"`{name}`") for name, kind in KINDS.items())
    text = every_type.sql(f"select {selected} from every order by id")
    table = [line.split("\t") for line in text.split("\n")[:-1]]
    assert len(table) >= ROWS
    return {name: [None if value == "NULL" else kind.read(value) for value in column]
            for (name, kind), column in zip(KINDS.items(), zip(*table))}


@pytest.mark.parametrize("reader", list(READERS))
def test_readers_find_what_mariadb_prints(every_type, expected, reader):
    found = every_type.read(reader).sort_by("id")
    names = list(KINDS)
    columns = dict(zip(names, zip(*rows_of(found.select(names)))))
    for name, kind in KINDS.items():
        assert len(columns[name]) == len(expected[name])
        for row, (there, here) in enumerate(zip(expected[name], columns[name])):
            assert there == here and type(there) is type(here), (
                f"HEADWATER_SEED={every_type.seed}: {reader} reads {here!r:.300} in row {row} of "
                f"{kind.sql}; MariaDB prints {there!r:.300}")


def test_a_megabyte_of_text_and_of_bytes_needs_no_setting(server, tmp_path):
    place = Place(server, "large", "large", tmp_path)
    place.sql("create table large(id int primary key, t longtext, b longblob, n int); insert into "
              "large select seq, repeat(concat('\u00f8', seq), 400000), "
              "unhex(repeat(concat('00ff', seq), 200000)), seq from seq_10_to_14")
    place.run()
    for reader in READERS:
        rows_found = rows_of(place.read(reader).select(["id", "t", "b", "n"]))
        assert sorted(rows_found) == [
            (g, f"\u00f8{g}" * 400_000, bytes.fromhex(f"00ff{g}" * 200_000), g)
            for g in range(10, 15)], reader


@pytest.mark.parametrize("kind, value, shown", [
    ("date", "0000-00-00", "0000-00-00"), ("date", "2013-01-00", "2013-01-00"),
    ("datetime(6)", "0000-00-00 00:00:00", "0000-00-00 00:00:00.000000"),
    ("timestamp null", "0", "0000-00-00 00:00:00"), ("tinyint(1)", "2", "2"),
])
def test_a_value_that_no_column_holds_stops_its_dataset_by_name(server, tmp_path, kind, value, shown):
    place = Place(server, "bad", "bad", tmp_path)
    place.sql(f"create table bad(id int, v {kind}); set sql_mode = ''; "
              f"insert into bad values (16, null), (17, '{value}')")
    code, _, said = place.command("run")
    assert code == 1, said
    words = " ".join(said.split())
    assert "column 'v'" in words and f"'{shown}' in the row with id=17" in words
    assert not list(tmp_path.glob("lake/bad/_delta_log/*.json"))
