// Cases of rows outside of the domain: without a cursor, and with one that is far ahead.
// docs/cases.md lists all.
#include <gmock/gmock.h>

#include <optional>

#include "coordinator/plan/planner.h"
#include "coordinator/plan/verification_plan.h"
#include "tests/cases/cursor_cases.h"

namespace headwater {
namespace {

using OutsideCases = CursorCases;
using ::testing::HasSubstr;

TEST_F(OutsideCases, RowsWithoutACursorAreLoadedCountedAndReplacedWhenTheirNumberMoves) {
  Start();
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.Insert("p1", std::nullopt);
  world_.Insert("p1", std::nullopt);
  world_.Tick();
  ExpectSame();
  EXPECT_EQ(world_.Dataset("p1").outside->fingerprint.rows, 2);
  ExpectNothingNew();
  world_.Insert("p1", std::nullopt);
  world_.Tick();
  ExpectSame();
  std::erase_if(world_.At("p1").rows, [](const CaseRow& row) { return !row.cursor.has_value(); });
  world_.Tick();
  ExpectSame();
  GoOn(3);
}

TEST_F(OutsideCases, ATableOfRowsWithoutACursorOnlyIsLoaded) {
  Start();
  world_.Configure();
  world_.Insert("p1", std::nullopt);
  world_.Tick();
  ExpectSame();
  ExpectNothingNew();
  GoOn(2);
  ExpectSame();
}

TEST_F(OutsideCases, RowsWithoutACursorAreLeftOutOrStopTheDatasetIfSoConfigured) {
  Start().spec.on_null_cursor = OutsidePolicy::kExclude;
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.Insert("p1", std::nullopt);
  world_.Tick();
  EXPECT_EQ(world_.Published("p1").size(), 1u);
  GoOn(3, /*left_out=*/1);
  world_.At("p1").spec.on_null_cursor = OutsidePolicy::kError;
  world_.Configure();
  const v1::WatchRunResponse run = world_.Tick();
  EXPECT_TRUE(run.failed());
  EXPECT_THAT(First(run), HasSubstr("1 rows have no value in cursor column at"));
  world_.At("p1").spec.on_null_cursor = OutsidePolicy::kLoad;
  world_.Configure();
  world_.Tick();
  ExpectSame();
}

TEST_F(OutsideCases, ARowOf2099IsLoadedAndFreezesNothing) {
  Start();
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.InsertAt("p1", Utc("2099-12-31 00:00"));
  world_.Tick();
  ExpectSame();
  GoOn(30);
  world_.Pass(absl::Hours(1));
  ExpectNothingNew();
  EXPECT_EQ(world_.Dataset("p1").CompleteThrough(), world_.now() - absl::Minutes(5));
}

TEST_F(OutsideCases, ARowOf2099IsLeftOutIfSoConfiguredAndFreezesNothing) {
  Start().spec.on_future_cursor = OutsidePolicy::kExclude;
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.InsertAt("p1", Utc("2099-12-31 00:00"));
  world_.Tick();
  GoOn(30, /*left_out=*/1);
  world_.Pass(absl::Hours(1));
  ExpectNothingNew();
}

TEST_F(OutsideCases, ARowOf2099StopsItsDatasetOnlyIfSoConfiguredUntilItIsMended) {
  Start().spec.on_future_cursor = OutsidePolicy::kError;
  world_.Add("p2");
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.Tick();
  world_.InsertAt("p1", Utc("2099-12-31 00:00"));
  world_.InsertAt("p2", kNoon);
  world_.Pass(absl::Hours(1));
  const v1::WatchRunResponse run = world_.Tick();
  EXPECT_TRUE(run.failed());
  EXPECT_THAT(First(run), HasSubstr("beyond max_ahead; expected none"));
  EXPECT_EQ(world_.Published("p2"), world_.Visible("p2"));
  world_.At("p1").rows.back().cursor = world_.CursorOf("p1", world_.now());
  EXPECT_FALSE(world_.Tick().failed());
  ExpectSame();
  GoOn(3);
}

TEST_F(OutsideCases, ARowOfTheFutureIsNeitherLostNorRepeatedWhenItsTimeComes) {
  Start();
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.InsertAt("p1", kNoon + absl::Hours(26));
  world_.Tick();
  for (int i = 0; i < 30; ++i) {
    ExpectSame();
    world_.Pass(absl::Hours(1));
    world_.InsertAt("p1", world_.now());
    EXPECT_FALSE(world_.Tick().failed());
  }
  ExpectSame();
  EXPECT_EQ(world_.Dataset("p1").outside->fingerprint.rows, 0);
}

// Policies are of each kind of row: NULLs left out do not come with the future ones, nor are they
// looked for on every tick.
TEST_F(OutsideCases, EachKindOfOutsideRowFollowsItsOwnPolicy) {
  for (const bool nulls : {false, true}) {
    world_ = CaseWorld(kNoon);
    DatasetSpec& spec = Start().spec;
    (nulls ? spec.on_future_cursor : spec.on_null_cursor) = OutsidePolicy::kExclude;
    world_.Configure();
    world_.InsertAt("p1", kNoon - absl::Hours(2));
    world_.Insert("p1", std::nullopt);
    world_.InsertAt("p1", Utc("2099-12-31 00:00"));
    world_.Tick();
    EXPECT_EQ(world_.Published("p1").size(), 2u);
    ExpectNothingNew();
    GoOn(3, /*left_out=*/1);
  }
}

// What lies in the domain is never read as an outside row too, though `max_ahead` has become less.
TEST_F(OutsideCases, ARowOfTheNearFutureIsNotRepeatedWhenMaxAheadIsCut) {
  Start();
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.InsertAt("p1", kNoon + absl::Hours(20));
  world_.Insert("p1", std::nullopt);
  world_.Tick();
  ExpectSame();
  world_.At("p1").spec.max_ahead = absl::Hours(1);
  world_.Configure();
  for (int i = 0; i < 3; ++i) {
    world_.Pass(absl::Hours(1));
    world_.Insert("p1", std::nullopt);
    world_.Tick();
    ExpectSame();
  }
  world_.PassTo(kNoon + absl::Hours(21));
  world_.Tick();
  ExpectSame();
  world_.Pass(absl::Hours(1));
  ExpectNothingNew();
}

// A probe shows that the row's time has come; the run that was to take it over does not.
TEST_F(OutsideCases, ARowOfTheFutureIsNotRepeatedWhenTheRunThatWasToTakeItIsCancelled) {
  Start();
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.InsertAt("p1", kNoon + absl::Hours(26));
  world_.Tick();
  world_.Pass(absl::Hours(3));
  world_.HoldReads(true);
  world_.Cancel(world_.SubmitTick());
  world_.Finish();
  EXPECT_FALSE(world_.Tick().failed());
  ExpectSame();
  EXPECT_EQ(world_.Dataset("p1").outside->fingerprint.rows, 0);
}

// The partition that the row comes into is read from its beginning, where others wait to be.
TEST_F(OutsideCases, ARowOfTheFutureThatComesIntoAPartitionIsNotRepeated) {
  DatasetSpec& spec = Start().spec;
  spec.strategy = Strategy::kPartition;
  spec.unit = *ParseUnit("1d");
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.InsertAt("p1", kNoon + absl::Hours(14));
  world_.InsertAt("p1", kNoon + absl::Hours(26));
  world_.Tick();
  world_.InsertAt("p1", kNoon + absl::Hours(14));
  world_.Pass(absl::Hours(3));
  world_.on_version = [&] { EXPECT_LE(world_.Published("p1").size(), 4u); };
  EXPECT_FALSE(world_.Tick().failed());
  ExpectSame();
}

// It was read as an outside row, and the probe before that read had not seen it.
TEST_F(OutsideCases, ARowOfTheFutureIsNotRepeatedThatCameBetweenProbeAndRead) {
  Start();
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.Insert("p1", std::nullopt);
  world_.HoldReads(true);
  world_.SubmitTick();
  world_.InsertAt("p1", kNoon + absl::Hours(24) + absl::Minutes(1));
  world_.Finish();
  ExpectSame();
  world_.Pass(absl::Minutes(10));
  world_.InsertAt("p1", Utc("2099-12-31 00:00"));  // As many outside rows as before.
  EXPECT_FALSE(world_.Tick().failed());
  ExpectSame();
}

TEST_F(OutsideCases, RowsThatCameSinceAreNotVerifiedAsThoseOutside) {
  Start();
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.Insert("p1", std::nullopt);
  world_.Tick();
  world_.Pass(absl::Hours(30));
  world_.InsertAt("p1", world_.now());
  world_.Tick();
  const std::vector<VerificationTask> tasks = PlanVerification(world_.Dataset("p1"), {}, {}).tasks;
  ASSERT_TRUE(tasks.back().extent.outside);
  EXPECT_GE(tasks.back().domain_end, world_.Dataset("p1").domain->to);
}

}  // namespace
}  // namespace headwater
