"""mariadb:// and postgresql:// over TLS: what is asked for is had, or there is no connection."""

import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "interop"), str(TESTS / "db")]
from loaded_table import started  # noqa: E402
from readers import READERS  # noqa: E402
from throwaway_mariadb import ThrowawayMariaDb  # noqa: E402
from throwaway_mariadb import why_not as mariadb_why_not  # noqa: E402
from throwaway_postgres import ThrowawayPostgres  # noqa: E402
from throwaway_postgres import why_not as postgres_why_not  # noqa: E402

CONFIG = """
version: 1
servers: {{s: {{url: "{url}", user: {user}, password: "${{PASSWORD}}"}}}}
targets: {{lake: {{delta: ./lake}}}}
tables:
  - {{from: {relation}, target: lake, target_table: t, strategy: full}}
"""
TABLE = "create table t as select 7 as id"
# Who must encrypt, and who need not.
CAREFUL, PLAIN = "careful", "plain"


def certificate(folder, name, address):
    """A certificate that signs itself, and its key."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem",
         "-subj", f"/CN={address}", "-addext", f"subjectAltName=IP:{address},DNS:{address}"],
        check=True, capture_output=True)


class AskingServer:
    """Plays a MySQL that cannot encrypt and asks for the password itself."""

    PASSWORD = "correct-horse"
    LOGIN = b"caching_sha2_password"
    # All of the protocol's 4.1, but not TLS (0x800), compression (0x20) or results without their
    # packet at the end (1 << 24).
    CAPABILITIES = 0xFFFFFFFF & ~0x800 & ~0x20 & ~(1 << 24)
    ASK_IN_THE_CLEAR = b"\x01\x04"

    def __enter__(self):
        self.visits, self.heard = 0, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # Wakes accept().
        self.listener.close()
        self.thread.join()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.visits += 1
            with client:
                self._ask(client)

    def _ask(self, client):
        scramble, low, high = b"A" * 20, self.CAPABILITIES & 0xFFFF, self.CAPABILITIES >> 16
        greeting = (b"\x0a8.0.36\0" + struct.pack("<I", 7) + scramble[:8] + b"\0"
                    + struct.pack("<HBHHB", low, 0x2D, 2, high, 21) + b"\0" * 10
                    + scramble[8:] + b"\0" + self.LOGIN + b"\0")
        client.sendall(struct.pack("<I", len(greeting))[:3] + b"\0" + greeting)
        self.heard += client.recv(4096)
        client.sendall(b"\x02\0\0\x02" + self.ASK_IN_THE_CLEAR)
        while answer := client.recv(4096):
            self.heard += answer
            client.sendall(b"\x02\0\0\x04" + self.ASK_IN_THE_CLEAR)


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(prefix="hw_tls_", dir="/tmp") as made:
        for name in ("server", "other"):
            certificate(Path(made), name, "127.0.0.1")
        yield made


def given_to(folder, user):
    """The server's certificate and key where `user`, who runs it, may read them and nobody else."""
    theirs = Path(tempfile.mkdtemp(prefix="hw_tls_", dir="/tmp"))
    for name in ("server.pem", "server.key"):
        shutil.copy(Path(folder) / name, theirs / name)
        (theirs / name).chmod(0o600)
    if os.geteuid() == 0:
        for path in (theirs, *theirs.iterdir()):
            shutil.chown(path, user)
    return theirs


@pytest.fixture(scope="module")
def mariadb(folder):
    files = given_to(folder, "nobody")
    options = (f"--ssl-cert={files}/server.pem", f"--ssl-key={files}/server.key")
    for server in started(lambda: ThrowawayMariaDb(tcp=True, options=options), mariadb_why_not):
        server.sql("mysql", "create database d")
        server.sql("d", TABLE)
        for user, requires in ((CAREFUL, "ssl"), (PLAIN, "none")):
            server.sql("mysql", f"create user {user} identified by '{server.PASSWORD}' "
                                f"require {requires}; grant select, process on *.* to {user}")
        yield server
    shutil.rmtree(files)


@pytest.fixture(scope="module")
def postgres(folder):
    files = given_to(folder, "postgres")
    options = ("-c", "ssl=on", "-c", f"ssl_cert_file={files}/server.pem",
               "-c", f"ssl_key_file={files}/server.key")
    for server in started(lambda: ThrowawayPostgres(options), postgres_why_not):
        server.sql("postgres", TABLE)
        yield server
    shutil.rmtree(files)


def run(folder, server, url, user, relation):
    (folder / "headwater.yaml").write_text(CONFIG.format(url=url, user=user, relation=relation))
    done = subprocess.run(
        [os.environ["HEADWATER_BINARY"], "run", "--progress", "off"], cwd=folder, text=True,
        env=dict(os.environ, PASSWORD=server.PASSWORD), capture_output=True, timeout=120,
        check=False)
    said = " ".join((done.stdout + done.stderr).split())
    assert server.PASSWORD not in said
    if done.returncode == 0:
        assert READERS["deltalake"](str(folder / "lake" / "t")).column("id").to_pylist() == [7]
    return done.returncode, said


@pytest.mark.parametrize("user, options", [
    (PLAIN, ""), (PLAIN, "?ssl=1"), (CAREFUL, "?ssl=1"), (CAREFUL, "?ssl-ca={folder}/server.pem"),
    (CAREFUL, "?ssl-ca={folder}/other.pem&ssl-verify-server-cert=0"),
])
def test_mariadb_gives_what_is_asked_for(mariadb, folder, tmp_path, user, options):
    url = f"mariadb://127.0.0.1:{mariadb.port}/d{options.format(folder=folder)}"
    code, said = run(tmp_path, mariadb, url, user, "s/t")
    assert code == 0, said


@pytest.mark.parametrize("user, options, words", [
    (CAREFUL, "", "Access denied for user 'careful'"),
    (CAREFUL, "?ssl-ca={folder}/other.pem", "certificate"),
    (PLAIN, "?ssl-ca={folder}/absent.pem", "cannot read '{folder}/absent.pem'"),
    (PLAIN, "?ssl-verify-server-cert=1", "certificate"),
    (PLAIN, "?ssl=0&ssl-ca={folder}/server.pem", "no other option of ssl beside ssl=0"),
])
def test_or_there_is_no_connection_to_mariadb(mariadb, folder, tmp_path, user, options, words):
    url = f"mariadb://127.0.0.1:{mariadb.port}/d{options.format(folder=folder)}"
    code, said = run(tmp_path, mariadb, url, user, "s/t")
    assert code != 0
    assert "server 's': connecting" in said and words.format(folder=folder) in said


def test_a_refused_login_is_made_once(mariadb, tmp_path):
    def refused():
        said = mariadb.sql("mysql", "show global status like 'Access_denied_errors'")
        return int(said.split()[-1])
    before = refused()
    code, _ = run(tmp_path, mariadb, f"mariadb://127.0.0.1:{mariadb.port}/d", CAREFUL, "s/t")
    assert code != 0 and refused() == before + 1


@pytest.mark.parametrize("options", ["", "?ssl=1"])
def test_no_server_gets_a_password_in_the_clear_by_asking_for_it(tmp_path, options):
    """Who answers is not known: it says that it cannot encrypt, and what login it wants."""
    with AskingServer() as asking:
        url = f"mariadb://127.0.0.1:{asking.port}/d{options}"
        code, said = run(tmp_path, asking, url, "somebody", "s/t")
    assert code != 0 and "certificate" in said, said
    assert asking.visits > 0
    assert asking.PASSWORD.encode() not in asking.heard


def test_a_mariadb_without_tls_is_not_read_where_tls_is_asked_for(tmp_path):
    for server in started(ThrowawayMariaDb, mariadb_why_not):
        server.sql("mysql", "create database d")
        url = server.url("d", "mariadb") + "&ssl=1"
        code, said = run(tmp_path, server, url, server.USER, "s/t")
        assert code != 0 and "does not encrypt" in said, said


@pytest.mark.parametrize("options", [
    "", "?sslmode=require", "?sslmode=verify-full&sslrootcert={folder}/server.pem"])
def test_postgresql_gives_what_is_asked_for(postgres, folder, tmp_path, options):
    url = f"postgresql://127.0.0.1:{postgres.port}/postgres{options.format(folder=folder)}"
    code, said = run(tmp_path, postgres, url, postgres.USER, "s/public.t")
    assert code == 0, said


def test_or_there_is_no_connection_to_postgresql(postgres, folder, tmp_path):
    url = (f"postgresql://127.0.0.1:{postgres.port}/postgres"
           f"?sslmode=verify-full&sslrootcert={folder}/other.pem")
    code, said = run(tmp_path, postgres, url, postgres.USER, "s/public.t")
    assert code != 0
    assert "server 's': connecting" in said and "certificate verify failed" in said
