#include "cli/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "cli/output.h"
#include "tests/unit/cli/report_texts.h"

namespace headwater {
namespace {

TEST(PlanReport, SaysWhyAndHowMuch) {
  const auto plan = Parse<v1::PlanResponse>(R"pb(
    datasets {
      dataset { server: "ewr" table: "flights" }
      strategy: "partition"
      microbatches: 181
      why: "never loaded"
      from: "2013-01-01"
      to: "2013-07-01"
      estimated_rows: 60000
    }
    datasets {
      dataset { server: "jfk" table: "flights" }
      strategy: "partition"
      problem { code: 14 message: "cannot connect" }
    })pb");
  EXPECT_EQ(PlanReport(plan),
            R"text(DATASET      STRATEGY   MICROBATCHES   ROWS~  FROM        TO          WHY
ewr/flights  partition           181  60,000  2013-01-01  2013-07-01  never loaded
jfk/flights  partition             -       -  -           -           FAILED

FAILED    jfk/flights: cannot connect
would read 181 microbatches of 2 datasets, about 60,000 rows; 1 dataset could not be probed
next: headwater plan -o json   lists each, with its reason
)text");
  EXPECT_EQ(ExitCodeOf(plan), kExitPartial);
}

TEST(PlanReport, NamesAFewMicrobatchesEach) {
  const auto plan = Parse<v1::PlanResponse>(R"pb(
    datasets {
      dataset { server: "ewr" table: "flights" }
      strategy: "incremental"
      microbatches: 2
      why: "read again and compared"
      estimated_rows: 700
      estimated_bytes: 2048
      estimated_seconds: 90
      list { extent: "[a, b)" why: "asked" rows: 600 bytes: 1800 seconds: 80 }
      list { extent: "[b, c)" why: "asked" rows: 100 bytes: 248 seconds: 10 }
      conflicts: "[b, c) is being read (fence 7): what it brings is not read twice"
    }
    windows {
      timezone: "Europe/Oslo"
      servers: "ewr"
      local: "[2013-03-01 00:00:00, 2013-03-02 00:00:00)"
      utc: "[2013-02-28 23:00:00, 2013-03-01 23:00:00)"
    }
    plan_id: "p-1")pb");
  EXPECT_EQ(PlanReport(plan),
            R"text(DATASET      STRATEGY     MICROBATCHES  ROWS~  FROM  TO  WHY
ewr/flights  incremental             2    700  -     -   read again and compared

window    ewr: [2013-03-01 00:00:00, 2013-03-02 00:00:00) Europe/Oslo = [2013-02-28 23:00:00,
          2013-03-01 23:00:00) UTC
meanwhile ewr/flights: [b, c) is being read (fence 7): what it brings is not read twice
reads     ewr/flights [a, b): asked, about 600 rows
reads     ewr/flights [b, c): asked, about 100 rows
would read 2 microbatches of 1 dataset, about 700 rows, 2.0 KiB, 90.0 s of reading
next: headwater run --plan p-1   does just this
)text");
}

TEST(VerifyReport, NamesEveryDifference) {
  const auto result = Parse<v1::VerifyResponse>(R"pb(
    datasets {
      dataset { server: "ewr" table: "flights" }
      pieces: 365
      rows: 120835
    }
    datasets {
      dataset { server: "jfk" table: "flights" }
      pieces: 365
      rows: 111279
      different: 1
      problems { extent: "[2013-03-01, 2013-03-02)" message: "expected 310 rows, found 311" }
    }
    seconds: 1.5)pb");
  EXPECT_EQ(VerifyReport(result), R"text(DATASET      PIECES     ROWS  DIFFERENT  RESULT
ewr/flights     365  120,835          0  equal
jfk/flights     365  111,279          1  DIFFERENT

differs   jfk/flights [2013-03-01, 2013-03-02): expected 310 rows, found 311
different: 1 piece of 730, 232,114 rows compared in 1.50 s
next: headwater repair jfk/flights   reads again what differs
)text");
  EXPECT_EQ(ExitCodeOf(result), kExitVerification);
}

TEST(StatusReport, ShowsProgressThenWhatIsWrong) {
  const auto status = Parse<v1::GetStatusResponse>(R"pb(
    datasets {
      dataset { server: "lga" table: "flights" }
      state: "failed"
      pieces: 304
      rows: 86000
      watermark: "2013-11-01T00:00:00Z"
      complete_through: "2013-10-31T22:55:00Z"
      silent: true
      silent_for: "61d"
      bound: "2013-10-31T23:00:00Z"
      quarantined: 2
      last_error: "no such table"
      condition: "failing"
      missing {
        count: 5
        first: "[a, b)"
        first: "[c, d)"
        first: "[e, f)"
        first: "[g, h)"
        first: "[i, j)"
      }
      stale { count: 1 first: "[k, l)" }
      behind_for: "2h"
      tasks {
        task_id: "microbatch-1-2"
        fence: 7
        kind: "microbatch"
        extent: "[m, n)"
        worker: "w1"
        phase: "reading"
        rows: 40000
        rows_per_second: 3300
        seconds: 12
      }
    }
    workers { name: "w1" slots: 2 held: 1 }
    ledger_sequence: 12345
    live: true)pb");
  EXPECT_EQ(StatusReport(status),
            R"text(DATASET      STATE   SOURCE     ROWS  LOADED UP TO          COMPLETE THROUGH
lga/flights  failed  failing  86,000  2013-11-01T00:00:00Z  2013-10-31T22:55:00Z

silent    lga/flights: no new rows for 61d, newest 2013-10-31T23:00:00Z
behind    lga/flights: the replica that it is read from lagged by 2h
missing   lga/flights: not loaded: [a, b), [c, d), [e, f) and 2 more
stale     lga/flights: to be read again: [k, l)
held back lga/flights: 2 microbatches failed too often; `headwater run lga/flights` tries once more
error     lga/flights: no such table
in flight lga/flights [m, n): reading on w1, 12.0 s, 40,000 rows, 3.3k rows/s
worker    w1: 1 of 2 slots busy
live coordinator, ledger at event 12,345
)text");
}

TEST(ExplainReport, SaysWhyDatasetByDataset) {
  const auto response = Parse<v1::ExplainResponse>(R"pb(
    explanations {
      dataset { server: "lga" table: "flights" }
      state: "waits"
      extent: "[a, b)"
      code: "quiet"
      why: "server lga is left alone until 16:30"
      until { seconds: 1800000000 }
      run_id: "r-1"
    }
    explanations {
      dataset { server: "lga" table: "flights" }
      state: "failed"
      extent: "[c, d)"
      why: "4 attempts: no"
    }
    explanations {
      dataset { server: "jfk" table: "flights" }
      state: "fresh"
      why: "loaded as a whole"
    })pb");
  EXPECT_EQ(ExplainReport(response), R"text(lga/flights
  waits   [a, b): server lga is left alone until 16:30; again at 2027-01-15 08:00:00 UTC (run r-1)
  failed  [c, d): 4 attempts: no

jfk/flights
  fresh   loaded as a whole
no coordinator is running; read from the ledger
)text");
}

TEST(ExitCode, AllSourcesUnreachableIsThree) {
  const auto run = Parse<v1::WatchRunResponse>(R"pb(
    datasets {
      dataset { server: "a" table: "t" }
      state: STATE_FAILED
    }
    problems {
      dataset { server: "a" table: "t" }
      message: "refused"
      code: 14
    }
    ended: true
    failed: true)pb");
  EXPECT_EQ(ExitCodeOf(run), kExitSources);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), kExitCoordinator);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("")), kExitUsage);
  EXPECT_EQ(ExitCodeOf(absl::DataLossError("the ledger is damaged")), kExitUsage);
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), kExitDone);
}

TEST(Output, WritesNumbersForPeople) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(-123456), "-123,456");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1 << 20), "1.0 MiB");
  EXPECT_EQ(FormatSeconds(9.999), "10.0 s");
  EXPECT_EQ(FormatSeconds(185), "3 m 05 s");
  EXPECT_EQ(FormatSeconds(7800), "2 h 10 m");
  EXPECT_EQ(FormatRate(1'234'567), "1.23M rows/s");
}

TEST(Output, JsonCarriesItsSchema) {
  EXPECT_EQ(MessageToJson(v1::CancelRunResponse(), "cancel"),
            R"({"schema":"headwater.cancel/v1"})");
  EXPECT_THAT(MessageToJson(Parse<v1::PlanResponse>("datasets { microbatches: 3 }"), "plan"),
              ::testing::StartsWith(R"({"schema":"headwater.plan/v1","datasets":[{)"));
}

}  // namespace
}  // namespace headwater
