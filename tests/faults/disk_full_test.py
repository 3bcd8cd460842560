"""A disk that is full: under the lake, while rows are staged or committed, and under the ledger."""

import contextlib
import os
import subprocess

import pytest
from playground import Playground

# Below: `mount` needs root, and the right to mount, which a container may not have.


@contextlib.contextmanager
def small_disk(path, size):
    path.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("DISK FULL NOT TESTED: mounting a small tmpfs needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "headwater-test", path],
                             capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"DISK FULL NOT TESTED: {mounted.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


def grow(path, size):
    subprocess.run(["mount", "-o", f"remount,size={size}", path], check=True)


def says_disk_full(text):
    return "No space left" in text or "disk is full" in text or "disk full" in text


@pytest.mark.parametrize("size", ["16k", "64k", "128k", "256k"])
def test_a_full_disk_under_the_lake_hides_nothing_and_shows_nothing_half(tmp_path, size):
    """From the first file on to the last commits: each size runs out at another place."""
    play = Playground(tmp_path / "play")
    with small_disk(play.lake, size) as disk:
        ended = play.run("run", expect=None)
        assert ended.process.returncode in (1, 2, 3), ended.text()
        assert says_disk_full(ended.text()), ended.text()
        play.check_nothing_false()
        grow(disk, "64m")
        play.check_settles()


@pytest.mark.parametrize("spare", [0, 1, 2, 3, 5, 8])
def test_a_disk_that_fills_between_staging_and_commit(tmp_path, spare):
    """A loaded lake, a few spare pages of disk and one new row: a file and a log entry each."""
    play = Playground(tmp_path / "play")
    with small_disk(play.lake, "64m") as disk:
        play.run("run")
        before = play.source_rows()
        play.change("a", "INSERT INTO t VALUES (9999, '2013-01-20 12:00:00', 1.5, 'new')")
        used = os.statvfs(disk)
        grow(disk, (used.f_blocks - used.f_bfree + spare) * used.f_frsize)
        ended = play.run("run", expect=None)
        if spare == 0:
            assert ended.process.returncode in (1, 3), ended.text()
        assert ended.process.returncode == 0 or says_disk_full(ended.text()), ended.text()
        for table in ("t", "t_full", "t_inc"):  # As before or as after, never between.
            assert play.lake_rows(table) in (before, play.source_rows())
        grow(disk, "64m")
        play.check_settles()


@pytest.mark.parametrize("size", ["16k", "48k", "64k", "96k"])
def test_a_full_disk_under_the_ledger_ends_the_run(tmp_path, size):
    play = Playground(tmp_path / "play")
    with small_disk(play.state, size) as disk:
        ended = play.run("run", expect=None)
        assert ended.process.returncode not in (0, -6, -11), ended.text()
        assert says_disk_full(ended.text()), ended.text()
        play.check_nothing_false()
        grow(disk, "64m")
        play.check_settles()
