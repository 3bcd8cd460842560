#include "worker/change/version_merge.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/change/history_table.h"
#include "worker/change/version_check.h"

namespace headwater {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Outcome = MergeResult::Outcome;
using Seen = std::vector<HistoryTable::Seen>;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// One key, read by ranges unless said otherwise.
class MergeVersionsTest : public testing::Test {
 protected:
  std::string Ranges(const Seen& seen) {
    const MergeResult result = table_.Merge("key", seen, {});
    EXPECT_EQ(result.outcome, Outcome::kMerged);
    return table_.TextOf("key");
  }
  std::string Whole(int64_t read_at, const Seen& seen,
                    HistoryDeletes deletes = HistoryDeletes::kClose) {
    const MergeResult result = table_.Merge("key", seen, {HistoryRead::kWhole, deletes, read_at});
    EXPECT_EQ(result.outcome, Outcome::kMerged);
    return table_.TextOf("key");
  }
  // What each row holds of the columns that are not tracked, by its begin.
  std::map<int64_t, int> Untracked() {
    std::map<int64_t, int> held;
    for (const auto& row : table_.RowsOf("key")) held[row.version.valid_from] = row.untracked;
    return held;
  }

  HistoryTable table_;
};

TEST_F(MergeVersionsTest, AFirstObservationIsCurrentFromItsInstant) {
  EXPECT_EQ(Ranges({{1, 'A'}}), "A 1-");
}

TEST_F(MergeVersionsTest, AVersionEndsWhereTheNextBegins) {
  Ranges({{1, 'A'}});
  EXPECT_EQ(Ranges({{4, 'B'}}), "A 1-4 | B 4-");
}

TEST_F(MergeVersionsTest, TheSameContentAgainConfirmsAVersion) {
  Ranges({{1, 'A'}});
  EXPECT_EQ(Ranges({{3, 'A'}, {2, 'A'}}), "A 1- +2 +3");
}

TEST_F(MergeVersionsTest, ALateOlderVersionSplitsAHistoryAtWhatConfirmedIt) {
  Ranges({{1, 'A', 11}, {5, 'A', 15}, {9, 'A', 19}});
  EXPECT_EQ(Ranges({{3, 'B', 13}}), "A 1-3 | B 3-5 | A 5- +9");
  // Reopened from the row that was there.
  EXPECT_THAT(Untracked(), UnorderedElementsAre(Pair(1, 11), Pair(3, 13), Pair(5, 11)));
}

// The example of docs/history.md: days since 1970, seats as letters, notes as numbers.
TEST_F(MergeVersionsTest, TheExampleOfThePageAboutHistoriesHolds) {
  constexpr char k150 = 'A', k162 = 'B';
  constexpr int kNew = 1, kPainted = 2, kLeased = 3, kRefitted = 4;
  Ranges({{19723, k150, kNew}});
  Ranges({{19727, k150, kPainted}});
  EXPECT_EQ(Ranges({{19731, k150, kLeased}}), "A 19723- +19727 +19731");
  EXPECT_THAT(Untracked(), UnorderedElementsAre(Pair(19723, kNew)));
  EXPECT_EQ(Ranges({{19725, k162, kRefitted}}), "A 19723-19725 | B 19725-19727 | A 19727- +19731");
  EXPECT_THAT(Untracked(),
              UnorderedElementsAre(Pair(19723, kNew), Pair(19725, kRefitted), Pair(19727, kNew)));
}

TEST_F(MergeVersionsTest, AReopenedVersionIsTheRowOfThisCallWhereItWasRead) {
  Ranges({{1, 'A', 11}, {5, 'A', 15}});
  EXPECT_EQ(Ranges({{3, 'B', 13}, {5, 'A', 25}}), "A 1-3 | B 3-5 | A 5-");
  EXPECT_THAT(Untracked(), UnorderedElementsAre(Pair(1, 11), Pair(3, 13), Pair(5, 25)));
}

TEST_F(MergeVersionsTest, AVersionThatBeganEarlierKeepsItsRow) {
  Ranges({{5, 'A', 15}});
  const MergeResult result = table_.Merge("key", {{2, 'A', 12}}, {});
  EXPECT_TRUE(result.plan.inserted.empty());
  EXPECT_EQ(table_.TextOf("key"), "A 2- +5");
  EXPECT_THAT(Untracked(), UnorderedElementsAre(Pair(2, 15)));
}

TEST_F(MergeVersionsTest, AnOlderVersionComesFirstAndEndsWhereTheOldestBegan) {
  Ranges({{5, 'A'}});
  EXPECT_EQ(Ranges({{2, 'B'}}), "B 2-5 | A 5-");
}

TEST_F(MergeVersionsTest, ARestatedInstantIsAsIfTheOldContentHadNeverBeen) {
  Ranges({{1, 'A'}, {4, 'B'}, {6, 'A'}});
  EXPECT_EQ(Ranges({{4, 'A'}}), "A 1- +4 +6");
}

TEST_F(MergeVersionsTest, ARestatedBeginLeavesTheRestOfAVersionItsRow) {
  Ranges({{1, 'A', 11}, {4, 'A', 14}});
  EXPECT_EQ(Ranges({{1, 'B', 21}}), "B 1-4 | A 4-");
  EXPECT_THAT(Untracked(), UnorderedElementsAre(Pair(1, 21), Pair(4, 11)));
}

TEST_F(MergeVersionsTest, ARestatedVersionThatNothingElseShowsIsGone) {
  Ranges({{1, 'A'}, {4, 'B'}, {6, 'C'}});
  EXPECT_EQ(Ranges({{4, 'D'}}), "A 1-4 | D 4-6 | C 6-");
}

TEST_F(MergeVersionsTest, WhatIsReadAgainChangesNothing) {
  const Seen seen = {{1, 'A', 11}, {4, 'B', 14}, {5, 'B', 15}, {6, 'A', 16}};
  Ranges(seen);
  EXPECT_TRUE(table_.Merge("key", seen, {}).plan.ChangesNothing());
  // Not even where a column differs that is not tracked.
  EXPECT_TRUE(table_.Merge("key", {{4, 'B', 99}}, {}).plan.ChangesNothing());
  EXPECT_EQ(Untracked()[4], 14);
}

TEST_F(MergeVersionsTest, AKeyThatARangeDoesNotShowIsUntouched) {
  Ranges({{1, 'A'}});
  EXPECT_TRUE(table_.Merge("key", {}, {}).plan.ChangesNothing());
}

TEST_F(MergeVersionsTest, TwoContentsAtOneInstantInOneCallAreAConflict) {
  Ranges({{1, 'A'}});
  const MergeResult result =
      table_.Merge("key", {{7, 'C'}, {5, 'A'}, {4, 'B'}, {5, 'B'}, {5, 'A'}}, {});
  ASSERT_EQ(result.outcome, Outcome::kConflict);
  EXPECT_EQ(result.conflict->at, 5);
  EXPECT_EQ(result.conflict->first_row, 1);
  EXPECT_EQ(result.conflict->second_row, 3);
  EXPECT_EQ(table_.TextOf("key"), "A 1-");
}

TEST_F(MergeVersionsTest, TheSameRowTwiceInOneCallIsOne) {
  EXPECT_EQ(Ranges({{5, 'A', 1}, {5, 'A', 2}}), "A 5-");
  EXPECT_EQ(Untracked()[5], 1);
}

TEST_F(MergeVersionsTest, TheLargestAndTheSmallestInstantAreInstants) {
  const int64_t least = std::numeric_limits<int64_t>::min();
  Ranges({{kMost, 'B'}, {least, 'A'}});
  EXPECT_EQ(Ranges({{0, 'A'}}), absl::StrCat("A ", least, "-", kMost, " +0 | B ", kMost, "-"));
}

TEST_F(MergeVersionsTest, ABrokenHistoryIsRefused) {
  Ranges({{1, 'A'}, {4, 'B'}});
  table_.RowsOf("key")[0].version.valid_to = 3;
  EXPECT_EQ(table_.Merge("key", {{9, 'C'}}, {}).outcome, Outcome::kBroken);
  // A hole is none for whole reads.
  EXPECT_EQ(Whole(9, {{9, 'C'}}), "A 1-3 | B 4-9 | C 9-");
}

TEST_F(MergeVersionsTest, AWholeReadWithTheSameContentChangesNothing) {
  EXPECT_EQ(Whole(10, {{10, 'A'}}), "A 10-");
  const MergeResult result =
      table_.Merge("key", {{20, 'A'}}, {HistoryRead::kWhole, HistoryDeletes::kClose, 20});
  EXPECT_TRUE(result.plan.ChangesNothing());
}

TEST_F(MergeVersionsTest, AWholeReadWithOtherContentOpensAVersionAtItsInstant) {
  Whole(10, {{0, 'A'}});  // The instant of the read counts, not that of the row.
  EXPECT_EQ(Whole(20, {{5, 'B'}}), "A 10-20 | B 20-");
}

TEST_F(MergeVersionsTest, AKeyThatAWholeReadDoesNotShowIsClosed) {
  Whole(10, {{10, 'A'}});
  EXPECT_EQ(Whole(20, {}), "A 10-20");
  EXPECT_EQ(Whole(30, {}), "A 10-20");
}

TEST_F(MergeVersionsTest, AKeyThatAWholeReadDoesNotShowIsKeptWhereDeletesAre) {
  Whole(10, {{10, 'A'}});
  EXPECT_EQ(Whole(20, {}, HistoryDeletes::kKeep), "A 10-");
}

TEST_F(MergeVersionsTest, AKeyThatReappearsOpensAVersionEvenWithItsOldContent) {
  Whole(10, {{10, 'A'}});
  Whole(20, {});
  EXPECT_EQ(Whole(30, {{30, 'A'}}), "A 10-20 | A 30-");
}

TEST_F(MergeVersionsTest, AReadOfAClockThatWasSetBackIsOneUnitAfterWhatIsKnown) {
  Whole(10, {{10, 'A'}});
  EXPECT_EQ(Whole(10, {{10, 'B'}}), "A 10-11 | B 11-");
  EXPECT_EQ(Whole(3, {}), "A 10-11 | B 11-12");
  EXPECT_EQ(Whole(12, {{12, 'B'}}), "A 10-11 | B 11-12 | B 13-");
  EXPECT_EQ(Whole(14, {{14, 'C'}}), "A 10-11 | B 11-12 | B 13-14 | C 14-");
}

TEST_F(MergeVersionsTest, AWholeReadFollowsWhatRangesConfirmed) {
  Ranges({{1, 'A'}, {8, 'A'}});
  EXPECT_EQ(Whole(8, {{8, 'B'}}), "A 1-9 +8 | B 9-");
}

TEST_F(MergeVersionsTest, AWholeReadCannotFollowTheLargestInstant) {
  Whole(kMost, {{0, 'A'}});
  EXPECT_TRUE(Whole(5, {{0, 'A'}}).size() > 0);  // It need not: the content is the same.
  EXPECT_EQ(table_.Merge("key", {{0, 'B'}}, {HistoryRead::kWhole}).outcome,
            Outcome::kNoInstantLeft);
}

TEST_F(MergeVersionsTest, TwoRowsOfOneKeyInAWholeReadAreAConflictUnlessTheyAreEqual) {
  EXPECT_EQ(Whole(10, {{1, 'A', 1}, {2, 'A', 2}}), "A 10-");
  EXPECT_EQ(Untracked()[10], 1);
  const MergeResult result =
      table_.Merge("key", {{1, 'A'}, {2, 'B'}}, {HistoryRead::kWhole, HistoryDeletes::kClose, 20});
  ASSERT_EQ(result.outcome, Outcome::kConflict);
  EXPECT_EQ(result.conflict->at, 20);
  EXPECT_EQ(result.conflict->second_row, 1);
}

}  // namespace
}  // namespace headwater
