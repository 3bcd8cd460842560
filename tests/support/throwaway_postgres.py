"""A PostgreSQL 15 of a test's own, as throwaway_postgres.h has it, but reached over loopback.

In a temporary folder, on a port that was free, stopped by the id of the process that was started
here; its death follows ours.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BIN = "/usr/lib/postgresql/15/bin/"
START_LIMIT_SECONDS = 30
TRIES = 3  # Between finding a free port and listening on it, another process may take it.


def why_not():
    """Why there can be no server here, or None."""
    if not os.access(BIN + "postgres", os.X_OK):
        return f"no PostgreSQL 15 in {BIN} (apt install postgresql-15)"
    if os.geteuid() == 0 and not has_user("postgres"):
        return "PostgreSQL refuses root, and there is no user postgres"
    return None


def has_user(name):
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_server_user():
    user = ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
    return ["setpriv", "--pdeathsig", "INT", *(user if os.geteuid() == 0 else [])]


class ThrowawayPostgres:
    """Use as a context. Passwords are asked for on loopback, so that wrong ones are refused."""

    USER, PASSWORD = "postgres", "correct-horse"

    def __init__(self, options=()):
        self.options = options

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="hw_pg_", dir="/tmp")
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.process = None
        try:
            self._fill()
            for _ in range(TRIES):
                if self._start():
                    return self
            raise RuntimeError("PostgreSQL did not start:\n" + self._log())
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # Ends its sessions, then itself.
            self.process.wait(timeout=START_LIMIT_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fill(self):
        """Makes the folder `data`."""
        secret = os.path.join(self.folder, "password")
        with open(secret, "w") as file:
            file.write(self.PASSWORD)
        subprocess.run(
            [*as_server_user(), BIN + "initdb", "-D", self.folder + "/data", "-U", self.USER,
             "--pwfile", secret, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/")

    def _log(self):
        with open(self.folder + "/log") as file:
            return file.read()

    def _start(self):
        self.port = free_port()
        with open(self.folder + "/log", "w") as log:
            self.process = subprocess.Popen(
                [*as_server_user(), BIN + "postgres", "-D", self.folder + "/data", "-k", "", "-h",
                 "127.0.0.1", "-p", str(self.port), "-c", "fsync=off", "-c", "max_connections=40",
                 "-c", "max_wal_size=4GB", "-c", "log_min_messages=fatal", *self.options],
                stdout=log, stderr=log, cwd="/")
        limit = time.monotonic() + START_LIMIT_SECONDS
        while self.process.poll() is None and time.monotonic() < limit:
            ready = subprocess.run([BIN + "pg_isready", "-q", "-h", "127.0.0.1", "-p",
                                    str(self.port)]).returncode
            if ready == 0 and self.process.poll() is None:
                return True
            time.sleep(0.05)
        return False

    def psql_command(self, database, *arguments):
        """Arguments and environment of a psql that stops at the first error."""
        command = [BIN + "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                   str(self.port), "-U", self.USER, "-d", database, *arguments]
        return command, dict(os.environ, PGPASSWORD=self.PASSWORD, PGTZ="UTC")

    def sql(self, database, text, *arguments):
        command, environment = self.psql_command(database, *arguments)
        done = subprocess.run(command, env=environment, input=text, text=True, check=False,
                              capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"psql on {database}: {done.stderr}")
        return done.stdout

    def begin(self, database, text):
        """A psql with a transaction of `text`, open until the caller writes `commit;`."""
        command, environment = self.psql_command(database, "-At")
        session = subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        session.stdin.write(f"begin;\n{text};\nselect 'open';\n")
        session.stdin.flush()
        line = session.stdout.readline()
        if line != "open\n":
            session.kill()
            raise RuntimeError(f"the transaction did not begin: {line!r}")
        return session


class StandbyPostgres(ThrowawayPostgres):
    """Follows `primary`, as it was when the context was entered and from then on."""

    def __init__(self, primary, options=()):
        super().__init__(options)
        self.primary = primary

    def _fill(self):
        subprocess.run(
            [*as_server_user(), BIN + "pg_basebackup", "-D", self.folder + "/data", "-h",
             "127.0.0.1", "-p", str(self.primary.port), "-U", self.USER, "--write-recovery-conf",
             "--checkpoint=fast", "--no-sync"],
            check=True, cwd="/", env=dict(os.environ, PGPASSWORD=self.PASSWORD))
