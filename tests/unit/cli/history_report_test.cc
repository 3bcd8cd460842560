#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/report.h"
#include "tests/unit/cli/report_texts.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kBroken[] = R"pb(
  datasets {
    dataset { server: "ewr" table: "planes" }
    pieces: 3322
    rows: 4100
    different: 102
    rows_different: 102
    differences {
      kind: KIND_HISTORY
      key: "tailnum = N10156"
      found: "of 2 versions, the version that begins at 2024-01-01 has no end, but another begins at 2024-01-05"
      remedy: "patch the version that begins at 2024-01-01: it ends at 2024-01-05 (none before), it is not current"
    }
  }
  datasets {
    dataset { server: "jfk" table: "planes" }
    pieces: 10
    rows: 10
  }
  seconds: 0.25
  plan_id: "p-1"
)pb";

TEST(HistoriesReport, NamesKeysWithWhatIsWrongAndWhatARepairDoes) {
  const auto result = Parse<v1::VerifyResponse>(kBroken);
  const std::string text = HistoriesToRepairReport(result);
  EXPECT_EQ(text,
            R"(DATASET     HISTORIES  VERSIONS  BROKEN  RESULT
ewr/planes      3,322     4,100     102  BROKEN
jfk/planes         10        10       0  sound

broken    ewr/planes tailnum = N10156: of 2 versions, the version that begins at 2024-01-01 has no
          end, but another begins at 2024-01-05
  repair  patch the version that begins at 2024-01-01: it ends at 2024-01-05 (none before), it is
          not current
broken    ewr/planes: 101 more keys
broken: 102 histories of 3,332, 4,110 versions in 0.25 s
next: headwater repair ewr/planes --scd2   does this, in one commit
)");
  ExpectFits(text);
  EXPECT_EQ(ExitCodeOf(result), kExitVerification);
  EXPECT_THAT(HistoriesReport(result), Not(HasSubstr("next:")));
}

TEST(HistoriesReport, SaysWhenAllIsSound) {
  const auto result = Parse<v1::VerifyResponse>(R"pb(
    datasets {
      dataset { server: "ewr" table: "planes" }
      pieces: 1
      rows: 2
    }
    datasets { dataset { server: "jfk" table: "planes" } }
  )pb");
  const std::string text = HistoriesToRepairReport(result);
  EXPECT_THAT(text, HasSubstr("sound: 1 history, 2 versions in"));
  EXPECT_THAT(text, HasSubstr("no versions"));
  EXPECT_EQ(ExitCodeOf(result), kExitDone);
}

TEST(HistoriesReport, SaysWhatCouldNotBeLookedAt) {
  const auto result = Parse<v1::VerifyResponse>(R"pb(
    datasets {
      dataset { server: "ewr" table: "planes" }
      failed: true
      problems { message: "the table is behind" }
    }
  )pb");
  const std::string text = HistoriesReport(result);
  EXPECT_THAT(text, HasSubstr("FAILED    ewr/planes: the table is behind"));
  EXPECT_THAT(text, HasSubstr("not verified: 1 dataset"));
  EXPECT_EQ(ExitCodeOf(result), kExitPartial);
}

TEST(RunReport, SaysOfARepairOfHistoriesWhatItMended) {
  const auto run = Parse<v1::WatchRunResponse>(R"pb(
    kind: RUN_KIND_REPAIR
    datasets {
      dataset { server: "ewr" table: "planes" }
      state: STATE_DONE
      microbatches_done: 1
      keyed: true
      rows_changed: 1
      rows_deleted: 2
      rows_same: 30
      rows_written: 1
    }
  )pb");
  EXPECT_THAT(RunReport(run), HasSubstr("mended    ewr/planes: 1 version changed, 2 removed\n"));
  EXPECT_THAT(RunReport(run), Not(HasSubstr("by key")));
}

}  // namespace
}  // namespace headwater
