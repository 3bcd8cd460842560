"""`state show`, `export`, `import`, `set` and `reset`, alone and through a live coordinator."""

import contextlib
import json

import pytest
from playground import TABLES, Playground

ALL = ["t", "t_full", "t_inc"]


@pytest.fixture
def playground(tmp_path):
    return Playground(tmp_path / "play", rows=600, tables=tuple(TABLES))


@contextlib.contextmanager
def live_coordinator(playground):
    with playground.start("coordinator", "--listen", "127.0.0.1:0") as coordinator:
        address = coordinator.wait_for(r"listening at (127\.0\.0\.1:\d+)")[1]
        with playground.start("--coordinator", address, "worker", "--name", "w"):
            yield


def words(ended):
    return " ".join(ended.text().split())


def states(playground, dataset):
    """What `state show` says of it: {state: rows}."""
    shown = playground.last_json(playground.run("-o", "json", "state", "show", dataset))
    (record,) = shown["datasets"]
    found = {}
    for segment in record["segments"]:
        found[segment["state"]] = found.get(segment["state"], 0) + int(segment.get("rows", 0))
    return found


def rows_read(playground):
    ended = playground.last_json(playground.run("-o", "json", "run"))
    return {(d["dataset"]["server"], d["dataset"]["table"]): int(d.get("rows_read", 0))
            for d in ended["datasets"]}


@pytest.mark.parametrize("live", [False, True])
def test_a_marked_window_is_read_again_by_the_next_run(playground, live):
    playground.run("run")
    with live_coordinator(playground) if live else contextlib.nullcontext():
        assert states(playground, "a/t_inc") == {"fresh": 600}
        window = ["a/t_inc", "--from", "2013-01-03", "--to", "2013-01-05"]
        asked = playground.run("state", "set", *window, expect=2)
        assert "+ stale" in words(asked) and "--yes" in words(asked), "it shows, and asks"
        assert states(playground, "a/t_inc") == {"fresh": 600}, "and has done nothing"
        playground.run("state", "set", "--yes", *window)
        assert set(states(playground, "a/t_inc")) == {"fresh", "stale"}
        playground.run("state", "set", "--as", "fresh", "--yes", *window)
        assert states(playground, "a/t_inc") == {"fresh": 600}
        playground.run("state", "set", "--yes", *window)
        read = rows_read(playground)
        assert 60 < read["a", "t_inc"] < 600, "the piece of the window, whole"
        assert read["b", "t_inc"] < 10, "nobody marked it"
        assert states(playground, "a/t_inc") == {"fresh": 600}
    playground.check_settles(tables=ALL)


def test_a_reset_dataset_is_written_anew_and_readers_see_no_gap(playground):
    playground.run("run")
    before = playground.versions("t_inc")
    playground.run("state", "reset", "t_inc", "--yes")
    assert playground.versions("t_inc") == before
    playground.check(tables=ALL)
    assert states(playground, "b/t_inc") == {"stale": 600}
    assert rows_read(playground)["b", "t_inc"] == 600
    assert playground.versions("t_inc") > before, "also what is as it was is written"
    playground.check_settles(tables=ALL)


def test_an_export_makes_good_what_a_heal_cannot_know(playground):
    playground.run("run")
    export = playground.run("state", "export", "t", "t_inc").stdout[-1]
    saved = playground.folder / "saved.json"
    saved.write_text(export)
    for path in playground.state.glob("ledger.db*"):
        path.unlink()
    playground.run("state", "heal", "--yes")
    assert "stale" in states(playground, "a/t_inc")
    shown = playground.run("state", "import", str(saved), expect=2)
    assert "in the table as imported" in words(shown)
    playground.run("state", "import", str(saved), "--yes")
    assert states(playground, "a/t_inc").get("fresh") == 600
    playground.check_settles(tables=ALL)


def test_an_import_of_other_pieces_is_not_believed(playground):
    playground.run("run")
    export = json.loads(playground.run("state", "export", "a/t_inc").stdout[-1])
    for piece in export["datasets"][0]["progress"]["pieces"]:
        piece["fingerprint"]["rows"] = str(10 + int(piece["fingerprint"].get("rows", 0)))
    playground.run("state", "reset", "a/t_inc", "--yes")
    saved = playground.folder / "saved.json"
    saved.write_text(json.dumps(export))
    changed = playground.run("state", "import", str(saved), "--yes")
    assert "are left out" in words(changed)
    assert states(playground, "a/t_inc").get("fresh", 0) < 600 + 10
    playground.check_settles(tables=ALL)


def test_what_is_no_export_is_refused(playground):
    playground.run("run")
    saved = playground.folder / "saved.json"
    saved.write_text("{}")
    assert "state export" in words(playground.run("state", "import", str(saved), expect=2))
    saved.write_text("no json")
    playground.run("state", "import", str(saved), "--yes", expect=2)
    playground.run("state", "import", expect=2)
    playground.run("state", "import", str(playground.folder / "absent"), "--yes", expect=2)
    playground.run("state", "show", "no_such_table", expect=2)
    playground.check_settles(tables=ALL)
