"""Wrong configurations are refused before anything is started; secrets show nowhere."""

import re

import pytest

SECRET = "hunter2-very-secret"

# (What is replaced, by what, the line:column to be named, what else has to be said).
WRONG = {
    "unknown key": ("strategy: full", "stratgy: full", r"strategy"),
    "wrong type": ("version: 1", "version: one", "version"),
    "wrong enum": ("strategy: full", "strategy: fulll", "full"),
    "unknown fleet": ("{from: f/t, target_table: t_full", "{from: g/t, target_table: t_full", "g"),
    "list for text": ("timezone: America/New_York", "timezone: [a, b]", "timezone"),
    "no such zone": ("timezone: America/New_York", "timezone: America/NewYork", "America/NewYork"),
    "text for number": ("lookback: 2", "lookback: two", "lookback"),
}


@pytest.mark.parametrize("command", ["validate", "run", "status", "plan"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_configuration_is_refused_at_its_place(playground, wrong, command):
    old, new, named = WRONG[wrong]
    path = playground.folder / "headwater.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    line = next(i for i, l in enumerate(path.read_text().splitlines(), 1) if new in l)
    ended = playground.run(command, expect=2)
    assert f"headwater.yaml:{line}:" in ended.text(), ended.text()
    column = ended.text().split(f"headwater.yaml:{line}:")[1].split(":")[0]
    assert column.isdigit(), ended.text()
    assert named in ended.text()
    assert not playground.lake.exists() and not playground.state.exists()


def test_a_missing_configuration_is_said_so(playground):
    (playground.folder / "headwater.yaml").unlink()
    assert "headwater.yaml" in playground.run("run", expect=2).text()


@pytest.mark.parametrize("url", [
    "odbc:Driver=SQLite3;Database={config_dir}/data/{member}.db;NoCreat=1;PWD=${HUSH}",
    "odbc:Driver=SQLite3;Database={config_dir}/none/{member}.db;NoCreat=1;PWD=${HUSH}",
    "odbc:Driver=NoSuchDriver;Server=127.0.0.1;UID=me;PWD=${HUSH}",
    "postgresql://me:${HUSH}@127.0.0.1:1/none",
], ids=["loads", "no file", "no driver", "postgresql"])
def test_a_password_is_never_shown(playground, monkeypatch, url):
    monkeypatch.setenv("HUSH", SECRET)
    playground.configure(url=url, tables=playground.tables[1:2])
    text = ""
    for command in ["validate"], ["plan"], ["run"], ["-o", "json", "run"], ["status"], ["verify"]:
        text += playground.run(*command, expect=None).text()
    assert "t_full" in text  # The commands did say something.
    assert SECRET not in text
    for folder in playground.state, playground.lake:
        for path in folder.rglob("*") if folder.exists() else ():
            assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_a_password_by_reference_is_not_even_in_the_ledger(playground):
    password = playground.folder / "password"
    password.write_text(SECRET)
    password.chmod(0o600)
    playground.configure(url="odbc:Driver=SQLite3;Database={config_dir}/data/{member}.db;NoCreat=1;"
                             "PWD=${file:" + str(password) + "}")
    text = playground.run("run").text() + playground.run("status").text()
    playground.check()
    assert SECRET not in text
    for folder in playground.state, playground.lake:
        for path in folder.rglob("*"):
            assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("url", [
    "odbc:Driver=SQLite3;Database={config_dir}/data/{member}.db;NoCreat=1;PWD=" + SECRET,
    "postgresql://me:${HUSH:-" + SECRET + "}@127.0.0.1:1/none",
], ids=["written out", "default of a reference"])
def test_a_password_written_out_is_refused(playground, url):
    playground.configure(tables=playground.tables[1:2], url=url)
    for command in ["validate"], ["plan"], ["run"], ["status"], ["verify"], ["coordinator"]:
        ended = playground.run(*command, expect=2)
        assert SECRET not in ended.text()
        assert re.search(r"headwater\.yaml:\d+:\d+: .*a password is written out here; write a "
                         r"reference that the worker resolves: \$\{VAR\}", ended.text())
    assert not playground.state.exists()


def test_a_password_in_a_broken_configuration_shows_nowhere(playground):
    path = playground.folder / "headwater.yaml"
    playground.configure(url="odbc:Driver=SQLite3;PWD=" + SECRET)
    path.write_text(path.read_text().replace("    url:", "    ulr:"))
    ended = playground.run("validate", expect=2)
    assert "url" in ended.text() and SECRET not in ended.text()
