#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "cli/report.h"
#include "tests/unit/cli/report_texts.h"

namespace headwater {
namespace {

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

}  // namespace
}  // namespace headwater
