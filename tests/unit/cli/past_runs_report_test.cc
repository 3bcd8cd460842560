#include <gmock/gmock.h>

#include "cli/report.h"
#include "tests/unit/cli/report_texts.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

TEST(PastRunsReport, HasALineForEachRunAndSaysWhatFailed) {
  const std::string text = PastRunsReport(Parse<v1::GetHistoryResponse>(R"pb(
    runs {
      run_id: "r-20261021-0f3a1b2c"
      kind: "incremental"
      started { seconds: 1792566000 }
      ended { seconds: 1792566185 }
      result: "failed"
      datasets {
        dataset { server: "jfk" table: "flights" }
        result: "failed"
        problems { extent: "[2013-03-01, 2013-03-02)" message: "no such column: tailnum" }
        problems { message: "a" }
        problems { message: "b" }
        problems { message: "c" }
        problems { message: "d" }
      }
      datasets {
        dataset { server: "lga" table: "flights" }
        result: "done"
        rows_read: 336776
        rows_written: 1200
      }
    }
    runs {
      run_id: "r-20261020-5d11aa90"
      kind: "retry"
      started { seconds: 1792479600 }
      ended { seconds: 1792479600 nanos: 420000000 }
      result: "done"
      archived: true
    }
    more: true
    problems: ".headwater/history/runs-x.parquet: reading ended runs: no Parquet")pb"));
  ExpectFits(text);
  EXPECT_EQ(
      text,
      R"text(RUN                  KIND         ENDED (UTC)              TOOK  DATASETS     READ  WRITTEN  RESULT
r-20261021-0f3a1b2c  incremental  2026-10-21 07:03:05  3 m 05 s         2  336,776    1,200  FAILED
r-20261020-5d11aa90  retry        2026-10-20 07:00:00    0.42 s         0        0        0  done

FAILED    r-20261021-0f3a1b2c jfk/flights [2013-03-01, 2013-03-02): no such column: tailnum
FAILED    r-20261021-0f3a1b2c jfk/flights: a
FAILED    r-20261021-0f3a1b2c jfk/flights: b
FAILED    r-20261021-0f3a1b2c: 2 more problems
warning   .headwater/history/runs-x.parquet: reading ended runs: no Parquet
older ones: headwater history --last 100, or --to T
)text");
}

TEST(PastRunsReport, SaysThatThereIsNone) {
  EXPECT_THAT(PastRunsReport({}), HasSubstr("no run has ended"));
}

}  // namespace
}  // namespace headwater
