"""The digests of docs/row-hash.md by hashlib, of the canonical bytes that stand beside them."""

import hashlib
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "row-hash.md").read_text()


def vectors():
    for line in PAGE.splitlines():
        cells = [cell.strip(" |`") for cell in line.split(" | ")]
        if len(cells) == 6 and line.startswith("| `"):
            yield pytest.param(*cells[2:], id=f"{cells[0]} {cells[1]}")


def check(bytes_hex, md5, sha256):
    canonical = bytes.fromhex(bytes_hex)
    assert hashlib.md5(canonical).hexdigest() == md5
    assert hashlib.sha256(canonical).hexdigest()[:32] == sha256


def test_there_are_vectors():
    assert len(list(vectors())) == 40


@pytest.mark.parametrize("bytes_hex, xxh3, md5, sha256", list(vectors()))
def test_a_vector_holds(bytes_hex, xxh3, md5, sha256):
    assert len(xxh3) == 32
    check(bytes_hex, md5, sha256)


def test_the_worked_example_holds():
    example = PAGE[PAGE.index("## A worked example"):PAGE.index("## Test vectors")]
    parts = [line[4:].split("   ")[0].strip() for line in example.splitlines()
             if line.startswith("    ") and not line.startswith(("    headwater", "    42, "))]
    lines = [part for part in parts if all(c in "0123456789abcdef " for c in part)]
    for digest in ("198a5cacb5f7e1009f072c2d627eeac3", "158532d5e45df99b2da40afc27946ad6"):
        assert digest in example
    check("".join(lines), "198a5cacb5f7e1009f072c2d627eeac3", "158532d5e45df99b2da40afc27946ad6")


def test_sums_of_vectors_hold():
    one = next(iter(cell for cell in vectors() if cell.id == "long 1")).values
    zero = next(iter(cell for cell in vectors() if cell.id == "long 0")).values
    for column in (1, 2, 3):
        total = (int(zero[column], 16) + 2 * int(one[column], 16)) % 2**128
        assert f"{total:032x}" in PAGE
