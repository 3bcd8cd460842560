// Stretches without rows: what they cost to load, and what becomes of rows that come there later.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cases/case_world.h"

namespace headwater {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'385'899'200);  // 2013-12-01T12:00:00Z
const absl::Time kOld = kNow - absl::Hours(24 * 3650);         // Ten years earlier.

class SilenceCases : public ::testing::TestWithParam<Strategy> {
 protected:
  SilenceCases() : world_(kNow) {
    world_.Add("p1").spec.strategy = GetParam();
    world_.At("p1").spec.unit = *ParseUnit("1d");
  }

  // Two days of rows, one an hour, that end at `end`.
  void AddRows(absl::Time end) {
    for (int hour = 0; hour < 48; ++hour) world_.InsertAt("p1", end - absl::Hours(hour + 1));
  }

  void LoadWithSilenceInTheMiddle() {
    AddRows(kOld);
    AddRows(kNow);
    world_.Configure();
    EXPECT_FALSE(world_.Tick().failed());
    ExpectSame();
  }

  void ExpectSame() { EXPECT_EQ(world_.Published("p1"), world_.Visible("p1")); }

  void Backfill(absl::Time from, absl::Time to) {
    world_.Submit(v1::RUN_KIND_BACKFILL, {world_.Backfill("p1", from, to)});
    world_.Finish();
    ExpectSame();
  }

  CaseWorld world_;
};

TEST_P(SilenceCases, TenYearsWithoutRowsAreOneMicrobatch) {
  LoadWithSilenceInTheMiddle();
  // Days until the first one is found empty, as many as are offered at once; then the rest.
  EXPECT_LE(world_.TakeReads().size(), 30);
  // Pieces only for days with rows, and what is between them in one.
  EXPECT_LE(world_.Pieces("p1").size(), 8);
}

TEST_P(SilenceCases, ReadAgainTheyAreOneMicrobatchToo) {
  LoadWithSilenceInTheMiddle();
  world_.TakeReads();
  const int versions = world_.versions();
  Backfill(kOld - absl::Hours(72), kNow + absl::Hours(24));
  EXPECT_LE(world_.TakeReads().size(), 30);
  EXPECT_EQ(world_.versions(), versions);  // All is as it was.
}

TEST_P(SilenceCases, TheNewestFirstAsWell) {
  AddRows(kOld);
  AddRows(kNow);
  world_.Configure();
  RunSubmitted run;
  run.run_id = run.idempotency_key = "newest";
  run.kind = v1::RUN_KIND_BACKFILL;
  run.demands = {world_.Backfill("p1", kOld - absl::Hours(72), kNow + absl::Hours(24))};
  run.pace.newest_first = true;
  world_.Submit(run);
  world_.Finish();
  ExpectSame();
  EXPECT_LE(world_.TakeReads().size(), 30);
}

TEST_P(SilenceCases, HistoryThatIsImportedLaterIsReadDayByDay) {
  LoadWithSilenceInTheMiddle();
  for (int day = 100; day < 130; ++day) world_.InsertAt("p1", kOld + absl::Hours(24 * day + 5));
  world_.TakeReads();
  Backfill(kOld + absl::Hours(24 * 90), kOld + absl::Hours(24 * 140));
  const std::vector<CaseRead> reads = world_.TakeReads();
  // Thirty days with rows, one each; the silence around them in a few.
  EXPECT_GE(reads.size(), 30);
  EXPECT_LE(reads.size(), 45);
  for (const CaseRead& read : reads) EXPECT_LE(read.cuts.size(), 1);
  world_.TakeReads();
  EXPECT_FALSE(world_.Tick().failed());
  EXPECT_EQ(world_.TakeReads().size(), 0);
}

TEST_P(SilenceCases, ALateRowTouchesItsDayOnly) {
  LoadWithSilenceInTheMiddle();
  const absl::Time day = kOld + absl::Hours(24 * 1000 + 12);
  world_.InsertAt("p1", day + absl::Hours(5));
  world_.TakeReads();
  Backfill(day, day + absl::Hours(24));
  EXPECT_EQ(world_.TakeReads().size(), 1);
  EXPECT_LE(world_.Pieces("p1").size(), 10);
  // And gone again: what is left without rows is one stretch once more.
  world_.At("p1").rows.pop_back();
  Backfill(day, day + absl::Hours(24));
  EXPECT_LE(world_.Pieces("p1").size(), 8);
}

// A worker looks for the next rows, and they come before the stretch is read.
TEST_P(SilenceCases, RowsThatComeWhileTheStretchIsReadAreLoaded) {
  AddRows(kOld);
  AddRows(kNow);
  world_.Configure();
  world_.HoldReads(true);
  world_.SubmitTick();
  bool come = false;
  while (world_.held() > 0) {
    const Range next = *world_.NextHeld().range;
    if (!come && next.to - next.from > 1000 * absl::ToInt64Microseconds(absl::Hours(24))) {
      for (int day = 100; day < 130; ++day) world_.InsertAt("p1", kOld + absl::Hours(24 * day + 5));
      come = true;
    }
    world_.Release();
  }
  world_.Finish();
  EXPECT_TRUE(come);
  ExpectSame();
  // Read again, each day gets a piece of its own.
  Backfill(kOld + absl::Hours(24 * 110), kOld + absl::Hours(24 * 111));
  EXPECT_GE(world_.Pieces("p1").size(), 30);
}

INSTANTIATE_TEST_SUITE_P(Strategies, SilenceCases,
                         ::testing::Values(Strategy::kIncremental, Strategy::kPartition),
                         [](const auto& tested) { return StrategyToString(tested.param); });

}  // namespace
}  // namespace headwater
