"""What the tests of fleets share: databases of one server, loaded by three strategies at once.

HEADWATER_BINARY names the program (ctest sets it).
"""

import json
import os
import subprocess

ROWS = 60_000  # Of each member.
DAYS = 3  # That the rows of `deals` cover, up to now.
STRATEGIES = ("incremental", "partition", "full")

CONFIG = """
version: 1
fleets:
  crm: {{{access}, members: [{members}]}}
targets:
  lake: {{delta: ./lake}}
defaults: {{target: lake, retries: 0}}
tables:
  - {{from: crm/{relation}, target_table: incremental, strategy: incremental,
      cursor: last_modified, unit: 1d}}
  - {{from: crm/{relation}, target_table: partition, strategy: partition, cursor: timemsc,
      unit: 1d}}
  - {{from: crm/{relation}, target_table: full, strategy: full}}
"""


class Fleet:
    """`access` is the fleet's url and user as headwater.yaml has them, with ${PASSWORD}."""

    def __init__(self, server, folder, members, access, relation="deals"):
        self.server, self.folder, self.members = server, folder, members
        (folder / "headwater.yaml").write_text(
            CONFIG.format(access=access, members=", ".join(members), relation=relation))

    def run(self, password=None):
        """Exit code, the run as an object, and all that was printed."""
        done = subprocess.run(
            [os.environ["HEADWATER_BINARY"], "run", "-o", "json", "--progress", "plain",
             "--workers", "2"],
            cwd=self.folder, env=dict(os.environ, PASSWORD=password or self.server.PASSWORD),
            text=True, capture_output=True, timeout=120, check=False)
        said = done.stdout + done.stderr
        assert done.stdout, said
        return done.returncode, json.loads(done.stdout), said

    def run_well(self):
        """How many rows were written."""
        code, run, said = self.run()
        assert code == 0, said
        assert len(run["datasets"]) == len(self.members) * len(STRATEGIES)
        return sum(int(dataset.get("rows_written", 0)) for dataset in run["datasets"])

    def check_rows(self, members=None):
        """Compares what the server prints of each member with what was published of it."""
        raise NotImplementedError

    def check_late_rows(self, late):
        """`late` is a session of the server's, open, with rows that it has not committed."""
        try:
            self.run_well()
            self.check_rows()
            assert self.run_well() == 0
            late.communicate("commit;\n", timeout=30)
            assert late.returncode == 0
        finally:
            late.kill()
            late.wait()
        assert self.run_well() > 0
        self.check_rows()
        assert self.run_well() == 0

    def check_lost(self, member, words):
        """`member` is gone: its datasets fail with `words`, those of others do not."""
        code, run, said = self.run()
        assert code == 1, said
        assert all(words in message for message in messages(run)), said
        failed = {(dataset["dataset"]["server"], dataset["dataset"]["table"])
                  for dataset in run["datasets"] if dataset["state"] == "STATE_FAILED"}
        assert failed == {(member, strategy) for strategy in STRATEGIES}
        self.check_rows([other for other in self.members if other != member])

    def check_wrong_password(self, words):
        """Nobody gets in, `words` say so, and no password is shown or kept."""
        wrong = "wr0ng-battery"
        code, run, said = self.run(password=wrong)
        assert code == 3, said
        assert all(words in message for message in messages(run)), said
        kept = [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        for secret in (wrong, self.server.PASSWORD):
            assert secret not in said
            assert not any(secret.encode() in content for content in kept)


def messages(run):
    told = [problem["message"] for problem in run["problems"] if problem.get("message")]
    assert told
    return told
