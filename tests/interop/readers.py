"""Other engines as readers of a Delta table, in one form that can be compared.

Every reader returns a pyarrow.Table with its columns in order of name, text as utf8, timestamps in
microseconds and no dictionaries. `rows_of` goes one step further: exact, hashable Python values, in
which -0.0 differs from 0.0, every NaN is one, and no year is too large for datetime.
"""

import glob
import math
import os
from collections import Counter

import deltalake
import duckdb
import duckdb_extension_delta
import polars
import pyarrow as pa


def normalised(table):
    """`table` with the types that all readers can agree on, columns in order of name."""
    columns = {}
    for name in sorted(table.column_names):
        column = table[name]
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = column.type
        if pa.types.is_large_string(kind) or kind == pa.string_view():
            column = column.cast(pa.string())
        elif pa.types.is_large_binary(kind) or kind == pa.binary_view():
            column = column.cast(pa.binary())
        elif pa.types.is_timestamp(kind):
            column = column.cast(pa.timestamp("us", "UTC" if kind.tz else None))
        columns[name] = column
    return pa.table(columns)


def duckdb_connection():
    folder = os.path.dirname(duckdb_extension_delta.__file__)
    (extension,) = glob.glob(
        f"{folder}/extensions/v{duckdb.__version__}/delta.duckdb_extension")
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def shown(predicate):
    """With a predicate, only its column and the one that names each row's attempt; else all."""
    return sorted({predicate[0], "_hw_microbatch"}) if predicate else None


def open_deltalake(path):
    """Like each `open_…`: opens the table once, for any number of calls of what it returns,
    read(predicate), where predicate is None or (column, "=" | ">=" | "<", pyarrow scalar)."""
    dataset = deltalake.DeltaTable(path).to_pyarrow_dataset()

    def read(predicate=None):
        expression = None
        if predicate:
            column, operator, value = predicate
            field = pa.compute.field(column)
            expression = {"=": field == value, ">=": field >= value, "<": field < value}[operator]
        return normalised(dataset.to_table(filter=expression, columns=shown(predicate)))
    return read


# How DuckDB is told a constant of a type: as text, so that no Python type rounds it.
def _duckdb_constant(value):
    kind = value.type
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return "?", value.as_py()
    if pa.types.is_timestamp(kind):
        name = "TIMESTAMPTZ" if kind.tz else "TIMESTAMP"
        suffix = "+00" if kind.tz else ""
        return f"CAST(? AS {name})", value.as_py().replace(tzinfo=None).isoformat(" ") + suffix
    name = {pa.bool_(): "BOOLEAN", pa.int8(): "TINYINT", pa.int16(): "SMALLINT",
            pa.int32(): "INTEGER", pa.int64(): "BIGINT", pa.float32(): "FLOAT",
            pa.float64(): "DOUBLE", pa.date32(): "DATE"}.get(kind)
    if pa.types.is_decimal(kind):
        name = f"DECIMAL({kind.precision},{kind.scale})"
    return f"CAST(? AS {name})", str(value.as_py())


def open_duckdb(path):
    connection = duckdb_connection()
    connection.execute(f"ATTACH '{path}' AS opened (TYPE delta, PIN_SNAPSHOT)")

    def read(predicate=None):
        where, columns, parameters = "", "*", []
        if predicate:
            column, operator, value = predicate
            constant, parameter = _duckdb_constant(value)
            columns = ", ".join(f'"{name}"' for name in shown(predicate))
            where, parameters = f' WHERE "{column}" {operator} {constant}', [parameter]
        result = connection.execute(f"SELECT {columns} FROM opened{where}", parameters)
        return normalised(result.to_arrow_table())
    return read


def open_polars(path):
    table = deltalake.DeltaTable(path)

    def read(predicate=None):
        frame = polars.scan_delta(table)
        if predicate:
            column, operator, value = predicate
            literal = polars.lit(polars.from_arrow(pa.array([value.as_py()], value.type))[0],
                                 polars.from_arrow(pa.array([], value.type)).dtype)
            field = polars.col(column)
            compared = {"=": field == literal, ">=": field >= literal, "<": field < literal}
            frame = frame.filter(compared[operator]).select(shown(predicate))
        return normalised(frame.collect().to_arrow())
    return read


OPENERS = {"deltalake": open_deltalake, "duckdb": open_duckdb, "polars": open_polars}
READERS = {name: lambda path, opener=opener: opener(path)() for name, opener in OPENERS.items()}


def _exact(column):
    kind = column.type
    if pa.types.is_timestamp(kind):
        return column.cast(pa.int64()).to_pylist()
    if pa.types.is_date32(kind):
        return column.cast(pa.int32()).to_pylist()
    if pa.types.is_floating(kind):
        return [v if v is None else "nan" if math.isnan(v) else v.hex()
                for v in column.to_pylist()]
    return column.to_pylist()


def rows_of(table):
    """The rows of a normalised table as tuples of exact values, columns in order of name."""
    return list(zip(*(_exact(column) for column in table.columns)))


def compare_tables(a, b):
    """None when both hold the same columns and the same rows in any order, else the difference."""
    if a.schema.types != b.schema.types or a.column_names != b.column_names:
        return "\n".join(f"schema: {x} against {y}" for x, y in zip(a.schema, b.schema)
                         if x.name != y.name or x.type != y.type) or "number of columns differs"
    left, right = Counter(rows_of(a)), Counter(rows_of(b))
    if left == right:
        return None
    lines = [f"{sum(left.values())} rows against {sum(right.values())}"]
    for sign, only in (("-", left - right), ("+", right - left)):
        for row in list(only.elements())[:5]:
            cells = (f"{name}={value!r:.60}" for name, value in zip(a.column_names, row))
            lines.append(f"{sign} " + " ".join(cells))
    return "\n".join(lines)
