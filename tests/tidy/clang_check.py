"""Clang's opinion of sources that GCC builds: lock annotations, or clang-tidy.

    clang_check.py thread-safety        every source that uses lock annotations, itself or by a header
    clang_check.py tidy FILE...         clang-tidy with the repository's .clang-tidy

Reads build/release/compile_commands.json. Prints what is wrong and exits with 1, or prints nothing.
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
ANNOTATION = re.compile(r"\bABSL_(GUARDED_BY|PT_GUARDED_BY|EXCLUSIVE_LOCKS_REQUIRED|LOCKS_EXCLUDED)\b")
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)


def commands():
    """Maps each source of the release build, relative to the root, to its compile command."""
    database = ROOT / "build/release/compile_commands.json"
    if not database.exists():
        sys.exit(f"{database.relative_to(ROOT)} is missing; run ./dev build")
    found = {}
    for entry in json.loads(database.read_text()):
        path = pathlib.Path(entry["file"])
        if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build"):
            found[str(path.relative_to(ROOT))] = entry
    return found


def annotated(source):
    """Whether `source` or a header of ours that it names uses lock annotations."""
    text = (ROOT / source).read_text()
    if ANNOTATION.search(text):
        return True
    headers = (ROOT / name for name in INCLUDE.findall(text))
    return any(header.exists() and ANNOTATION.search(header.read_text()) for header in headers)


def clang_flags(entry):
    """The entry's preprocessor and language flags; GCC's warnings and code generation are left out."""
    words = shlex.split(entry["command"])
    flags = []
    for index, word in enumerate(words):
        if word in ("-isystem", "-include"):
            flags += [word, words[index + 1]]
        elif word.startswith(("-I", "-D", "-std=")):
            flags.append(word)
    return flags


def run(command, directory):
    done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def thread_safety(item):
    source, entry = item
    command = ["clang++", "-fsyntax-only", "-Wthread-safety", "-Werror=thread-safety",
               *clang_flags(entry), str(ROOT / source)]
    return run(command, entry["directory"])


def tidy(item):
    source, entry = item
    return run(["clang-tidy", "--quiet", str(ROOT / source), "--", *clang_flags(entry)],
               entry["directory"])


def main(arguments):
    if not arguments or arguments[0] not in ("thread-safety", "tidy"):
        sys.exit(__doc__)
    known = commands()
    if arguments[0] == "tidy":
        check = tidy
        chosen = {name: known[name] for name in arguments[1:] if name in known}
    else:
        check = thread_safety
        chosen = {name: entry for name, entry in known.items() if annotated(name)}
    failures = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, (code, output) in zip(chosen, pool.map(check, chosen.items())):
            if code != 0:
                failures += 1
                print(f"{source}:\n{output}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
