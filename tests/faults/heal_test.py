"""The ledger is lost, damaged or restored from an older copy: `state heal` makes another one of what
the tables say, and runs go on; and other writers' files are taken over by `repair --adopt`."""

import datetime
import os
import random
import shutil
import subprocess
import time

import deltalake
import pytest
from playground import FIRST_DAY, KILLED, TABLES, Playground

SEED = int(os.environ.get("HEADWATER_FAULT_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = int(os.environ.get("HEADWATER_FAULT_HEALS", 12))
KEYED = ("{from: f/t, target_table: t_key, strategy: incremental, cursor: at, cursor_timezone: UTC,"
         " unit: 10d, write: merge, key: [id], delete_missing: hard}")
ALL = ["t", "t_full", "t_inc", "t_key"]


@pytest.fixture
def playground(tmp_path):
    return Playground(tmp_path / "play", rows=600, tables=(*TABLES, KEYED))


def owner(playground, table):
    return deltalake.DeltaTable(playground.lake / table).metadata().configuration["headwater.ledger"]


def words(ended):
    return " ".join(ended.text().split())


def lose_ledger(playground):
    for path in playground.state.glob("ledger.db*"):
        path.unlink()


def add_row(playground, server, number, day=20):
    playground.change(server, "INSERT INTO t VALUES (?, ?, ?, ?)", 900_000 + number,
                      str(FIRST_DAY + datetime.timedelta(days=day, minutes=number % 1440)), 1.5,
                      f"new {number}")


def test_a_lost_ledger_is_made_anew_and_what_had_settled_is_not_read_again(playground):
    playground.run("run")
    before = {table: owner(playground, table) for table in ALL}
    lose_ledger(playground)
    refused = playground.run("run", expect=1)
    assert "belongs to another ledger" in words(refused) and "state heal" in words(refused)
    lose_ledger(playground)
    healed = playground.run("state", "heal", "--yes")
    assert "there is no ledger" in words(healed)
    assert "taken over as they are, since they had settled" in words(healed)
    assert len({owner(playground, table) for table in ALL} - set(before.values())) == 1
    playground.check(tables=ALL)
    ended = playground.run("-o", "json", "run")
    read = {(d["dataset"]["server"], d["dataset"]["table"]): int(d.get("rows_read", 0))
            for d in playground.last_json(ended)["datasets"]}
    for server in playground.servers:
        assert read[server, "t_inc"] < 100, "just what had not settled"
        assert read[server, "t_key"] >= 600, "of keyed tables nobody knows what was read"
    for number, server in enumerate(playground.servers):
        add_row(playground, server, number)
    playground.check_settles(tables=ALL)
    assert "nothing" not in words(playground.run("status"))


def test_nobody_is_asked_without_a_terminal_and_then_nothing_is_done(playground):
    playground.run("run")
    lose_ledger(playground)
    versions = {table: playground.versions(table) for table in ALL}
    ended = playground.run("state", "heal", expect=2)
    assert "--yes" in words(ended) and "20 pieces" in words(ended), "it shows what it would do"
    assert {table: playground.versions(table) for table in ALL} == versions
    assert not (playground.state / "ledger.db").exists()


def test_a_corrupt_ledger_is_kept_under_a_name_that_says_so(playground):
    playground.run("run")
    ledger = playground.state / "ledger.db"
    with open(ledger, "r+b") as file:
        file.seek(4096)
        file.write(random.Random(7).randbytes(ledger.stat().st_size - 4096))
    damaged = ledger.read_bytes()
    healed = playground.run("-o", "json", "state", "heal", "--yes")
    (kept,) = (path for path in playground.state.glob("ledger.db.before-heal-*")
               if path.name[-4:] not in ("-wal", "-shm"))
    assert kept.read_bytes() == damaged
    assert playground.last_json(healed)["kept_as"] == str(kept)
    playground.check_settles(tables=ALL)


def test_a_ledger_that_is_older_than_its_tables_is_healed(playground):
    playground.run("run")
    shutil.copytree(playground.state, playground.folder / "backup")
    for number in range(3):
        add_row(playground, "a", number, day=20 + number)
        playground.run("run")
    shutil.rmtree(playground.state)
    (playground.folder / "backup").rename(playground.state)
    add_row(playground, "a", 9)
    playground.run("run", expect=1)
    healed = playground.run("state", "heal", "--yes")
    assert "can be read" in words(healed)
    playground.check_settles(tables=ALL)


def test_heal_needs_the_ledger_for_itself(playground):
    playground.run("run")
    with playground.start("coordinator", "--listen", "127.0.0.1:0") as coordinator:
        coordinator.wait_for(r"listening at (127\.0\.0\.1:\d+)")
        ended = playground.run("state", "heal", "--yes", expect=2)
        assert "has the ledger" in words(ended)


@pytest.mark.parametrize("place", ["delta.before_put", "delta.after_put", "takeover.after_table"])
@pytest.mark.parametrize("occurrence", [1, 3])
def test_a_heal_that_dies_is_done_once_more(playground, place, occurrence):
    playground.run("run")
    lose_ledger(playground)
    playground.run("state", "heal", "--yes", expect=137, failpoints=f"{place}={occurrence}:crash")
    playground.check(tables=ALL)
    playground.run("state", "heal", "--yes")
    playground.check_settles(tables=ALL)


def change_something(playground, draw, number):
    """New rows, and such as share the newest instant with what may be published already."""
    server = draw.choice(playground.servers)
    newest = 20 * 1440 + 10 * number
    for i in range(draw.randrange(1, 4)):
        at = FIRST_DAY + datetime.timedelta(minutes=newest - (0 if draw.random() < 0.5 else 10))
        playground.change(server, "INSERT INTO t VALUES (?, ?, ?, ?)", 900_000 + 10 * number + i,
                          str(at), 1.5, f"new {number}")


def test_ledgers_that_are_lost_at_random_moments_lose_and_repeat_nothing(tmp_path):
    print(f"seed {SEED} (HEADWATER_FAULT_SEED={SEED})")
    draw = random.Random(SEED)
    undisturbed = Playground(tmp_path / "undisturbed", rows=600, tables=(*TABLES, KEYED))
    begun = time.monotonic()
    undisturbed.run("run")
    whole = time.monotonic() - begun
    play = Playground(tmp_path / "play", rows=600, tables=(*TABLES, KEYED))
    killed = 0
    for number in range(ROUNDS):
        change_something(play, draw, number)
        with play.start("run") as run:
            try:
                code = run.process.wait(timeout=draw.uniform(0.0, 1.5 * whole))
            except subprocess.TimeoutExpired:
                code = run.kill()
            assert code in (0, KILLED), f"seed {SEED}: exit {code}\n{run.text()}"
            killed += code == KILLED
        lose_ledger(play)
        play.check_nothing_false(tables=ALL)
        play.run("state", "heal", "--yes")
        play.check_nothing_false(tables=ALL)
        if draw.random() < 0.5:  # Else the next loss meets what this one left.
            play.run("run")
            play.check(tables=ALL)
            play.run("verify")
    play.check_settles(tables=ALL)
    print(f"{killed} of {ROUNDS} runs were killed")


def files(playground, table):
    found = deltalake.DeltaTable(playground.lake / table).file_uris()
    return [path.split(f"/{table}/")[1] for path in found]


def optimize(playground, table):
    rewritten = deltalake.DeltaTable(playground.lake / table).optimize.compact()
    assert rewritten["numFilesRemoved"] > 0, rewritten


def test_files_that_another_writer_rewrote_are_adopted_and_then_replaced(playground):
    playground.run("run")
    optimize(playground, "t_inc")
    optimize(playground, "t_key")
    add_row(playground, "a", 1)
    refused = playground.run("run", expect=1)
    assert "repair --adopt" in words(refused), words(refused)
    asked = playground.run("repair", "--adopt", "t_inc", expect=2)
    (file,) = (path for path in files(playground, "t_inc") if "server_source=a" in path)
    assert file in words(asked), "it says which files"
    playground.run("repair", "--adopt", "--yes", "t_inc", "t_key")
    found = playground.lake_rows("t_inc")
    assert found.total() == 1200, "nothing goes before it has been read again"
    # A reader between adoption and the next read sees all of it; then all is as it should be.
    playground.check_settles(tables=ALL)
    assert file not in files(playground, "t_inc")
    assert "nothing to take over" in words(playground.run("repair", "--adopt", "--yes", "t_inc"))


def test_a_heal_leaves_files_of_others_and_says_which(playground):
    playground.run("run")
    optimize(playground, "t_inc")
    lose_ledger(playground)
    healed = playground.run("state", "heal", "--yes", expect=1)
    assert "2 files that Headwater did not write" not in words(healed), "one of each server"
    assert "1 file that Headwater did not write" in words(healed) and ".parquet" in words(healed)
    assert "repair --adopt" in words(healed)
    playground.check(tables=ALL)
    playground.run("repair", "--adopt", "--yes", "t_inc")
    playground.check_settles(tables=ALL)


def test_an_adoption_outlives_the_ledger_that_made_it(playground):
    playground.run("run")
    optimize(playground, "t_inc")
    playground.run("repair", "--adopt", "--yes", "t_inc")
    lose_ledger(playground)
    playground.run("state", "heal", "--yes")
    playground.check_settles(tables=ALL)


def test_rows_that_another_writer_appended_go_with_the_adoption(playground):
    playground.run("run")
    table = deltalake.DeltaTable(playground.lake / "t_inc")
    some = table.to_pyarrow_table().slice(0, 5)
    deltalake.write_deltalake(table, some, mode="append")
    playground.run("repair", "--adopt", "--yes", "t_inc")
    assert playground.lake_rows("t_inc").total() == 1205
    playground.check_settles(tables=ALL)


def test_a_table_of_another_ledger_is_adopted_with_what_had_settled(playground):
    playground.run("run")
    playground.state.rename(playground.folder / "lost")
    playground.run("run", expect=1)
    adopted = playground.run("repair", "--adopt", "--yes", "t_inc")
    assert "had settled" in words(adopted)
    refused = playground.run("run", expect=1)
    assert "belongs to another ledger" in words(refused), "the other tables were not selected"
    playground.run("repair", "--adopt", "--yes")
    playground.check_settles(tables=ALL)


def test_outside_rows_and_a_quarantine_survive_the_loss(tmp_path):
    play = Playground(tmp_path / "play", rows=200, servers=("a",), tables=(
        "{from: f/t, strategy: incremental, cursor: at, cursor_timezone: UTC, unit: 10d,"
        " on_bad_row: quarantine}",))
    play.change("a", "INSERT INTO t VALUES (7001, NULL, 1, 'null')")
    play.change("a", "INSERT INTO t VALUES (7002, '2013-03-09 00:00:00', 1, 'far')")
    play.change("a", "INSERT INTO t VALUES ('no number', '2013-01-02 12:00:00', 1, 'bad')")
    play.run("run", expect=None)

    def rows(name):
        folder = play.lake / name
        return deltalake.DeltaTable(folder).to_pyarrow_table().num_rows

    before = rows("t"), rows("t__quarantine")
    assert before == (202, 1)
    lose_ledger(play)
    healed = play.run("state", "heal", "--yes")
    assert "outside of the domain" in words(healed)
    play.run("run", expect=None)
    assert (rows("t"), rows("t__quarantine")) == before
    # What was of the far future is in the domain now, and stays there once.
    play.change("a", "UPDATE demo_clock SET value = '2013-03-10 00:00:00'")
    lose_ledger(play)
    play.run("state", "heal", "--yes")
    play.run("run", expect=None)
    assert (rows("t"), rows("t__quarantine")) == before
