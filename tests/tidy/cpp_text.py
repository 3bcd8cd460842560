"""C++ sources as the rules read them: without comments and literals, and cut into functions."""

import re

# One token each; a number comes first, since 40'000 opens no character.
TOKEN = re.compile(
    r"""(?P<number>\b\d[\w.']*)
      | (?P<comment>//(?:[^\\\n]|\\.|\\\n)*|/\*.*?\*/)
      | (?P<raw>\bR"(?P<mark>[^()\s\\]*)\(.*?\)(?P=mark)")
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')""",
    re.X | re.S,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\\\n]|\\.|\\\n)*", re.M)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
SCOPE = re.compile(r"^(?:inline\s+|export\s+)*(?:namespace|class|struct|union|enum|extern)\b")
TEMPLATE = re.compile(r"^template\s*<[^{};()]*>\s*")
# `A::A(int x) : x_` before a brace: of a member, not of the body.
MEMBER = re.compile(r"\)\s*(?:noexcept\s*)?:(?!:).*[\w>]$", re.S)
ACCESS = re.compile(r"^(?:(?:public|private|protected)\s*:\s*)+")


def _blank(match):
    if match.lastgroup == "number":
        return match.group()
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(text):
    """`text` with spaces for comments; literals stay. Line numbers are kept."""
    return TOKEN.sub(lambda m: _blank(m) if m.group("comment") else m.group(), text)


def bare(text):
    """`text` with spaces for comments, literals and preprocessor lines. Line numbers are kept."""
    return DIRECTIVE.sub(_blank, TOKEN.sub(_blank, text))


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


def includes(text):
    """(line, included path, whether in quotes) of every include."""
    plain = without_comments(text)
    return [
        (line_at(plain, m.start()), m.group(2), m.group(1) == '"') for m in INCLUDE.finditer(plain)
    ]


def functions(text):
    """(first line, number of lines, head) of every function, by its braces.

    A brace opens a scope (namespace or type), a function (its head has a parameter list), or
    something inside of one of these that does not matter here.
    """
    code = bare(text)
    found = []
    inside = []  # For each open brace: None for a scope, its head for a function, "" for the rest,
    # and where that head begins; -1 where the head goes on behind the brace.
    start = 0  # Of the head that comes before the next brace.
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        opaque = any(kind is not None for kind, _ in inside)
        if match.group() == "{":
            head = code[start:at].strip()
            head = TEMPLATE.sub("", ACCESS.sub("", head))
            begin = at - len(code[start:at].lstrip())
            if opaque:
                inside.append(("", begin))
            elif MEMBER.search(head):
                inside.append(("", -1))
            elif SCOPE.match(head) and "(" not in head:
                inside.append((None, begin))
            else:
                inside.append((head if "(" in head else "", begin))
        elif match.group() == "}" and inside:
            kind, begin = inside.pop()
            if kind:
                first, last = line_at(code, begin), line_at(code, at)
                found.append((first, last - first + 1, " ".join(kind.split())))
            if begin < 0:
                continue
        if not any(kind is not None for kind, _ in inside):
            start = match.end()
    return found
