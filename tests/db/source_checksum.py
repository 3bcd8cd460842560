"""docs/source-checksum.md, by nothing that took part in making the SQL."""

import hashlib
import struct
from datetime import datetime
from decimal import Decimal


def field(name, value):
    """Of tests' own columns: `name` and `token` are texts, decimals have two places."""
    if value is None:
        return "~"
    if name in ("name", "token"):
        return f"{len(value.encode())}:{value}"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return struct.pack(">d", value + 0.0).hex()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        zone = "" if value.tzinfo is None else "Z"
        return value.strftime("%Y-%m-%d %H:%M:%S.%f") + zone
    return str(value)


def checksum_of(columns, some):
    total = 0
    for one in some:
        text = "".join(field(name, one[name]) + "," for name in columns)
        total += int.from_bytes(hashlib.md5(text.encode()).digest()[:8], "big")
    return len(some), total % 2**64


def checksum_from(answer):
    count, hashed, total = (int(text) for text in answer[0])
    assert count == hashed
    return count, total % 2**64


def hash_of_fields(*arguments):
    """headwater_hash() as worker/source/odbc/sqlite_functions.h has it, of values that fit."""
    text, rest = "", list(arguments)
    while rest:
        code = rest.pop(0)
        value = None if code == "~" else rest.pop(0)
        if value is None:
            text += "~,"
            continue
        if code == "T":
            value = datetime.fromisoformat(value)
        elif code[0] == "m":
            value = Decimal(repr(value))
        elif code == "d":
            value = float(value)
        text += field("name" if code == "s" else "", value) + ","
    return int.from_bytes(hashlib.md5(text.encode()).digest()[:8], "big", signed=True)


class SumOfHashes:
    def __init__(self):
        self.sum = 0

    def step(self, value):
        self.sum += value

    def finalize(self):
        return (self.sum + 2**63) % 2**64 - 2**63
