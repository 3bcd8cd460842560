"""Who may include what. Each rule takes a tree (path -> text) and yields (path, line, problem)."""

import fnmatch
import re

import cpp_text

CODE = (".cc", ".h")
OURS = ("common/", "coordinator/", "worker/", "cli/", "tests/", "bench/")
GENERATED = "headwater/v1/"  # What protoc writes from proto/.

# Folder -> what its files may include of ours; the longest folder that matches counts.
MAY_INCLUDE = {
    "common/base": ("common/base",),
    "common/data": ("common/base", "common/data"),
    "common/model": ("common/base", "common/data", "common/model", GENERATED),
    "common/config": ("common/base", "common/data", "common/model", "common/config"),
    "common/storage": ("common/base", "common/storage"),
    "common/rpc": ("common/base", "common/data", "common/model", "common/rpc", GENERATED),
    "coordinator": ("common", "coordinator", GENERATED),
    "worker": ("common", "worker", GENERATED),
    "worker/source": ("common", "worker/source", GENERATED),
    "worker/stage": ("common", "worker/stage", GENERATED),
    "worker/change": ("common", "worker/change", "worker/stage", GENERATED),
    "cli": ("common", "coordinator", "worker", "cli", GENERATED),
    "tests": ("common", "coordinator", "worker", "cli", "tests", GENERATED),
    "bench": ("common", "coordinator", "worker", "cli", "tests/support", "bench", GENERATED),
}

# Only the registry knows the adapters; tests look where they want.
ADAPTERS = ("worker/source/mariadb", "worker/source/odbc", "worker/source/postgres")
SEE_ADAPTERS = ("worker/registry.*", "tests/*", "bench/*")

# Headers of a third party -> files that may include them. In a pattern * stands for any path.
DOORS = [
    (r"(?:postgresql/)?libpq.*", ("worker/source/postgres/*", "tests/*", "bench/*")),
    (r"pqxx/.*", ("coordinator/ledger/postgres_*",)),
    (r"(?:mysql|mysqld_error|errmsg)\.h", ("worker/source/mariadb/*", "tests/*", "bench/*")),
    (r"sql(?:ext|types|ucode)?\.h", ("worker/source/odbc/*", "tests/support/*")),
    (r"openssl/.*", ("common/data/openssl_digest.cc", "tests/*")),
    (r"yaml-cpp/.*", ("common/config/yaml_reader.*",)),
    (r"CLI/.*", ("cli/command_line*", "cli/main.cc")),
    (
        r"sqlite3\.h",
        (
            "coordinator/ledger/*",
            "cli/demo_*.cc",
            # SQLite's threading mode is set for the whole process before its driver is loaded.
            "worker/source/odbc/odbc_handles.cc",
            "worker/source/odbc/sqlite_functions.cc",
            "tests/*",
            "bench/*",
        ),
    ),
    (
        r"(?:arrow|parquet)/.*",
        ("common/data/*", "common/storage/*", "worker/*", "coordinator/commit/*",
         "coordinator/history/*", "tests/*", "bench/*"),
    ),
    (
        r"grpcpp/.*",
        (
            "common/rpc/*",
            "coordinator/service/*",
            "worker/session_stream.*",
            "worker/session_client*",
            "cli/*client.*",
            "cli/local_cluster*",
            "cli/coordinator*",
            "cli/worker*",
            "tests/*",
            "bench/*",
        ),
    ),
]
ARROW = re.compile(r"(?:arrow|parquet)/")
ARROW_HEADERS = ("*_arrow.h", "*/arrow_schema.h")
ADAPTER_HEADERS = ("worker/source/*.h", "worker/stage/*.h", "worker/change/*")
# Who else may see the headers of a folder: what stages by key is made of what stages, and what
# compares tables with sources of both.
ARROW_FRIENDS = {"worker/stage": ("worker/change", "worker/compare"),
                 "worker/change": ("worker/compare",)}


def _matches(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def _within(path, folder):
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _code(tree):
    return ((path, text) for path, text in sorted(tree.items()) if path.endswith(CODE))


def layers(tree):
    """Dependencies point one way: proto <- common <- coordinator | worker <- cli <- tests, bench."""
    for path, text in _code(tree):
        folders = [folder for folder in MAY_INCLUDE if _within(path, folder)]
        if not folders:
            yield path, 1, "code outside of the folders that design and ARCHITECTURE.md name"
            continue
        folder = max(folders, key=len)
        for line, name, quoted in cpp_text.includes(text):
            if not quoted or not name.startswith(OURS + (GENERATED,)):
                continue
            if not any(_within(name, allowed) for allowed in MAY_INCLUDE[folder]):
                yield path, line, f"{folder} must not include {name}"


def adapters(tree):
    """Source adapters are seen by the registry alone."""
    for path, text in _code(tree):
        for line, name, _ in cpp_text.includes(text):
            for adapter in ADAPTERS:
                if not name.startswith(adapter + "/"):
                    continue
                if not _within(path, adapter) and not _matches(path, SEE_ADAPTERS):
                    yield path, line, f"only worker/registry includes {adapter}, found {name}"


def doors(tree):
    """Each third-party library enters by its own door."""
    for path, text in _code(tree):
        for line, name, _ in cpp_text.includes(text):
            for pattern, allowed in DOORS:
                if re.fullmatch(pattern, name) and not _matches(path, allowed):
                    yield path, line, f"<{name}> is only for {', '.join(allowed)}"


def arrow_headers(tree):
    """Arrow shows in a header only where its name says so, or where nobody outside can see it.

    A header shows Arrow when it includes it, or includes a header that does. Its name then ends in
    _arrow.h (or is arrow_schema.h), or it lies below worker/source, worker/stage or worker/change
    and no file outside of its own folder (and ARROW_FRIENDS) includes it, tests apart.
    """
    seen_by = {}
    for path, text in _code(tree):
        for line, name, _ in cpp_text.includes(text):
            seen_by.setdefault(name, []).append((path, line))
    shows = {}  # Header -> line of the include by which Arrow enters.
    waiting = []
    for name, users in seen_by.items():
        if ARROW.match(name):
            waiting.extend(users)
    while waiting:
        path, line = waiting.pop()
        if not path.endswith(".h") or path in shows or path.startswith(("tests/", "bench/")):
            continue
        shows[path] = line
        waiting.extend(seen_by.get(path, []))
    for path, line in sorted(shows.items()):
        if _matches(path, ARROW_HEADERS):
            continue
        folder = path.rsplit("/", 1)[0]
        if not _matches(path, ADAPTER_HEADERS):
            yield path, line, "shows Arrow: move it to the .cc, or name the header *_arrow.h"
            continue
        for user, place in seen_by.get(path, []):
            inside = user.rsplit("/", 1)[0] in (folder, *ARROW_FRIENDS.get(folder, ()))
            if not inside and not user.startswith(("tests/", "bench/")):
                yield user, place, f"{path} shows Arrow and is private to {folder}"
