"""How files look. Each rule takes a tree (path -> text) and yields (path, line, problem)."""

import re

import cpp_text

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
LONG = (".cc", ".h", ".py", ".proto")
# Cut in two so that these lines do not find themselves.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE_PATH = re.compile(r"(?<![\w.}*])/(?:wor" r"k|roo" r"t|hom" r"e|User" r"s)/")
SLEEP = re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep|SleepFor)\s*\(")
# Where nobody can be asked to say when: a server of another project that starts, and a query that
# has begun inside of a database. Neither test's result depends on how long it slept.
MAY_SLEEP = re.compile(r"tests/support/throwaway_\w+\.cc|tests/contract/source_contract\.h")
VAGUE = re.compile(r"(?:^|[/_])(?:utils?|managers?|helpers?|misc)(?:[_.]|$)")


def _lines(text, pattern):
    for number, line in enumerate(text.splitlines(), 1):
        match = pattern.search(line)
        if match:
            yield number, match.group()


def file_length(tree):
    """Code files stay under 400 lines."""
    for path, text in sorted(tree.items()):
        lines = len(text.splitlines())
        if path.endswith(LONG) and lines >= MAX_FILE_LINES:
            yield path, lines, f"{lines} lines; files stay under {MAX_FILE_LINES}"


def function_length(tree):
    """Functions stay under 70 lines, counted from the first line of the head to the last brace."""
    for path, text in sorted(tree.items()):
        if not path.endswith(".cc"):
            continue
        for line, count, head in cpp_text.functions(text):
            if count >= MAX_FUNCTION_LINES:
                name = head.split("(")[0].split()[-1]
                yield path, line, f"{name}: {count} lines; functions stay under {MAX_FUNCTION_LINES}"


def include_guard(tree):
    """A header's guard is its path."""
    for path, text in sorted(tree.items()):
        if not path.endswith(".h"):
            continue
        guard = "HEADWATER_" + re.sub(r"\W", "_", path).upper() + "_"
        code = cpp_text.without_comments(text)
        start = re.match(r"\s*#ifndef (\w+)\n#define (\w+)\n", code)
        if not start or start.groups() != (guard, guard):
            yield path, 1, f"the include guard is not {guard}"
        elif not text.rstrip().endswith(f"#endif  // {guard}"):
            yield path, len(text.splitlines()), f"the last line is not '#endif  // {guard}'"


def built(tree):
    """Every source stands in the CMakeLists.txt of its folder, or of one above."""
    for path in sorted(tree):
        if not path.endswith(".cc"):
            continue
        parts = path.split("/")
        for depth in range(len(parts) - 1, -1, -1):
            text = tree.get("/".join(parts[:depth] + ["CMakeLists.txt"]), "")
            name = re.escape("/".join(parts[depth:]))
            if re.search(rf"(?<![\w./-]){name}(?![\w.])", text):
                break
        else:
            yield path, 1, "no CMakeLists.txt names it, so nothing builds or runs it"


def finished(tree):
    """Nothing is left for later in the text."""
    for path, text in sorted(tree.items()):
        for line, word in _lines(text, UNFINISHED):
            yield path, line, f"{word}: do it, or open an issue"


def machine_paths(tree):
    """No path of somebody's machine."""
    for path, text in sorted(tree.items()):
        for line, found in _lines(text, MACHINE_PATH):
            yield path, line, f"{found} is a path of one machine"


def sleeps(tree):
    """Tests wait for what happens, never for time to pass."""
    for path, text in sorted(tree.items()):
        if path.startswith("tests/") and path.endswith((".cc", ".h")) and not MAY_SLEEP.fullmatch(path):
            for line, found in _lines(cpp_text.bare(text), SLEEP):
                yield path, line, f"{found}...): wait for an event, or move a fake clock"


def names(tree):
    """A file is named after what it is."""
    for path in sorted(tree):
        if VAGUE.search(path):
            yield path, 1, "utils, manager, helper and misc name nothing"
