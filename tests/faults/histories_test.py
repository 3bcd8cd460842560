"""Histories that others have broken, behind Headwater's back: found, shown, mended in one commit, and written again.

A live file is rewritten in place, as an editor of the table might, and its size in the log with it.
"""

import datetime
import itertools
import json
import shutil
from pathlib import Path

import deltalake
import pyarrow
import pyarrow.parquet
import pytest
from keyed_test import SEED, World

EXIT_USAGE, EXIT_DIFFERENT = 2, 5
TABLES = ["ranges", "whole"]


@pytest.fixture
def world(tmp_path):
    print(f"seed {SEED} (HEADWATER_FAULT_SEED={SEED})")
    loaded = World(tmp_path)
    loaded.run()
    for _ in range(6):
        loaded.change()
        loaded.run()
    loaded.check()
    return loaded


def rewrite(world, table, change):
    """Applies `change` to the table's rows, lists of dictionaries by file, and tells the log of its new files."""
    lake = world.folder / "lake" / table
    assert not list((lake / "_delta_log").glob("*.checkpoint*")), "sizes are in the checkpoint, too"
    files = {path: pyarrow.parquet.ParquetFile(lake / path).read() for path in live_files(lake)}
    rows = {path: file.to_pylist() for path, file in files.items()}
    change(list(rows.values()))
    for path, file in files.items():
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows[path], file.schema), lake / path)
    for log in (lake / "_delta_log").glob("*.json"):
        actions = [json.loads(line) for line in log.read_text().splitlines()]
        for add in (action["add"] for action in actions if "add" in action):
            if add["path"] in files:
                stats = dict(json.loads(add["stats"]), numRecords=len(rows[add["path"]]))
                add.update(size=(lake / add["path"]).stat().st_size, stats=json.dumps(stats))
        log.write_text("".join(json.dumps(action) + "\n" for action in actions))


def live_files(lake):
    return [str(Path(uri.removeprefix("file://")).relative_to(lake))
            for uri in deltalake.DeltaTable(str(lake)).file_uris()]


def by_key(files):
    keys = {}
    for row in itertools.chain.from_iterable(files):
        keys.setdefault(row["id"], []).append(row)
    for versions in keys.values():
        versions.sort(key=lambda row: row["valid_from"])
    return keys


class Breakage:
    """Breaks as many keys in as many ways; what a key's versions were is known, and all is mendable."""

    def __init__(self):
        self.broken = set()

    def __call__(self, files):
        day = datetime.timedelta(days=1)
        with_two = [versions for versions in by_key(files).values() if len(versions) > 1]
        single = [versions for versions in by_key(files).values() if len(versions) == 1]
        assert len(with_two) >= 4 and len(single) >= 2, "another seed: too few rows change"
        overlap, twice, turned, endless = with_two[:4]
        overlap[0]["valid_to"] = overlap[1]["valid_from"] + day
        twice[0]["valid_to"], twice[0]["is_current"] = None, True
        turned[0]["valid_to"] = turned[0]["valid_from"] - day
        endless[0]["valid_to"] = None
        single[0][0]["is_current"] = not single[0][0]["is_current"]
        for versions in (overlap, twice, turned, endless, single[0]):
            self.broken.add(versions[0]["id"])


def state_of(world):
    files = {}
    for path in sorted(path for path in (world.folder / "lake").rglob("*") if path.is_file()):
        files[path] = path.read_bytes()
    return files


def answer(world, *command, expect):
    return json.loads(world.headwater(*command, "-o", "json", expect=expect).stdout)


def version_of(world, table):
    return deltalake.DeltaTable(str(world.folder / "lake" / table)).version()


@pytest.mark.parametrize("table", TABLES)
def test_what_is_broken_is_shown_mended_in_one_commit_and_written_again(world, table):
    breakage = Breakage()
    rewrite(world, table, breakage)
    before, version = state_of(world), version_of(world, table)

    said = world.headwater("verify", table, "--scd2", expect=EXIT_DIFFERENT).stdout
    assert "BROKEN" in said and f"headwater repair s/{table} --scd2" in said, said
    found = answer(world, "repair", table, "--scd2", "--dry-run", expect=EXIT_DIFFERENT)
    (dataset,) = found["datasets"]
    keys = {one["key"] for one in dataset["differences"]}
    assert keys == {f"id = {id_}" for id_ in breakage.broken}, found
    for one in dataset["differences"]:
        assert "2013-01-" in one["found"] and "patch the version that begins at 2013-" in one["remedy"]
    assert state_of(world) == before, "a verification and a dry run change nothing"

    done = world.headwater("repair", table, "--scd2")
    assert f"mended    s/{table}: " in done.stdout, done.stdout
    assert version_of(world, table) == version + 1
    if table == "ranges":  # All that was broken follows from the begins.
        world.check()
    world.headwater("verify", table, "--scd2")
    sound = state_of(world)
    again = world.headwater("repair", table, "--scd2")
    assert "sound: " in again.stdout, again.stdout
    assert state_of(world) == sound

    for _ in range(2):
        world.change()
        world.run()
        assert {id_: versions[-1][2] for id_, versions in world.versions(table).items()
                if versions[-1][1] is None} == (
            {id_: row[0] for id_, row in world.rows.items()} if table == "whole" else
            {id_: seen[max(seen)] for id_, seen in world.observed.items()}), f"seed {SEED}"
    world.headwater("verify", table, "--scd2")


def test_a_run_that_finds_a_broken_history_says_what_to_do_and_a_repair_needs_no_source(world):
    rewrite(world, "ranges", Breakage())
    world.change()
    for id_ in sorted(world.rows):  # Each key is written, the broken ones too.
        world.put(id_, 9, None, world.now)
    done = world.headwater("run", "ranges", expect=None)
    assert done.returncode != 0
    assert "headwater repair --scd2" in " ".join((done.stdout + done.stderr).split()), done.stdout
    shutil.move(world.folder / "s.db", world.folder / "away.db")
    done = world.headwater("repair", "ranges", "--scd2")
    assert "mended" in done.stdout, done.stdout
    shutil.move(world.folder / "away.db", world.folder / "s.db")
    world.run()
    assert world.versions("ranges").keys() == world.observed.keys()
    world.check()


def test_rows_that_others_copied_and_removed_are_mended_before_all_is_read_again(world):
    gone = []

    def copy_and_remove(files):
        with_two = [versions for id_, versions in by_key(files).items()
                    if len(versions) > 1 and id_ in world.rows]
        files[0].append(dict(with_two[0][0]))
        files[0].append(dict(with_two[0][0]))
        gone.append(with_two[1][0])
        for rows in files:
            rows[:] = [row for row in rows if row is not gone[0]]

    rewrite(world, "ranges", copy_and_remove)
    world.headwater("run", "ranges", expect=1)  # All is read again, and the copies are in the way.
    found = answer(world, "repair", "ranges", "--scd2", "--dry-run", expect=EXIT_DIFFERENT)
    assert "the same content" in json.dumps(found["datasets"][0]["differences"])
    world.headwater("repair", "ranges", "--scd2")
    world.run()
    seen, end = world.observed[gone[0]["id"]], gone[0]["valid_to"].replace(tzinfo=None)
    for at in [at for at in seen if at < end]:
        del seen[at]  # The source has that no more.
    world.check()


def test_what_goes_with_no_history_is_refused(world):
    done = world.headwater("verify", "merged", "--scd2", expect=None)
    assert done.returncode == EXIT_USAGE and "keeps a history" in done.stderr, done.stderr
    for option in (["--counts"], ["--sample", "3"]):
        done = world.headwater("verify", "ranges", "--scd2", *option, expect=None)
        assert done.returncode == EXIT_USAGE and "--scd2" in done.stderr, done.stderr
    done = world.headwater("verify", "--scd2")  # Of all tables those that have one.
    assert "s/ranges" in done.stdout and "s/whole" in done.stdout and "s/merged" not in done.stdout


@pytest.mark.parametrize("place", ["stage.after_sync", "delta.before_put", "delta.after_put"])
def test_a_crash_around_the_commit_of_a_repair_is_made_good(world, place):
    rewrite(world, "ranges", Breakage())
    version = version_of(world, "ranges")
    world.headwater("repair", "ranges", "--scd2", expect=137, failpoints=f"{place}=1:crash")
    world.headwater("repair", "ranges", "--scd2")
    world.headwater("verify", "ranges", "--scd2")
    assert version_of(world, "ranges") == version + 1
    world.check()
