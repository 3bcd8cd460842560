"""A ledger that SQLite calls corrupt, and output folders that belong to somebody else."""

import random

import deltalake
import pyarrow as pa
import pytest


def garbage(seed, size):
    return random.Random(seed).randbytes(size)


def overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


DAMAGES = {
    "header": lambda path: overwrite(path, 0, b"garbage, no header"),
    "pages": lambda path: overwrite(path, 4096, garbage(7, path.stat().st_size - 4096)),
    "cut in a page": lambda path: overwrite_with_cut(path, 5000),
    "cut at a page": lambda path: overwrite_with_cut(path, 8192),
    "cut to 10 bytes": lambda path: overwrite_with_cut(path, 10),
}


def overwrite_with_cut(path, size):
    with open(path, "r+b") as file:
        file.truncate(size)


def snapshot(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_corrupt_ledger_is_refused_with_what_can_be_done(playground, damage):
    playground.run("run")
    ledger = playground.state / "ledger.db"
    whole, lake = ledger.read_bytes(), snapshot(playground.lake)
    DAMAGES[damage](ledger)
    damaged = ledger.read_bytes()
    for command in ["run"], ["status"], ["coordinator", "--listen", "127.0.0.1:0"]:
        text = playground.run(*command, expect=2).text()
        assert "ledger.db" in text and "SQLite says" in text and "backup" in text, text
    assert ledger.read_bytes() == damaged, "the damaged file is evidence, and was changed"
    assert snapshot(playground.lake) == lake
    ledger.write_bytes(whole)
    playground.check_settles()


def test_a_lake_without_its_ledger_is_refused_not_doubled(playground):
    """The ledger is lost, its tables are not: a new ledger does not own them."""
    playground.run("run")
    lake = snapshot(playground.lake)
    playground.state.rename(playground.folder / "lost")
    ended = playground.run("run", expect=1)
    for table in ("t", "t_full", "t_inc"):
        refusals(ended, playground, table, "belongs to another ledger", "found: ledger ")
    assert snapshot(playground.lake) == lake, "nothing is even staged in it"
    playground.check()


def test_a_foreign_delta_table_is_refused_and_left_alone(playground):
    playground.lake.mkdir()
    foreign = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "theirs": ["x", "y", "z"]})
    deltalake.write_deltalake(playground.lake / "t", foreign)
    before = snapshot(playground.lake / "t")
    for _ in range(2):  # Each run asks again, and says it again.
        ended = playground.run("run", expect=1)
        refusals(ended, playground, "t", "did not make", "found: no ledger")
        assert snapshot(playground.lake / "t") == before, "nothing is even staged in it"
    playground.check(tables=["t_full", "t_inc"])
    assert "did not make" in " ".join(playground.run("status").text().split())
    assert deltalake.DeltaTable(playground.lake / "t").to_pyarrow_table() == foreign


def test_foreign_files_in_the_place_of_a_table_are_left_alone(playground):
    (playground.lake / "t").mkdir(parents=True)
    (playground.lake / "t" / "report.csv").write_text("somebody's work\n")
    (playground.lake / "t" / "part-0.parquet").write_bytes(b"PAR1 somebody's work")
    before = snapshot(playground.lake / "t")
    ended = playground.run("run", expect=1)
    refusals(ended, playground, "t", "and no table of ours", "found: no ledger")
    assert snapshot(playground.lake / "t") == before, "nothing is even staged beside them"
    playground.check(tables=["t_full", "t_inc"])
    (playground.lake / "t").rename(playground.folder / "theirs")
    playground.check_settles()


def refusals(ended, playground, table, why, found):
    """The table's refusal stands there once for all its datasets, and says what can be done."""
    text = " ".join(ended.text().split())
    said = f"FAILED a/{table}, b/{table}: table {table}, folder {playground.lake / table}: "
    assert text.count(f"table {table}, folder") == 1 and said in text, text
    refusal = text.split(said)[1].split("FAILED")[0]
    for words in (why, "Expected owner: ledger", found, "Move the folder away", "target_table"):
        assert words in refusal, refusal
    (summary,) = (line for line in ended.stdout if line.startswith(f"a/{table} "))
    assert summary.split()[1:5] == ["FAILED", "0", "0", "0"], "no microbatch was tried"


def copies(playground):
    return sorted((playground.state / "backups").glob("ledger-*.db*"))


def test_a_ledger_that_is_lost_can_be_had_from_its_backup(playground):
    playground.run("run")
    assert not copies(playground), "there was nothing in it when the run began"
    playground.run("run")
    (copy,) = copies(playground)
    playground.run("run")
    assert copies(playground) == [copy], "the newest is less than a day old"
    for path in playground.state.glob("ledger.db*"):
        path.unlink()
    asked = playground.run("state", "heal", expect=2)
    assert copy.name in " ".join(asked.text().split()), "it names the newest"
    copy.rename(playground.state / "ledger.db")
    playground.run("fsck")
    playground.check_settles()
    playground.run("fsck")


def test_a_full_or_locked_place_for_backups_stops_no_run(playground):
    playground.run("run")
    (playground.state / "backups").write_text("this is no folder")
    ended = playground.run("run")
    assert "not backed up" in ended.text()
    playground.check()
