#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "cli/report.h"

namespace headwater {
namespace {

TEST(CollectionReport, NamesWhatWouldGoAndWhatStays) {
  v1::CollectGarbageResponse result;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        tables {
          table: "flights"
          complete: true
          files: 3
          bytes: 4096
          log_entries: 1
          log_bytes: 100
          items {
            path: "/lake/flights/hw-1.parquet"
            bytes: 2048
            age_seconds: 700000
            why: "replaced"
          }
          items {
            path: "/lake/flights/hw-2.parquet"
            bytes: 1024
            age_seconds: 7300
            why: "of attempt 2"
          }
          kept { why: "in the table" count: 12 bytes: 2097152 }
        }
        tables { table: "weather" complete: true }
        dry_run: true)pb",
      &result));
  EXPECT_EQ(CollectionReport(result), R"text(/lake/flights/hw-1.parquet  2.0 KiB, 8 d old, replaced
/lake/flights/hw-2.parquet  1.0 KiB, 2 h old, of attempt 2
and 2 more in flights

TABLE    FILES    BYTES  LOG  KEPT  RESULT
flights      3  4.1 KiB    1    12  would go
weather      0      0 B    0     0  nothing to do

kept      flights: 12 files, 2.0 MiB: in the table
would remove 3 files and 1 log entry, 4.1 KiB, of 2 tables
)text");
  EXPECT_EQ(ExitCodeOf(result), kExitDone);
  result.set_dry_run(false);
  result.mutable_tables(0)->clear_items();
  result.mutable_tables(1)->add_problems("deleting /lake/weather/x: Permission denied");
  EXPECT_THAT(CollectionReport(result), ::testing::HasSubstr("removed 3 files and 1 log entry"));
  EXPECT_THAT(CollectionReport(result),
              ::testing::HasSubstr("FAILED    weather: deleting /lake/weather/x"));
  EXPECT_EQ(ExitCodeOf(result), kExitPartial);
}

}  // namespace
}  // namespace headwater
