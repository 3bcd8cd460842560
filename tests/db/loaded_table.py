"""What the tests of values share: one table of a server, and the lake that the program makes of it.

HEADWATER_BINARY names the program (ctest sets it). HEADWATER_SEED repeats a run that failed.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))
from readers import READERS, rows_of  # noqa: E402

CONFIG = """
version: 1
servers: {{db: {server}}}
targets: {{lake: {{delta: ./lake}}}}
defaults: {{target: lake, retries: 0}}
tables:
  - {{from: db/{table}, {strategy}}}
"""


def started(kind, why_not):
    """Yields a server of `kind` for a fixture; skips where there can be none, but not in CI."""
    reason = why_not()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(reason)
        print(f"\nSKIPPED: {reason}", file=sys.__stderr__)
        pytest.skip(reason)
    with kind() as server:
        yield server


class LoadedTable:
    """`access` is the server as headwater.yaml has it, with ${PASSWORD} for its password."""

    def __init__(self, server, database, table, folder, access, strategy="strategy: full"):
        self.server, self.database, self.table, self.folder = server, database, table, folder
        (folder / "headwater.yaml").write_text(
            CONFIG.format(server=access, table=table, strategy=strategy))

    def sql(self, text):
        return self.server.sql(self.database, text)

    def command(self, *words):
        """Exit code, what was printed as data, and all that was printed."""
        done = subprocess.run(
            [os.environ["HEADWATER_BINARY"], "--progress", "off", *words], cwd=self.folder,
            env=dict(os.environ, PASSWORD=self.server.PASSWORD), text=True, capture_output=True,
            timeout=300, check=False)
        return done.returncode, done.stdout, done.stdout + done.stderr

    def run(self):
        code, _, said = self.command("run")
        assert code == 0, said

    def read(self, reader):
        return READERS[reader](str(self.folder / "lake" / self.table))

    def read_rows(self, reader, names):
        return rows_of(self.read(reader).select(names))


def chosen_seed():
    seed = int(os.environ.get("HEADWATER_SEED", random.randrange(1 << 32)))
    print(f"HEADWATER_SEED={seed}", file=sys.__stderr__)
    return seed


def values_printed(rows, kinds):
    """What readers must find, by column, of `rows` of the texts that a server prints or None."""
    return {name: [None if value is None else kind.read(value) for value in column]
            for (name, kind), column in zip(kinds.items(), zip(*rows))}


def check_values(place, reader, kinds, expected, seed):
    """Compares the columns of `kinds`, in order of id, value by value and type by type."""
    found = place.read(reader).sort_by("id")
    names = list(kinds)
    columns = dict(zip(names, zip(*rows_of(found.select(names)))))
    for name, kind in kinds.items():
        assert len(columns[name]) == len(expected[name])
        for row, (there, here) in enumerate(zip(expected[name], columns[name])):
            assert there == here and type(there) is type(here), (
                f"HEADWATER_SEED={seed}: {reader} reads {here!r:.300} in row {row} of {kind.sql}; "
                f"the server prints {there!r:.300}")


def check_bad_value(place, shown):
    """The run must stop the table for the value in its row with id 17, and publish nothing."""
    code, _, said = place.command("run")
    assert code == 1, said
    words = " ".join(said.split())
    assert "column 'v'" in words and f"'{shown}' in the row with id=17" in words
    assert not list(place.folder.glob("lake/bad/_delta_log/*.json"))
