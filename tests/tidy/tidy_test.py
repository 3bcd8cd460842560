"""The rules of the tree, as a test: includes, sizes, guards, and what must not be in it.

    tidy_test.py              checks the rules against their samples, then the tree against the rules
    tidy_test.py --self-test  only the rules

Prints `file:line: rule: problem` for each and exits with 1, or with 0 when there is none. The rules
are in include_rules.py and text_rules.py; STYLE.md says why.
"""

import pathlib
import subprocess
import sys

from samples import SAMPLES

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATED_FOLDERS = {"build", "__pycache__", "node_modules"}


def listed():
    """Files that git has or would take; without git (an unpacked archive) all that look like ours."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        return [name for name in names.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        return [
            str(path)
            for path in found
            if not any(part.startswith(".") or part in GENERATED_FOLDERS for part in path.parts)
        ]


def read_tree():
    """Path -> text of every file that is text."""
    tree = {}
    for name in listed():
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        try:
            tree[name] = path.read_text()
        except UnicodeDecodeError:
            continue
    return tree


def check_rules():
    """Names what is wrong with the rules themselves."""
    wrong = []
    for rule, (bad, good) in SAMPLES.items():
        for sample in bad:
            if not list(rule(sample)):
                wrong.append(f"{rule.__name__} finds nothing wrong with {str(sample)[:200]}")
        for sample in good:
            for path, line, problem in rule(sample):
                wrong.append(f"{rule.__name__} complains of a good sample: {path}:{line}: {problem}")
    return wrong


def main(arguments):
    if arguments not in ([], ["--self-test"]):
        print(__doc__, file=sys.stderr)
        return 2
    problems = check_rules()
    if not arguments:
        tree = read_tree()
        if "CMakeLists.txt" not in tree:
            problems.append(f"{ROOT.name}: no CMakeLists.txt was found: this is not the tree")
        for rule in SAMPLES:
            problems.extend(f"{path}:{line}: {rule.__name__}: {what}" for path, line, what in rule(tree))
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
