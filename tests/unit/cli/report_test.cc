#include "cli/report.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace headwater {
namespace {

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

void ExpectFits(const std::string& text) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    EXPECT_LE(line.size(), kTextWidth) << line;
  }
}

TEST(RunReport, SaysWhatWasLoadedWhatFailedAndWhatToType) {
  const auto run = Parse<v1::WatchRunResponse>(R"pb(
    datasets {
      dataset { server: "ewr" table: "flights" }
      state: STATE_DONE
      microbatches_done: 181
      microbatches_unchanged: 3
      rows_read: 120835
      rows_written: 118000
      bytes_written: 4299161
      bound: "2013-12-31T23:00:00Z"
      rewritten: "[2013-03-01, 2013-03-02)"
    }
    datasets {
      dataset { server: "jfk" table: "flights" }
      state: STATE_FAILED
      microbatches_done: 2
      microbatches_failed: 1
      rows_read: 900
      bound: "2013-12-31T23:00:00Z"
    }
    datasets {
      dataset { server: "lga" table: "flights" }
      state: STATE_DONE
      silent: true
      silent_for: "61d"
      bound: "2013-10-31T23:00:00Z"
    }
    problems {
      dataset { server: "jfk" table: "flights" }
      extent: "[2013-05-01, 2013-05-02)"
      attempts: 4
      code: 14
      message: "reading server jfk, table flights: expected a number in column arr_delay, found text in the row with key 42; correct the row, or exclude the column"
    }
    problems {
      dataset { server: "lga" table: "flights" }
      warning: "transactions are unknown"
    }
    run_id: "r-1"
    ended: true
    failed: true
    seconds: 24.08
    workers: 2)pb");
  const std::string text = RunReport(run);
  EXPECT_EQ(text, R"text(DATASET      STATE   LOADED  UNCHANGED  FAILED     ROWS  WRITTEN  UP TO
ewr/flights  done       181          3       0  118,000  4.1 MiB  2013-12-31T23:00:00Z
jfk/flights  FAILED       2          0       1        0      0 B  2013-12-31T23:00:00Z
lga/flights  done         0          0       0        0      0 B  2013-10-31T23:00:00Z

rewritten ewr/flights: [2013-03-01, 2013-03-02)
silent    lga/flights: no new rows for 61d, newest 2013-10-31T23:00:00Z
warning   lga/flights: transactions are unknown
FAILED    jfk/flights [2013-05-01, 2013-05-02): reading server jfk, table flights: expected a number
          in column arr_delay, found text in the row with key 42; correct the row, or exclude the
          column (4 attempts)
failed: 1 of 3 datasets; the rest is published
121,735 rows read, 118,000 written (4.1 MiB) in 24.1 s, 5.1k rows/s, 2 workers
next: headwater status jfk/flights   then: headwater retry r-1
)text");
  ExpectFits(text);
  EXPECT_EQ(ExitCodeOf(run), kExitPartial);
}

TEST(RunReport, SaysOnceWhatFailedManyDatasetsAlike) {
  v1::WatchRunResponse run;
  run.set_failed(true);
  const auto add = [&](const std::string& server, const std::string& extent) {
    v1::Problem* problem = run.add_problems();
    problem->mutable_dataset()->set_server(server);
    problem->mutable_dataset()->set_table("t");
    problem->set_extent(extent);
    problem->set_message("not ours");
  };
  for (const char* server : {"a", "b", "c", "d", "e", "f", "g"}) add(server, "");
  add("h", "[1, 2)");
  const std::string text = RunReport(run);
  EXPECT_THAT(text, ::testing::HasSubstr("FAILED    a/t, b/t, c/t, d/t, e/t and 2 more: not ours\n"
                                         "FAILED    h/t [1, 2): not ours\n"));
}

TEST(RunReport, RowsThatDidNotFitAreSaidLoudlyAndDoNotFailTheRun) {
  const auto run = Parse<v1::WatchRunResponse>(R"pb(
    datasets {
      dataset { server: "ewr" table: "flights" }
      state: STATE_DONE
      microbatches_done: 1
      rows_read: 1000
      rows_written: 997
      bad_rows: 3
      truncated_values: 20
      quarantine: "/lake/flights__quarantine"
    }
    ended: true)pb");
  const std::string text = RunReport(run);
  EXPECT_THAT(text,
              ::testing::HasSubstr(
                  "BAD ROWS  ewr/flights: 3 rows with a value that does not fit: not loaded, "
                  "but in\n          /lake/flights__quarantine\n"
                  "truncated ewr/flights: 20 values cut to microseconds\n"
                  "done: 1 dataset\n1,000 rows read, 997 written (0 B), 3 in quarantine in "));
  EXPECT_EQ(ExitCodeOf(run), kExitDone);
}

TEST(RunReport, WhatWasCompactedIsOneLine) {
  const auto run = Parse<v1::WatchRunResponse>(R"pb(
    datasets {
      dataset { server: "lga" table: "weather" }
      state: STATE_DONE
      compacted_units: 3
      compacted_files: 1400
      compacted_into: 3
    }
    ended: true)pb");
  EXPECT_THAT(RunReport(run),
              ::testing::HasSubstr("compacted lga/weather: 3 units, 1,400 files into 3\n"));
}

TEST(RunReport, WhatWasWrittenByKeyAndWhatWasNotReadIsSaid) {
  const auto run = Parse<v1::WatchRunResponse>(R"pb(
    datasets {
      dataset { server: "ewr" table: "planes" }
      state: STATE_DONE
      microbatches_done: 1
      keyed: true
      rows_new: 1
      rows_changed: 2
      rows_deleted: 3
      rows_same: 2500
      rows_duplicate: 4
    }
    datasets {
      dataset { server: "ewr" table: "airlines" }
      state: STATE_DONE
      microbatches_done: 1
      microbatches_unchanged: 1
      keyed: true
      rows_same: 16
    }
    datasets {
      dataset { server: "ewr" table: "countries" }
      state: STATE_DONE
      microbatches_done: 1
      microbatches_unchanged: 1
      keyed: true
      rows_skipped: 2000
      bytes_skipped: 2048
    }
    ended: true
  )pb");
  const std::string report = RunReport(run);
  EXPECT_THAT(report, ::testing::HasSubstr(
                          "by key    ewr/planes: 1 new, 2 changed, 3 deleted, 2,500 same\n"));
  EXPECT_THAT(report,
              ::testing::HasSubstr("left out  ewr/planes: 4 rows with the key of another row"));
  EXPECT_THAT(report, ::testing::Not(::testing::HasSubstr("by key    ewr/airlines")));
  EXPECT_THAT(report,
              ::testing::HasSubstr("not read  ewr/countries: 2,000 rows, about 2.0 KiB of them, "
                                   "unchanged by the source's checksum"));
}

TEST(RunReport, ARunWithNothingNewSaysSo) {
  const auto run = Parse<v1::WatchRunResponse>(R"pb(
    datasets {
      dataset { server: "ewr" table: "planes" }
      state: STATE_DONE
      microbatches_unchanged: 1
      rows_read: 1
    }
    ended: true
    seconds: 0.5)pb");
  EXPECT_EQ(RunReport(run),
            R"text(DATASET     STATE  LOADED  UNCHANGED  FAILED  ROWS  WRITTEN  UP TO
ewr/planes  done        0          1       0     0      0 B  -

nothing new: 1 dataset up to date
1 row read, 0 written (0 B) in 0.50 s, 2 rows/s
)text");
  EXPECT_EQ(ExitCodeOf(run), kExitDone);
}

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
