"""delta-rs, DuckDB and Polars read our tables row for row (invariant I10).

WRITE_SAMPLE_TABLE names the program that writes them (ctest sets it).
"""

import json
import math
import os
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import deltalake
import pyarrow as pa
import pytest
from readers import OPENERS, READERS, compare_tables, normalised, rows_of, shown

EPOCH = datetime(1970, 1, 1)
TYPES = {
    "boolean": pa.bool_(), "byte": pa.int8(), "short": pa.int16(), "integer": pa.int32(),
    "long": pa.int64(), "float": pa.float32(), "double": pa.float64(), "string": pa.string(),
    "binary": pa.binary(), "date": pa.date32(), "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}


def arrow_type(name):
    if name.startswith("decimal("):
        precision, scale = name[len("decimal("):-1].split(",")
        return pa.decimal128(int(precision), int(scale))
    return TYPES[name]


def micros(text):
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def column_of(type_name, texts):
    """Texts (or None) as a column: parsed here, by nothing that took part in writing the table."""
    parse = {
        "boolean": lambda t: t == "true", "string": str, "binary": str.encode,
        "date": lambda t: (datetime.fromisoformat(t) - EPOCH).days,
        "timestamp": micros, "timestamp_ntz": micros, "float": float, "double": float,
    }.get(type_name, Decimal if type_name.startswith("decimal") else int)
    storage = {"date": pa.int32(), "timestamp": pa.int64(), "timestamp_ntz": pa.int64(),
               "float": pa.float64()}
    kind = arrow_type(type_name)
    values = [None if t is None else parse(t) for t in texts]
    return pa.array(values, storage.get(type_name, kind)).cast(kind)


class Sample:
    def __init__(self, folder, kind):
        subprocess.run([os.environ["WRITE_SAMPLE_TABLE"], str(folder), kind], check=True, timeout=60)
        self.path = str(folder / "table")
        self.kind = kind
        self.summary = json.loads((folder / "summary.json").read_text())
        lines = [json.loads(line) for line in (folder / "expected.jsonl").read_text().splitlines()]
        columns = {}
        for index, (name, kind) in enumerate(self.summary["columns"]):
            columns[name] = column_of(kind, [line["row"][index] for line in lines])
        columns["server_source"] = pa.array([line["server"] for line in lines])
        columns["_hw_microbatch"] = pa.array(
            [f"sample/{line['server']}@{line['fence']}" for line in lines])
        loaded_at = pa.scalar(1_700_000_000_123_999).cast(pa.timestamp("us", "UTC"))
        columns["_hw_loaded_at"] = pa.array([loaded_at.as_py()] * len(lines), loaded_at.type)
        if self.kind == "full":
            columns["cursor_day"] = pa.array(
                [None if at is None else
                 at.astimezone(ZoneInfo("Europe/Oslo")).date() for at in
                 (None if line["row"][0] is None else
                  datetime.fromisoformat(line["row"][0]).replace(tzinfo=timezone.utc)
                  for line in lines)], pa.date32())
        self.expected = normalised(pa.table(columns))

    def without(self, folder, *names):
        """A copy of the table that lacks these files of its log."""
        copy = folder / "copy"
        shutil.copytree(self.path, copy)
        for name in names:
            (copy / "_delta_log" / name).unlink()
        return str(copy)


@pytest.fixture(scope="module", params=["full", "plain"])
def sample(request, tmp_path_factory):
    return Sample(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(params=READERS)
def read(request):
    return READERS[request.param]


def test_the_sample_is_worth_reading(sample):
    assert sample.expected.num_rows > 40
    assert sample.summary["versions"] > 55
    assert sample.summary["unchanged"] > 0
    for column in sample.expected.column_names:
        always = column.startswith("_hw") or column == "server_source"
        assert always or sample.expected[column].null_count > 0, column


def test_a_reader_sees_the_expected_rows(sample, read):
    assert compare_tables(sample.expected, read(sample.path)) is None


CHECKPOINT = "00000000000000000050.checkpoint.parquet"


@pytest.mark.parametrize("lost", [["_last_checkpoint"], ["_last_checkpoint", CHECKPOINT]],
                         ids=["hint", "checkpoint"])
def test_a_reader_does_without(sample, read, lost, tmp_path):
    path = sample.without(tmp_path, *lost)
    assert compare_tables(sample.expected, read(path)) is None


def test_a_reader_needs_only_the_checkpoint_and_what_follows(sample, read, tmp_path):
    path = sample.without(tmp_path, *(f"{version:020}.json" for version in range(50)))
    assert compare_tables(sample.expected, read(path)) is None


def matches(operator, value, bound):
    """SQL's answer; NaN never gets here."""
    if value is None:
        return False
    return {"=": value == bound, ">=": value >= bound, "<": value < bound}[operator]


def plain_values(column):
    """Values that Python compares exactly: years beyond datetime are not needed for that."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).to_pylist()
    return column.to_pylist()


def is_nan(value):
    return isinstance(value, float) and math.isnan(value)


@pytest.mark.parametrize("engine", OPENERS)
def test_filters_find_what_filtering_all_rows_finds(sample, engine):
    """Whoever skips a file by its statistics skips no row that the filter wants."""
    read = OPENERS[engine](sample.path)
    wrong = []
    for column in sample.expected.column_names:
        kind = sample.expected[column].type
        values = plain_values(sample.expected[column])
        # Engines differ in where NaN stands: rows that have it are left out of the comparison.
        nan_free = [not is_nan(v) for v in values]
        names = shown((column,))
        rows = [r for r, keep in zip(rows_of(sample.expected.select(names)), nan_free) if keep]
        values = [v for v, keep in zip(values, nan_free) if keep]
        position = names.index(column)
        bounds = sorted({v for v in values if v is not None})
        for bound in {*bounds[:5], *bounds[-5:]}:
            scalar = pa.scalar(bound).cast(kind) if pa.types.is_timestamp(kind) else (
                pa.scalar(bound, kind))
            for operator in ("=", ">=", "<"):
                if pa.types.is_boolean(kind) and operator != "=":
                    continue  # Booleans have no order in some engines.
                want = sorted(map(repr, (r for r, v in zip(rows, values)
                                         if matches(operator, v, bound))))
                found = rows_of(read((column, operator, scalar)))
                got = sorted(map(repr, (r for r in found if r[position] != "nan")))
                if got != want:
                    wrong.append(f"{column} {operator} {bound!r:.50}: "
                                 f"{len(got)} rows, expected {len(want)}")
    assert wrong == []


def test_the_log_says_what_others_need_to_know(sample):
    table = deltalake.DeltaTable(sample.path)
    assert table.transaction_version(sample.summary["app_id"]) == sample.summary["last_sequence"]
    protocol = table.protocol()
    versions = (protocol.min_reader_version, protocol.min_writer_version)
    if sample.kind == "full":
        assert versions == (3, 7)
        assert protocol.reader_features == ["timestampNtz"]
        assert protocol.writer_features == ["timestampNtz"]
        assert table.metadata().partition_columns == ["server_source", "cursor_day"]
    else:
        assert versions == (1, 2)
        assert table.metadata().partition_columns == ["server_source"]
    assert table.metadata().configuration["headwater.ledger"] == "interop"


def test_history_has_one_version_per_intent(sample):
    table = deltalake.DeltaTable(sample.path)
    history = table.history()
    assert table.version() == sample.summary["versions"] - 1
    assert [entry["version"] for entry in history] == list(
        range(sample.summary["versions"] - 1, -1, -1))
