"""Servers, tables and values that are not as the configuration says: only theirs fails, by name."""

import json
import sqlite3

import pytest
from playground import TABLES

def problems(playground, expect):
    """The failures as the program gives them to scripts, by "server/table"."""
    ended = playground.run("-o", "json", "run", expect=expect)
    found = {}
    for problem in playground.last_json(ended)["problems"]:
        found.setdefault(f"{problem['dataset']['server']}/{problem['dataset']['table']}",
                         json.dumps(problem))
    return found


def test_an_unreachable_server_holds_up_only_its_own_datasets(playground):
    away = playground.folder / "away.db"
    playground.server_file("b").rename(away)
    failed = problems(playground, expect=1)
    assert sorted(failed) == ["b/t", "b/t_full", "b/t_inc"]
    assert all("no SQLite file" in text and "b.db" in text for text in failed.values())
    away.rename(playground.server_file("b"))
    playground.check_nothing_false()
    playground.check_settles()


def test_the_other_servers_rows_are_published_meanwhile(playground):
    away = playground.folder / "away.db"
    playground.server_file("b").rename(away)
    ended = playground.run("run", expect=1)
    assert "b/t" in ended.text() and "server 'b'" in " ".join(ended.text().split())
    playground.check(servers=["a"])


def test_no_server_at_all_is_another_exit_code(playground):
    for server in playground.servers:
        playground.server_file(server).unlink()
    playground.run("run", expect=3)
    assert not playground.lake.exists() or not list(playground.lake.glob("*/_delta_log/*.json"))


def test_a_file_that_is_no_database_is_said_so(playground):
    kept = playground.server_file("b").read_bytes()
    playground.server_file("b").write_bytes(b"this is not a database" * 1000)
    failed = problems(playground, expect=1)
    assert sorted(failed) == ["b/t", "b/t_full", "b/t_inc"]
    assert all("not a database" in text for text in failed.values()), failed
    playground.check(servers=["a"])
    playground.server_file("b").write_bytes(kept)
    playground.check_settles()


def test_a_missing_table_names_what_exists(playground):
    playground.configure(tables=[TABLES[0], "{from: f/tt, target_table: other, strategy: full}"])
    failed = problems(playground, expect=1)
    assert sorted(failed) == ["a/other", "b/other"]
    assert all("'tt'" in text and "demo_clock, t" in text for text in failed.values()), failed
    playground.check(tables=["t"])


def test_a_missing_cursor_column_names_what_exists(playground):
    wrong = TABLES[2].replace("cursor: at", "cursor: att")
    playground.configure(tables=[TABLES[0], wrong])
    failed = problems(playground, expect=1)
    assert sorted(failed) == ["a/t_inc", "b/t_inc"]
    assert all("'att'" in text and "id, at, v, n" in text for text in failed.values()), failed
    playground.check(tables=["t"])


@pytest.mark.parametrize("table", ["{from: f/tt, strategy: full}",
                                   TABLES[2].replace("cursor: at", "cursor: att")])
def test_nothing_else_to_load_still_fails(playground, table):
    playground.configure(tables=[table])
    playground.run("run", expect=1)


# Value, and what the message has to quote of it.
UNFIT = [("'abc'", "'abc'"), ("3.5", "3.5"), ("'12x'", "'12x'"), ("x'00ff'", "")]


@pytest.mark.parametrize("value, quoted", UNFIT, ids=[value for value, _ in UNFIT])
def test_a_value_that_does_not_fit_fails_its_microbatch_alone(playground, value, quoted):
    playground.change("a", f"UPDATE t SET id = {value} WHERE id = 700")
    (at, name), = rows_of(playground, "a", "n = 'row 700'")
    failed = problems(playground, expect=1)
    assert sorted(failed) == ["a/t", "a/t_full", "a/t_inc"]
    for text in failed.values():
        assert "column 'id'" in text and at in text and quoted in text, text
    playground.check(servers=["b"], tables=["t_full"])
    day = at[:10]
    found = playground.lake_rows("t")
    # Partitions are days in New York; those beyond the neighbours of the row's day are all there.
    expected = playground.source_rows(where=f"date(at) NOT BETWEEN date('{day}', '-1 day') AND "
                                            f"date('{day}', '+1 day')")
    assert not expected - found
    assert not any(row[4] == name and row[0] == "a" for row in found), "the unfit row was loaded"

    playground.change("a", "UPDATE t SET id = 700 WHERE n = ?", name)
    playground.check_settles()


def test_an_unfit_timestamp_fails_its_dataset_and_names_the_value(playground):
    playground.change("a", "UPDATE t SET at = '2013-01-07 25:61:00' WHERE id = 700")
    failed = problems(playground, expect=1)
    assert "a/t_full" in failed and "25:61" in failed["a/t_full"], failed
    playground.change("a", "UPDATE t SET at = '2013-01-07 21:00:00' WHERE id = 700")
    playground.check_settles()


def rows_of(playground, server, where):
    connection = sqlite3.connect(playground.server_file(server))
    found = connection.execute(f"SELECT at, n FROM t WHERE {where}").fetchall()
    connection.close()
    return found
