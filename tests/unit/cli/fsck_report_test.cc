#include "cli/fsck_report.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace headwater {
namespace {

using testing::HasSubstr;

v1::FsckReport Parse(const std::string& text) {
  v1::FsckReport report;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &report));
  return report;
}

TEST(FsckText, SaysOfEachViolationWhatWhereAndWhatToDo) {
  const v1::FsckReport report = Parse(
      R"pb(
        tables {
          table: "flights"
          version: 12
          pieces: 365
          rows: 336776
          claims: 2
          files: 365
          bytes: 4096
          unreferenced: 3
          violations {
            invariant: "I7"
            dataset { table: "flights" server: "jfk" }
            where: "/lake/flights/hw-1.parquet"
            expected: "100 bytes"
            found: "no file"
            advice: "restore it"
          }
          notes: "some"
        }
        tables { table: "weather" version: -1 }
        ledger_id: "abc"
        ledger_sequence: 77
        seconds: 0.5)pb");
  EXPECT_EQ(FsckText(report),
            R"text(TABLE    VERSION  PIECES     ROWS  CLAIMS  FILES    BYTES  OTHERS  RESULT
flights       12     365  336,776       2    365  4.0 KiB       3  1 violation
weather        -       0        0       0      0      0 B       0  no table yet

I7        jfk/flights: /lake/flights/hw-1.parquet: expected 100 bytes; found no file. restore it
note      flights: some
1 violation in 2 tables, ledger abc at event 77, in 0.50 s
)text");
  EXPECT_EQ(ExitCodeOf(report), kExitVerification);
}

TEST(FsckText, ATableThatCannotBeReadIsNotCalledClean) {
  const v1::FsckReport report =
      Parse(R"pb(tables { table: "flights" problems: "no permission" })pb");
  EXPECT_EQ(ExitCodeOf(report), kExitPartial);
  EXPECT_THAT(FsckText(report), HasSubstr("not checked"));
  EXPECT_THAT(FsckText(report), HasSubstr("no permission"));
}

TEST(FsckText, NothingWrongIsExitCodeZero) {
  const v1::FsckReport report = Parse(R"pb(tables { table: "flights" version: 1 })pb");
  EXPECT_EQ(ExitCodeOf(report), kExitDone);
  EXPECT_THAT(FsckText(report), HasSubstr("nothing wrong was found in 1 table"));
}

}  // namespace
}  // namespace headwater
