"""Writes tests/data/row_corpus for row_decoder_fuzz: rows and fields by the grammar of row_decoder.h.

Run it by hand after the list of shapes there has changed; what libFuzzer once found stays.
"""

import struct
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[1] / "data" / "row_corpus"
# In the order of Shapes().
SHAPES = ["int1", "int1_bool", "uint1", "int2", "uint2", "int4", "uint4", "int8", "uint8", "float",
          "float_double", "double", "date", "datetime", "timestamp", "decimal_18_6", "decimal_38_0",
          "decimal_38_38", "text", "blob", "bytes_as_text"]
FORMATS = {"int1": "<b", "int1_bool": "<b", "uint1": "<B", "int2": "<h", "uint2": "<H", "int4": "<i",
           "uint4": "<I", "int8": "<q", "uint8": "<Q", "float": "<f", "float_double": "<f",
           "double": "<d"}


def moment(year, month, day, *rest):
    """Hour, minute, second and microsecond may be left out, as servers leave out zeros."""
    clock = struct.pack("<BBB", *rest[:3]) if rest else b""
    return struct.pack("<HBB", year, month, day) + clock + b"".join(struct.pack("<I", it) for it in rest[3:])


DAY = moment(2013, 1, 31)
ROWS = {
    "nulls": [None] * len(SHAPES),
    "plain": [1, 1, 2, 3, 4, 5, 6, 7, 8, 9.5, 10.5, 11.5, DAY, moment(2013, 1, 31, 5, 6, 7),
              moment(2013, 1, 31, 5, 6, 7, 123456), b"7.000001", b"-8", b"0.09", b"text", b"\x00\xff",
              b"\x01"],
    "lowest": [-128, 0, 0, -2**15, 0, -2**31, 0, -2**63, 0, -3.4028234663852886e38, -0.0,
               -1.7976931348623157e308, moment(1, 1, 1), moment(1, 1, 1), moment(1, 1, 1),
               b"-999999999999.999999", b"-" + b"9" * 38, b"-0." + b"9" * 38, b"", b"", b"\x00"],
    "highest": [127, 1, 255, 2**15 - 1, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1,
                3.4028234663852886e38, 1e-45, 5e-324, moment(9999, 12, 31),
                moment(9999, 12, 31, 23, 59, 59, 999999), moment(9999, 12, 31, 23, 59, 59, 999999),
                b"999999999999.999999", b"9" * 38, b"0." + b"9" * 38,
                "\u00f8\U0010ffff\n".encode() + b"a" * 245, b"\xff" * 300, b"\x01"],
    "unfit": [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b"", b"", moment(2013, 0, 0), b"1.0000001",
              b"1" + b"0" * 38, b"1", b"a\xff", b"", b"\x02"],
}


def field(shape, value):
    return struct.pack(FORMATS[shape], value) if shape in FORMATS else value


def length(size, form):
    """Before a field: the shortest form that has room, at least `form` bytes."""
    if size <= 0xFA and form == 1:
        return bytes([size])
    if size < 2**16 and form <= 2:
        return b"\xfc" + struct.pack("<H", size)
    return b"\xfd" + struct.pack("<I", size)[:3] if form <= 3 else b"\xfe" + struct.pack("<Q", size)


def encoded(values, form=1):
    bits, fields = 0, b""
    for i, (shape, value) in enumerate(zip(SHAPES, values)):
        if value is None:
            bits |= 1 << (i + 2)
            continue
        sent = field(shape, value)
        fields += sent if shape in FORMATS else length(len(sent), form) + sent
    return b"\x00" + bits.to_bytes((len(SHAPES) + 9) // 8, "little") + fields


def main():
    CORPUS.mkdir(parents=True, exist_ok=True)
    for name, row in ROWS.items():
        (CORPUS / f"row_{name}").write_bytes(b"\xff" + encoded(row))
    (CORPUS / "rows").write_bytes(b"\xff" + b"".join(encoded(row) for row in ROWS.values()))
    for form in (2, 3, 8):
        (CORPUS / f"row_length_{form}").write_bytes(b"\xff" + encoded(ROWS["plain"], form))
    for i in range(len(SHAPES)):
        one_null = [None if at == i else value for at, value in enumerate(ROWS["plain"])]
        (CORPUS / f"row_null_{SHAPES[i]}").write_bytes(b"\xff" + encoded(one_null))
        fits = field(SHAPES[i], ROWS["highest"][i])
        (CORPUS / f"field_{SHAPES[i]}").write_bytes(bytes([i]) + fits)
        (CORPUS / f"field_{SHAPES[i]}_cut").write_bytes(bytes([i]) + fits[:-1])
        if ROWS["unfit"][i] != 0:
            unfit = field(SHAPES[i], ROWS["unfit"][i])
            (CORPUS / f"field_{SHAPES[i]}_unfit").write_bytes(bytes([i]) + unfit)


if __name__ == "__main__":
    main()
