"""Writes tests/data/copy_corpus: literal streams and fields of a PostgreSQL, for copy_decoder_fuzz.

Run it by hand after the list of shapes there has changed; what libFuzzer once found stays.
"""

import struct
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "support"))
from throwaway_postgres import ThrowawayPostgres  # noqa: E402

CORPUS = TESTS / "data" / "copy_corpus"
# In the order of Shapes().
TYPES = ["bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric(18,6)", "numeric(38,0)",
         "numeric(38,38)", "numeric", "text", '"char"', "jsonb", "uuid", "bytea", "date", "timestamp",
         "timestamptz"]
UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
ROWS = {
    "nulls": [None] * len(TYPES),
    "plain": ["t", "1", "2", "3", "4", "5.5", "6.5", "7.000001", "8", "0.09", "10.10", "text", "c",
              '{"a": [1, null]}', UUID, "\\x00ff", "2013-01-31", "2013-01-31 05:00:00.123456",
              "2013-01-31 05:00:00+02"],
    "lowest": ["f", "-32768", "-2147483648", str(-2**63), "0", "-0", "-Infinity",
               "-999999999999.999999", "-" + "9" * 38, "-0." + "9" * 38, "-0." + "0" * 99 + "1", "",
               "", "{}", UUID, "", "4713-01-01 BC", "4713-01-01 BC", "4713-01-01 BC"],
    "highest": ["t", "32767", "2147483647", str(2**63 - 1), str(2**32 - 1), "NaN", "NaN",
                "999999999999.999999", "9" * 38, "0." + "9" * 38, "9" * 400, "\u00f8\U0010ffff\n", "~",
                '"\\u00f8"', UUID, "\\x" + "ff" * 40, "5874897-12-31", "294246-12-31 23:59:59.999999",
                "294246-12-31 23:59:59.999999"],
    "unfit": ["t", "0", "0", "0", "0", "0", "0", "NaN", "NaN", "NaN", "NaN", "", "", "1", UUID, "",
              "infinity", "infinity", "-infinity"],
}


def copied(server, row):
    """The binary COPY stream of one row."""
    values = ", ".join("null" if value is None else "E'" + value.replace("\\", "\\\\") + "'"
                       for value in row)
    columns = ", ".join(f"c{i} {kind}" for i, kind in enumerate(TYPES))
    casts = ", ".join(f"c{i}::{kind}" for i, kind in enumerate(TYPES))
    names = ", ".join(f"c{i}" for i in range(len(TYPES)))
    command, environment = server.psql_command(
        "postgres", "-c", f"set timezone to 'UTC'; create temp table t({columns}); "
        f"insert into t select {casts} from (values ({values})) v({names}); "
        "copy t to stdout (format binary)")
    return subprocess.run(command, env=environment, check=True, capture_output=True).stdout


def fields(stream):
    at = 11 + 8 + 2
    for _ in TYPES:
        (size,) = struct.unpack_from(">i", stream, at)
        yield stream[at + 4:at + 4 + max(size, 0)]
        at += 4 + max(size, 0)


def main():
    CORPUS.mkdir(parents=True, exist_ok=True)
    with ThrowawayPostgres() as server:
        for name, row in ROWS.items():
            stream = copied(server, row)
            (CORPUS / f"stream_{name}").write_bytes(b"\xff\x06" + stream)
            if name == "nulls":
                continue
            for shape, field in enumerate(fields(stream)):
                kind = TYPES[shape].translate(str.maketrans("(,", "__", '")'))
                (CORPUS / f"field_{kind}_{name}").write_bytes(bytes([shape]) + field)


if __name__ == "__main__":
    main()
