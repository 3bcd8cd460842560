"""What the demo leaves behind is the public data set, row for row, in the eyes of every reader (I10).

HEADWATER_BINARY names the program (ctest sets it), which is run once as `demo --keep`; or
HEADWATER_DEMO_DIR names the folder of a demo that has ended. HEADWATER_DEMO_DATA names the folder
of the CSV files, else it is `.cache/nycflights13` here or above.
"""

import json
import os
import pathlib
import subprocess

import polars as pl
import pyarrow as pa
import pytest
from readers import READERS

INTEGER, REAL, TEXT, TIME = pl.Int64, pl.Float64, pl.String, pl.Datetime("us")
COLUMNS = {
    "flights": dict(
        year=INTEGER, month=INTEGER, day=INTEGER, dep_time=INTEGER, sched_dep_time=INTEGER,
        dep_delay=INTEGER, arr_time=INTEGER, sched_arr_time=INTEGER, arr_delay=INTEGER,
        carrier=TEXT, flight=INTEGER, tailnum=TEXT, origin=TEXT, dest=TEXT, air_time=INTEGER,
        distance=INTEGER, hour=INTEGER, minute=INTEGER, time_hour=TIME),
    "weather": dict(
        origin=TEXT, year=INTEGER, month=INTEGER, day=INTEGER, hour=INTEGER, temp=REAL, dewp=REAL,
        humid=REAL, wind_dir=INTEGER, wind_speed=REAL, wind_gust=REAL, precip=REAL, pressure=REAL,
        visib=REAL, time_hour=TIME),
    "planes_history": dict(
        tailnum=TEXT, year=INTEGER, type=TEXT, manufacturer=TEXT, model=TEXT, engines=INTEGER,
        seats=INTEGER, speed=INTEGER, engine=TEXT),
    "airlines": dict(carrier=TEXT, name=TEXT),
}
FLIGHT_COUNTS = {"ewr": 120_835, "jfk": 111_279, "lga": 104_662}
# One flight, and one hour of weather, of one server.
KEYS = {
    "flights": ["server_source", "time_hour", "carrier", "flight", "sched_dep_time"],
    "weather": ["server_source", "time_hour"],
    "planes_history": ["server_source", "tailnum", "valid_from"],
    "airlines": ["server_source", "carrier"],
}
DEMO_TIMEOUT_S = 300


def data_folder():
    named = os.environ.get("HEADWATER_DEMO_DATA")
    if named:
        return pathlib.Path(named)
    for above in pathlib.Path(__file__).resolve().parents:
        if (above / ".cache/nycflights13/flights.csv").exists():
            return above / ".cache/nycflights13"
    pytest.fail("no .cache/nycflights13 here or above: run ./dev setup")


def read_csv(table):
    """A file of the data set: each field of its column's type, or this fails; `NA` is missing."""
    schema = {name: TEXT if kind == TIME else kind for name, kind in COLUMNS[table].items()}
    file = table.removesuffix("_history")
    frame = pl.read_csv(data_folder() / f"{file}.csv", schema=schema, null_values="NA")
    if "time_hour" in schema:
        frame = frame.with_columns(
            pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us"))
    return frame


def with_changes(flights, changes):
    """`flights` as the servers hold them after the changes that the demo made there."""
    for change in changes:
        assert change["table"] == "flights"
        key = dict(change["key"])
        match = pl.col("origin") == change["server"].upper()
        match &= pl.col("time_hour") == pl.lit(key.pop("time_hour")).str.to_datetime(time_unit="us")
        for name, value in key.items():
            match &= pl.col(name) == value
        column = change["column"]
        assert flights.filter(match)[column].to_list() == [change["old"]], change
        flights = flights.with_columns(
            pl.when(match).then(pl.lit(change["new"])).otherwise(pl.col(column)).alias(column))
    return flights


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder of a demo that has ended well."""
    finished = os.environ.get("HEADWATER_DEMO_DIR")
    if finished:
        return pathlib.Path(finished)
    folder = tmp_path_factory.mktemp("demo") / "kept"
    binary = os.environ.get("HEADWATER_BINARY")
    assert binary, "set HEADWATER_BINARY, or HEADWATER_DEMO_DIR"
    ended = subprocess.run(
        [binary, "demo", "--keep", str(folder)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", timeout=DEMO_TIMEOUT_S,
        env=os.environ | {"HEADWATER_DEMO_DATA": str(data_folder())})
    print(ended.stdout)  # pytest shows it when this fails.
    assert ended.returncode == 0, f"headwater demo ended with {ended.returncode}"
    return folder


@pytest.fixture(scope="module")
def changes(demo):
    return json.loads((demo / "changes.json").read_text())


@pytest.fixture(scope="module")
def changed_behind(demo):
    return json.loads((demo / "changed_behind.json").read_text())


@pytest.fixture(scope="module")
def expected(changes, changed_behind):
    """Of each table: the source columns, and the server that the row is of."""
    server = pl.col("origin").str.to_lowercase().alias("server_source")
    flights = with_changes(read_csv("flights"), changes + changed_behind).with_columns(server)
    planes = (flights.select("tailnum", "server_source").unique()
              .join(read_csv("planes_history"), on="tailnum"))
    refitted = planes.filter(pl.col("server_source") == "ewr").sort("tailnum").head(2)
    return {
        "flights": flights,
        "weather": read_csv("weather").with_columns(server),
        # Those that occur in the server's flights.
        "planes_history": pl.concat([planes, refitted.with_columns(pl.col("seats") + 1)]),
        "airlines": flights.select("carrier", "server_source").unique()
                           .join(read_csv("airlines"), on="carrier"),
    }


def is_of(kind, wanted):
    if wanted == INTEGER:
        return pa.types.is_integer(kind)
    if wanted == REAL:
        return pa.types.is_float64(kind)
    if wanted == TIME:
        return pa.types.is_timestamp(kind) and kind.tz in (None, "UTC")
    return pa.types.is_string(kind)


@pytest.fixture(scope="module", params=READERS)
def lake(request, demo):
    """Every table as one reader sees it, its source columns checked for their kind. Integers of
    all widths become 64 bits wide; nothing else is converted."""
    tables = {}
    for table, columns in COLUMNS.items():
        rows = READERS[request.param](str(demo / "lake" / table))
        for name, wanted in columns.items():
            assert name in rows.column_names, f"{table} has no column {name}"
            kind = rows.schema.field(name).type
            assert is_of(kind, wanted), f"{table}.{name} is {kind}"
        frame = pl.from_arrow(rows)
        tables[table] = frame.with_columns(
            pl.col(name).dt.replace_time_zone(None) if kind == TIME else pl.col(name).cast(kind)
            for name, kind in columns.items())
    return tables


def assert_same_rows(actual, wanted):
    """The same rows, each as often, in any order; says which are missing and which are too many."""
    columns = sorted(wanted.columns)
    counted = [frame.select(columns).group_by(columns).len() for frame in (wanted, actual)]
    missing, extra = (a.join(b, on=[*columns, "len"], how="anti", nulls_equal=True)
                      for a, b in (counted, counted[::-1]))
    if missing.height or extra.height:
        with pl.Config(tbl_cols=-1, tbl_rows=10, tbl_width_chars=400):
            pytest.fail(f"{actual.height} rows, expected {wanted.height}\nmissing: {missing.head()}"
                        f"\ntoo many: {extra.head()}")


def test_five_rows_changed_on_two_days(changes):
    assert len(changes) == 5
    assert all(change["old"] != change["new"] for change in changes)
    assert len({change["key"]["time_hour"][:10] for change in changes}) == 2


@pytest.mark.parametrize("table", COLUMNS)
def test_every_row_of_the_data_set_is_there_once_and_no_other(lake, expected, table):
    assert_same_rows(lake[table], expected[table])


def test_the_history_of_planes_has_two_that_were_refitted(demo):
    for name, read in READERS.items():
        history = pl.from_arrow(read(str(demo / "lake" / "planes_history")))
        current = history.filter("is_current")
        assert history.height == current.height + 2, name
        assert current.filter(pl.col("valid_to").is_not_null()).height == 0
        ended = history.filter(~pl.col("is_current")).join(
            current, on=["server_source", "tailnum"], suffix="_now")
        assert ended.height == 2 and set(ended["server_source"]) == {"ewr"}
        assert ended["valid_to"].to_list() == ended["valid_from_now"].to_list()
        assert (ended["seats_now"] - ended["seats"]).to_list() == [1, 1]


def test_the_airlines_have_one_version(demo):
    assert len(list((demo / "lake" / "airlines" / "_delta_log").glob("*.json"))) <= 3


@pytest.mark.parametrize("table", COLUMNS)
def test_no_key_is_there_twice(lake, table):
    twice = lake[table].group_by(KEYS[table]).len().filter(pl.col("len") > 1)
    assert twice.height == 0, twice


def test_flights_are_complete_per_server(lake):
    counts = dict(lake["flights"].group_by("server_source").len().iter_rows())
    assert counts == FLIGHT_COUNTS
    assert lake["flights"].height == 336_776


@pytest.mark.parametrize("table", ["flights", "weather"])
def test_the_server_is_the_origin(lake, table):
    wrong = lake[table].filter(
        pl.col("server_source").ne_missing(pl.col("origin").str.to_lowercase()))
    assert wrong.height == 0, wrong


def test_the_day_of_a_flight_is_its_local_date(lake):
    """Against the zone's rules, and against the date that the data set itself gives."""
    local = (pl.col("time_hour").dt.replace_time_zone("UTC")
             .dt.convert_time_zone("America/New_York").dt.date())
    day = pl.col("cursor_day").cast(pl.String).str.to_date("%Y-%m-%d")
    wrong = lake["flights"].filter(
        day.ne_missing(local) | day.ne_missing(pl.date("year", "month", "day")))
    assert wrong.height == 0, wrong
