// Which settled pieces can be put together, and what looking for them costs.
#include "coordinator/state/compaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// An integer dataset in units of 10, settled up to what a test says.
class CompactionTest : public ::testing::Test {
 protected:
  CompactionTest() {
    dataset_.spec.strategy = Strategy::kIncremental;
    dataset_.spec.cursor = "id";
    dataset_.spec.unit = *ParseUnit("10");
    dataset_.spec.server.timezone = dataset_.spec.cursor_timezone = "UTC";
    dataset_.calendar = *CalendarOf(dataset_.spec, CursorType::kInteger);
    dataset_.domain = Range{0, 1'000'000};
    dataset_.settled_to = 1'000'000;
  }

  Piece& Put(int64_t from, int64_t to, int64_t rows = 1) {
    Piece piece;
    piece.range = {from, to};
    piece.spec_version = "v";
    piece.fingerprint.rows = rows;
    piece.settled_through = to;
    dataset_.coverage.Put(piece);
    return *dataset_.coverage.Overlapping(Range{from, to}).front();
  }

  // Every unit below it in two pieces.
  void PutHalves(int64_t end) {
    for (int64_t from = 0; from < end; from += 5) Put(from, from + 5);
  }

  // As once their compactions are published.
  void Join(const std::vector<Range>& ranges) {
    for (const Range& range : ranges) {
      Piece whole = CompactedPiece(dataset_, range);
      dataset_.coverage.Drop(range);
      dataset_.coverage.Put(whole);
    }
  }

  DatasetState dataset_;
};

TEST_F(CompactionTest, AUnitThatHasSettledInSeveralPiecesIsFound) {
  Put(0, 10);
  Put(10, 13);
  Put(13, 20);
  Put(20, 25);
  Put(25, 30);
  dataset_.settled_to = 29;
  EXPECT_THAT(TakeCompactable(dataset_), ElementsAre(Range{10, 20}));
  dataset_.settled_to = 30;
  EXPECT_THAT(TakeCompactable(dataset_), ElementsAre(Range{10, 20}, Range{20, 30}));
}

TEST_F(CompactionTest, APieceWithoutRowsGoesWithTheOthers) {
  Put(0, 3);
  Put(3, 6, /*rows=*/0);
  Put(6, 10);
  Put(10, 15, /*rows=*/0);  // Here is one set of files already.
  Put(15, 20);
  EXPECT_THAT(TakeCompactable(dataset_), ElementsAre(Range{0, 10}));
}

TEST_F(CompactionTest, WhatCannotBePutTogetherIsLeft) {
  PutHalves(60);
  Put(60, 75);  // Of another unit's time.
  Put(75, 80);
  dataset_.coverage.Drop({0, 1});
  dataset_.coverage.Overlapping(Range{10, 11}).front()->spec_version = "other";
  dataset_.coverage.Overlapping(Range{20, 21}).front()->bad_rows = 1;
  dataset_.needs.Raise({33, 34}, 7);
  Blocked blocked;
  blocked.extent.range = Range{49, 50};
  blocked.quarantined = true;
  dataset_.blocked.push_back(blocked);
  DemandState demand;
  std::vector<Range> wanted;
  for (const Range& range : TakeCompactable(dataset_)) {
    if (WantsCompacted(dataset_, demand, range)) wanted.push_back(range);
  }
  EXPECT_THAT(wanted, ElementsAre(Range{50, 60}));
  demand.remaining.Raise({33, 34}, 7);  // The demand itself sees to that, and goes on then.
  EXPECT_TRUE(WantsCompacted(dataset_, demand, {30, 40}));
  EXPECT_FALSE(MayCompactNow(dataset_, {30, 40}));
  EXPECT_TRUE(MayCompactNow(dataset_, {50, 60}));
}

TEST_F(CompactionTest, WhatFailsAgainAndAgainWaitsEverLongerButNotForLong) {
  const absl::Time at = absl::FromUnixSeconds(1'000'000);
  std::vector<absl::Duration> waits;
  for (int i = 0; i < 9; ++i) {
    NoteCompactionFailed(dataset_, at);
    waits.push_back(std::max(absl::ZeroDuration(), dataset_.compaction_not_before - at));
  }
  const auto seconds = [](int count) { return absl::Seconds(count); };
  EXPECT_THAT(waits, ElementsAre(seconds(0), seconds(10), seconds(20), seconds(40), seconds(80),
                                 seconds(160), seconds(300), seconds(300), seconds(300)));
}

TEST_F(CompactionTest, OtherStrategiesHaveWholeUnits) {
  PutHalves(10);
  dataset_.spec.strategy = Strategy::kPartition;
  EXPECT_THAT(TakeCompactable(dataset_), IsEmpty());
}

TEST_F(CompactionTest, ARunTakesOnSomeAndTheNextGoesOnWhereItStopped) {
  const int64_t units = static_cast<int64_t>(3 * kMaxCompactions);
  PutHalves(units * 10);
  for (int64_t run = 0; run < 3; ++run) {
    const std::vector<Range> found = TakeCompactable(dataset_);
    ASSERT_THAT(found, SizeIs(kMaxCompactions));
    EXPECT_EQ(found.front().from, run * static_cast<int64_t>(kMaxCompactions) * 10);
    EXPECT_EQ(dataset_.compaction_from, found.front().from);
    Join(found);
  }
  EXPECT_THAT(TakeCompactable(dataset_), IsEmpty());
  // What lies behind is not looked at again, until something is published there.
  EXPECT_EQ(dataset_.compaction_from, units * 10);
}

TEST_F(CompactionTest, AUnitOfVeryManyPiecesIsPutTogetherInSteps) {
  dataset_.spec.unit = *ParseUnit("1000");
  const int64_t part = static_cast<int64_t>(kMaxCompactedPieces);
  for (int64_t at = 0; at < 1000; ++at) Put(at, at + 1);
  std::vector<Range> found = TakeCompactable(dataset_);
  EXPECT_THAT(found, ElementsAre(Range{0, part}, Range{part, 2 * part}, Range{2 * part, 3 * part},
                                 Range{3 * part, 1000}));
  Join(found);
  found = TakeCompactable(dataset_);
  EXPECT_THAT(found, ElementsAre(Range{0, 1000}));
  EXPECT_EQ(CompactedPiece(dataset_, found.front()).fingerprint.rows, 1000);
}

TEST_F(CompactionTest, TheWholeHasTheLowestReadAndTheLargestCursor) {
  Put(0, 5).fill_seq = 8;
  Put(5, 10).fill_seq = 3;
  dataset_.coverage.Overlapping(Range{0, 1}).front()->max_cursor = 4;
  const Piece whole = CompactedPiece(dataset_, {0, 10});
  EXPECT_EQ(whole.fill_seq, 3);
  EXPECT_EQ(whole.max_cursor, 4);
  EXPECT_EQ(whole.range, (Range{0, 10}));
  EXPECT_EQ(whole.settled_through, 10);
}

}  // namespace
}  // namespace headwater
