"""Cases of docs/cases.md that need a real source: wall clocks, zones, sequences, outside rows."""

import datetime
import json
import sys
from pathlib import Path

import deltalake
import pyarrow.compute
import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "db")]
from loaded_table import LoadedTable, started  # noqa: E402
from throwaway_postgres import ThrowawayPostgres, why_not  # noqa: E402

ACCESS = ('{{url: "postgresql://127.0.0.1:{port}/cases", user: postgres, password: "${{PASSWORD}}", '
          "{more}}}")
CLOCKED = 'timezone: {zone}, clock: "SELECT at FROM clock"'
UTC = datetime.timezone.utc


@pytest.fixture(scope="module")
def postgres():
    yield from started(ThrowawayPostgres, why_not)


@pytest.fixture
def cases(postgres, tmp_path):
    """Makes a table `rows` of a column `at`, and what loads it."""
    def make(kind, strategy, zone):
        postgres.sql("postgres", "drop database if exists cases with (force)")
        postgres.sql("postgres", "create database cases")
        access = ACCESS.format(port=postgres.port, more=CLOCKED.format(zone=zone))
        place = LoadedTable(postgres, "cases", "rows", tmp_path, access, strategy)
        place.sql(f"create table rows(id bigserial, at {kind}); create table clock(at timestamptz);"
                  "insert into clock values (now())")
        return place
    return make


def set_clock(place, at):
    place.sql(f"update clock set at = '{at:%Y-%m-%d %H:%M:%S}+00'")


def published(place):
    return deltalake.DeltaTable(str(place.folder / "lake" / "rows")).to_pyarrow_table()


def ids(place):
    return sorted(published(place).column("id").to_pylist())


def expected(place, where="true"):
    text = place.server.sql("cases", f"select id from rows where {where} order by id", "-At")
    return [int(line) for line in text.split()]


def test_the_repeated_hour_of_autumn_in_wall_time_loses_nothing(cases):
    place = cases("timestamp", "strategy: incremental, cursor: at, unit: 1h", "Europe/Oslo")
    begin = datetime.datetime(2013, 10, 26, 23, 20, tzinfo=UTC)  # 01:20 in Oslo.
    for minute in range(0, 170, 5):  # Past 03:00, which comes two hours and forty minutes later.
        now = begin + datetime.timedelta(minutes=minute)
        set_clock(place, now)
        place.sql(f"insert into rows(at) values ('{now}'::timestamptz at time zone 'Europe/Oslo')")
        if minute % 15 == 0:
            place.run()
            assert ids(place) == expected(place), now
    place.run()
    assert ids(place) == expected(place)


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz"])
@pytest.mark.parametrize("zone, days", [("America/New_York", ("2013-03-10", "2013-11-03")),
                                        ("Europe/Oslo", ("2013-03-31", "2013-10-27"))])
def test_days_are_cut_on_daylight_saving_days_as_the_server_cuts_them(cases, zone, days, kind):
    place = cases(kind, "strategy: partition, cursor: at, unit: 1d", zone)
    local = "at" if kind == "timestamp" else f"at at time zone '{zone}'"
    for day in days:
        stamps = (f"generate_series('{day} 00:00+00'::timestamptz - interval '30 hours', "
                  f"'{day} 00:00+00'::timestamptz + interval '60 hours', interval '10 minutes')")
        value = "s" if kind == "timestamptz" else f"s at time zone '{zone}'"
        place.sql(f"insert into rows(at) select {value} from {stamps} s")
    place.run()
    assert ids(place) == expected(place)
    counts = place.server.sql(
        "cases", f"select ({local})::date, count(*) from rows group by 1 order by 1", "-At")
    want = {line.split("|")[0]: int(line.split("|")[1]) for line in counts.split()}
    column = published(place).column("cursor_day")
    have = {str(pair["values"]): pair["counts"]
            for pair in pyarrow.compute.value_counts(column).to_pylist()}
    assert have == want


def test_sequence_numbers_that_are_committed_out_of_order_are_all_found(cases):
    place = cases("timestamp", "strategy: incremental, cursor: id, unit: 1000, settle: 0s, "
                  "settle_values: 1", "UTC")
    place.sql("insert into rows(at) select now() from generate_series(1, 2000)")
    # No clock of its own: which transactions are open is told by the server's.
    config = place.folder / "headwater.yaml"
    config.write_text(config.read_text().replace(', clock: "SELECT at FROM clock"', ""))
    place.run()  # Of a first load the last `settle_values` stand in for what cannot be known.
    late = place.server.begin("cases", "insert into rows(at) values (now())")
    try:
        for _ in range(4):  # Each time the numbers after the open one are there, and new ones.
            place.sql("insert into rows(at) select now() from generate_series(1, 7)")
            place.run()
            assert ids(place) == expected(place)
        late.communicate("commit;\n", timeout=30)
    finally:
        late.kill()
        late.wait()
    place.run()
    assert ids(place) == expected(place)
    assert len(ids(place)) == 2000 + 1 + 4 * 7


@pytest.mark.parametrize("left_out", ["on_null_cursor", "on_future_cursor"])
def test_outside_rows_that_are_left_out_do_not_come_with_the_others(cases, left_out):
    place = cases("timestamptz", f"strategy: incremental, cursor: at, unit: 1d, {left_out}: exclude",
                  "UTC")
    place.sql("insert into rows(at) values (now() - interval '2 hours'), (null), ('2099-12-31')")
    kept = "at is not null" if left_out == "on_null_cursor" else "at is null or at < '2090-01-01'"
    place.run()
    assert ids(place) == expected(place, kept)
    version = deltalake.DeltaTable(str(place.folder / "lake" / "rows")).version()
    place.run()
    assert deltalake.DeltaTable(str(place.folder / "lake" / "rows")).version() == version
    place.sql("insert into rows(at) values (now()), (null), ('2098-12-31')")
    place.run()
    assert ids(place) == expected(place, kept)


def test_a_source_that_was_restored_stops_or_is_loaded_again(cases):
    place = cases("timestamptz", "strategy: incremental, cursor: at, unit: 1h", "UTC")
    place.sql("update clock set at = now(); insert into rows(at) "
              "select now() - interval '10 minutes' * g from generate_series(1, 60) g")
    place.run()
    before = ids(place)
    place.sql("delete from rows where id <= 30; insert into rows(at) "
              "select now() - interval '9 hours' from generate_series(1, 3)")
    code, _, said = place.command("run")
    assert code == 1 and "on_bound_regress: reload" in said, said
    assert ids(place) == before
    config = place.folder / "headwater.yaml"
    config.write_text(config.read_text().replace("unit: 1h", "unit: 1h, on_bound_regress: reload"))
    place.run()
    assert ids(place) == expected(place)
    place.sql("insert into rows(at) select now() - interval '1 minute' * g "
              "from generate_series(1, 200) g")
    place.run()
    assert ids(place) == expected(place)


@pytest.mark.parametrize("strategy", ["incremental", "partition"])
def test_ten_years_without_rows_cost_a_few_microbatches(cases, strategy):
    place = cases("timestamptz", f"strategy: {strategy}, cursor: at, unit: 1d", "UTC")
    set_clock(place, datetime.datetime(2013, 12, 1, 12, tzinfo=UTC))
    place.sql("create index on rows(at); insert into rows(at) select t from unnest(array["
              "timestamptz '2003-11-30', '2013-11-30']) d, generate_series(d, d + interval '1 day', '1 hour') t")
    assert microbatches(place, "run") < 30
    assert ids(place) == expected(place)

    # A month of history is imported later, and read day by day.
    place.sql("insert into rows(at) "
              "select generate_series(timestamptz '2008-03-01', '2008-03-30', '3 hours')")
    assert 30 <= microbatches(place, "backfill", "rows", "--from", "2008-01-01", "--to", "2009-01-01") < 60
    assert ids(place) == expected(place)


def microbatches(place, *command):
    """How many a run of one dataset took."""
    code, printed, said = place.command(*command, "-o", "json")
    assert code == 0, said
    return int(json.loads(printed)["datasets"][0]["microbatches_done"])


def test_a_plan_knows_from_statistics_where_the_rows_are(cases):
    place = cases("timestamptz", "strategy: incremental, cursor: at, unit: 1d", "UTC")
    set_clock(place, datetime.datetime(2013, 1, 11, tzinfo=UTC))
    place.sql("insert into rows(at) select timestamptz '2013-01-01' + i * interval '1 hour' "
              "from generate_series(0, 239) i;"
              "insert into rows(at) select timestamptz '2013-01-04' + i * interval '2 seconds' "
              "from generate_series(1, 43000) i; analyze rows")
    code, printed, said = place.command("plan", "-o", "json")
    assert code == 0, said
    (dataset,) = json.loads(printed)["datasets"]
    rows = [int(microbatch["rows"]) for microbatch in dataset["list"]]
    assert abs(sum(rows) - 43_240) < 500
    assert abs(rows[3] - 43_024) < 1_500, rows
