"""Rows changed behind Headwater's back: verifications name each, repairs read little else.

HEADWATER_BINARY names the program (ctest sets it); HEADWATER_SEED repeats a run that failed.
"""

import os
import random
import re
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop"), str(TESTS / "db")]
from sqlite_file import SqliteFile  # noqa: E402
from unchanged_test import ROWS, place, source  # noqa: E402, F401

SETTINGS = {
    "full": "strategy: full, key: [id]",
    "full without a key": "strategy: full",
    "incremental": "strategy: incremental, cursor: at, unit: 1d",
    "partition": "strategy: partition, cursor: at, unit: 1d, lookback: 3",
    "static": "strategy: static, key: [id]",
    "merge": "strategy: incremental, cursor: at, unit: 1d, write: merge, key: [id], "
             "delete_missing: hard",
}
KINDS = {"KIND_NOT_IN_TABLE": "inserted", "KIND_NOT_IN_SOURCE": "deleted", "KIND_CONTENT": "changed"}


@pytest.fixture
def chance():
    seed = int(os.environ.get("HEADWATER_SEED") or random.SystemRandom().getrandbits(32))
    print(f"HEADWATER_SEED={seed}")
    return random.Random(seed)


def change(table, chance, few):
    """Changes up to `few` rows of each sort behind Headwater's back; returns their keys by sort."""
    there = [int(row[0]) for row in source_rows(table)]
    ids = chance.sample(there, 2 * few)
    changed, deleted = ids[:chance.randint(1, few)], ids[few:few + chance.randint(0, few)]
    inserted = [max(there) + 1 + i for i in range(chance.randint(0, few))]
    for i in changed:
        what = chance.choice(["name = concat(name, '!')", "price = round(price + 1, 4)",
                              "day = '2014-01-01'", "name = null, price = round(price - 1, 4)"])
        table.sql(f"update deals set {what} where id = {i}")
    for i in deleted:
        table.sql(f"delete from deals where id = {i}")
    for i in inserted:
        table.sql(f"insert into deals (id, name, price, day, at) values ({i}, 'new', 1, '2013-05-01', "
                  f"'2013-01-0{1 + i % 4} 00:00:0{i % 10}')")
    return {"changed": changed, "deleted": deleted, "inserted": inserted}


def source_rows(table):
    sqlite = isinstance(table.server, SqliteFile)  # Which has no decimals.
    price = "printf('%.4f', price)" if sqlite else "price"
    text = table.sql(f"select concat('row|', id, '|', coalesce(name, '~'), '|', {price}, '|', day, "
                     "'|') from deals")
    return sorted(line.split("|")[1:5] for line in text.splitlines() if line.count("|") == 5)


def table_rows(table):
    return sorted([str(row["id"]), "~" if row["name"] is None else row["name"],
                   str(row["price"]), str(row["day"])]
                  for row in table.rows().values())


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_each_row_that_differs_is_named_and_repaired_and_few_others_are_read(place, chance, settings):
    table = place("deals", settings)
    if settings != SETTINGS["full without a key"]:
        table.declare_key()
    table.run()
    for few in (1, 3):
        done = change(table, chance, few)
        (differs,) = table.verify(expect=5)
        found = {"changed": [], "deleted": [], "inserted": []}
        for row in differs["differences"]:
            found[KINDS[row["kind"]]].append(int(re.match(r"id = (\d+)", row["key"]).group(1)))
        if settings == SETTINGS["full without a key"]:  # A row that changed is another row.
            done = {"changed": [], "deleted": done["deleted"] + done["changed"],
                    "inserted": done["inserted"] + done["changed"]}
        assert {sort: sorted(ids) for sort, ids in found.items()} == \
            {sort: sorted(ids) for sort, ids in done.items()}
        assert int(differs["rows_different"]) == sum(map(len, done.values()))
        divided = settings != SETTINGS["full without a key"]
        assert (int(differs["rows_read"]) < ROWS / 2) == divided
        (repaired,) = table.headwater("repair")["datasets"]
        assert (int(repaired["rows_read"]) < ROWS / 2) == divided, repaired
        assert table_rows(table) == source_rows(table)
        table.verify()
        # What was done is not done again, and the table goes on as it was.
        versions = table.versions()
        table.headwater("repair")
        assert table.versions() == versions
        table.run()
        assert table_rows(table) == source_rows(table)


@pytest.mark.parametrize("settings", ["strategy: full", "strategy: static"])
def test_a_key_of_texts_divides_as_well(place, chance, settings):
    table = place("deals", settings + ", key: [code]")
    table.sql("alter table deals add column code varchar(60)")

    def name_all():
        table.sql("update deals set code = concat(case id % 3 when 0 then 'Straße ' when 1 then "
                  "'strasse ' else '表''\\ ' end, id) where code is null")

    name_all()
    table.run()
    done = change(table, chance, 3)
    name_all()
    (differs,) = table.verify(expect=5)
    found = {"changed": [], "deleted": [], "inserted": []}
    for row in differs["differences"]:
        found[KINDS[row["kind"]]].append(int(re.search(r"(\d+)\D*$", row["key"]).group(1)))
    assert {sort: sorted(ids) for sort, ids in found.items()} == \
        {sort: sorted(ids) for sort, ids in done.items()}
    assert int(differs["rows_read"]) < ROWS / 2
    (repaired,) = table.headwater("repair")["datasets"]
    assert int(repaired["rows_read"]) < ROWS / 2, repaired
    assert table_rows(table) == source_rows(table)
    table.verify()


@pytest.mark.parametrize("settings", [SETTINGS["full"], SETTINGS["partition"]])
def test_files_that_somebody_has_changed_are_found_and_replaced(place, settings):
    table = place("deals", settings)
    table.run()
    import pyarrow.parquet as parquet

    files = [file for file in (table.folder / "lake/deals").rglob("*.parquet")]
    file = max(files, key=lambda path: path.stat().st_size)
    rows = parquet.read_table(file, partitioning=None)
    parquet.write_table(rows.slice(1), file)
    (differs,) = table.verify(expect=5)
    assert "files have" in differs["problems"][0]["message"]
    assert [row["kind"] for row in differs["differences"]] == ["KIND_NOT_IN_TABLE"]
    table.headwater("repair")
    table.verify()
    assert table_rows(table) == source_rows(table)


def test_where_most_rows_differ_all_are_read(place):
    table = place("deals", SETTINGS["full"])
    table.run()
    table.sql("update deals set price = round(price + 1, 4)")
    (differs,) = table.verify(expect=5)
    assert int(differs["rows_read"]) == ROWS and int(differs["rows_different"]) == ROWS
    assert len(differs["differences"]) == 100
    (repaired,) = table.headwater("repair")["datasets"]
    assert int(repaired["rows_read"]) == ROWS
    assert table_rows(table) == source_rows(table)
