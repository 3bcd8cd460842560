"""What every fault test gets: a folder of its own, and mounts that nobody else sees."""

import ctypes
import os
import subprocess

import pytest

CLONE_NEWNS = 0x00020000


def take_private_mounts():
    """Why this process cannot mount for itself alone, or None.

    What is mounted in a namespace of our own is gone when its last process has ended, also when
    all of them were killed. Threads keep the namespace they began in: this comes before any other
    import starts one.
    """
    if os.geteuid() != 0:
        return "mounting a small tmpfs needs root"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        return f"no mount namespace of our own: {os.strerror(ctypes.get_errno())}"
    private = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, text=True)
    return private.stderr.strip() if private.returncode != 0 else None


WHY_NO_MOUNTS = take_private_mounts()

from playground import Playground  # noqa: E402  Imports Arrow, which starts threads.


@pytest.fixture
def playground(tmp_path):
    return Playground(tmp_path / "play")


@pytest.fixture(scope="session")
def private_mounts():
    """Skips where nothing can be mounted without others seeing it."""
    if WHY_NO_MOUNTS:
        pytest.skip(f"DISK FULL NOT TESTED: {WHY_NO_MOUNTS}")
