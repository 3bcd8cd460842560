"""A MariaDB of a test's own, as throwaway_mariadb.h has it.

In a temporary folder, reached through a socket in that folder (and on a port that was free, if it is
asked for), stopped by the id of the process that was started here; its death follows ours.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time

from throwaway_postgres import TRIES, free_port

SERVER, INSTALL, CLIENT = "/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db", "/usr/bin/mariadb"
START_LIMIT_SECONDS = 30


def why_not():
    """Why there can be no server here, or None."""
    for program, package in ((SERVER, "server-core"), (INSTALL, "server-core"),
                             (CLIENT, "client-core")):
        if not os.access(program, os.X_OK):
            return f"no {program} (apt install mariadb-{package})"
    try:
        pwd.getpwnam("nobody")
    except KeyError:
        return "MariaDB refuses root, and there is no user nobody"
    return None


def as_server_user(folder):
    user = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    # Another zone than UTC, so that nothing is right by chance; temporary files of its own, since a
    # server that starts removes those of others.
    return ["setpriv", "--pdeathsig", "KILL", *(user if os.geteuid() == 0 else []),
            "env", "TZ=Europe/Oslo", "TMPDIR=" + folder]


class ThrowawayMariaDb:
    """Use as a context. `USER` may read everything, and see who else does what."""

    USER, PASSWORD = "loader", "correct-horse"

    def __init__(self, tcp=False, options=()):
        self.tcp, self.options = tcp, options
        self.port = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="hw_my_", dir="/tmp")
        self.socket = self.folder + "/socket"
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody", "nogroup")
        self.process = None
        try:
            with open(self.folder + "/log", "w") as log:
                subprocess.run(
                    [*as_server_user(self.folder), INSTALL, "--no-defaults",
                     "--datadir=" + self.folder + "/data",
                     "--skip-test-db", "--auth-root-authentication-method=normal",
                     "--skip-name-resolve"], check=True, stdout=log, stderr=log, cwd="/")
            if not any(self._start() for _ in range(TRIES if self.tcp else 1)):
                with open(self.folder + "/log") as log:
                    raise RuntimeError("MariaDB did not start:\n" + log.read())
            self.sql("mysql", f"create user {self.USER} identified by '{self.PASSWORD}'; "
                              f"grant select, process on *.* to {self.USER}")
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.process is not None:
            self.process.kill()  # Nothing in its folder is worth an orderly end.
            self.process.wait(timeout=START_LIMIT_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self):
        network = ["--skip-networking"]
        if self.tcp:
            self.port = free_port()
            network = [f"--port={self.port}", "--bind-address=127.0.0.1"]
        with open(self.folder + "/log", "w") as log:
            self.process = subprocess.Popen(
                [*as_server_user(self.folder), SERVER, "--no-defaults",
                 "--datadir=" + self.folder + "/data", "--socket=" + self.socket, *network,
                 "--pid-file=" + self.folder + "/pid", "--innodb-flush-log-at-trx-commit=0",
                 "--character-set-server=utf8mb4", "--max-allowed-packet=64M", *self.options],
                stdout=log, stderr=log, cwd="/")
        limit = time.monotonic() + START_LIMIT_SECONDS
        while self.process.poll() is None and time.monotonic() < limit:
            if subprocess.run(self.command("mysql", "-e", "do 1"), stderr=subprocess.DEVNULL,
                              check=False).returncode == 0:
                return True
            time.sleep(0.05)
        return False

    SCHEMES = ("mariadb", "odbc")

    def url(self, database, scheme):
        """Without user and password."""
        if scheme == "odbc":
            return f"odbc:Driver=MariaDB Unicode;Socket={self.socket};Database={database}"
        return f"mariadb://localhost/{database}?socket={self.socket}"

    def access(self, database, scheme):
        """Keys of a server in headwater.yaml; the password comes from the environment."""
        return f'url: "{self.url(database, scheme)}", user: {self.USER}, password: "${{PASSWORD}}"'

    def command(self, database, *arguments):
        return [CLIENT, "--no-defaults", "--socket=" + self.socket, "--user=root",
                "--default-character-set=utf8mb4", "--max-allowed-packet=64M", "--batch",
                "--skip-column-names", *arguments, database]

    def sql(self, database, text):
        """Runs `text` in UTC. What is printed: a line per row, tabs between values, escaped."""
        done = subprocess.run(self.command(database), input="set time_zone = '+00:00';\n" + text,
                              text=True, encoding="utf-8", check=False, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"mariadb on {database}: {done.stderr[-1000:]}")
        return done.stdout

    def begin(self, database, text):
        """A client with a transaction of `text`, open until the caller writes `commit;`."""
        session = subprocess.Popen(self.command(database, "--unbuffered"), text=True,
                                   encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        session.stdin.write(f"set time_zone = '+00:00'; begin;\n{text};\nselect 'open';\n")
        session.stdin.flush()
        line = session.stdout.readline()
        if line != "open\n":
            session.kill()
            raise RuntimeError(f"the transaction did not begin: {line!r}")
        return session
