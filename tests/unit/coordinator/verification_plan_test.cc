#include "coordinator/plan/verification_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class VerificationPlanTest : public ::testing::Test {
 protected:
  VerificationPlanTest() {
    dataset_.spec.id = {"flights", "ewr"};
    dataset_.spec.server.timezone = "UTC";
    dataset_.calendar = *CalendarOf(dataset_.spec, CursorType::kInteger);
    for (int64_t from = 0; from < 60; from += 10) {
      if (from != 30) Put({from, from + 10}, "a");  // A hole.
    }
  }

  void Put(Range range, const std::string& spec_version) {
    Piece piece{range, {5, {1, 2}}, 7, 7, range.from, spec_version, {}, absl::UnixEpoch()};
    if (range.from == 10) piece.checksum = ExtentChecksum{ChecksumKind::kMd5, 5, 9, "a"};
    dataset_.coverage.Put(piece);
  }
  std::vector<Range> RangesOf(const VerificationPlan& plan) {
    std::vector<Range> ranges;
    for (const VerificationTask& task : plan.tasks) {
      for (const Extent& piece : PiecesOf(task.extent, task.cuts)) ranges.push_back(*piece.range);
    }
    return ranges;
  }

  DatasetState dataset_;
};

TEST_F(VerificationPlanTest, EveryPieceIsComparedOnceInTasksWithoutHoles) {
  const VerificationPlan plan = PlanVerification(dataset_, {}, {});
  ASSERT_EQ(plan.tasks.size(), 2u);
  EXPECT_EQ(plan.tasks[0].extent, (Extent{Range{0, 30}, false}));
  EXPECT_THAT(plan.tasks[0].cuts, ElementsAre(10, 20));
  EXPECT_EQ(plan.tasks[1].extent, (Extent{Range{40, 60}, false}));
  EXPECT_EQ(plan.left_out, 0);
}

TEST_F(VerificationPlanTest, PiecesWithAChecksumAreToldToTheWorker) {
  const VerificationPlan plan = PlanVerification(dataset_, {}, {});
  ASSERT_EQ(plan.tasks[0].known.size(), 1u);
  EXPECT_EQ(plan.tasks[0].known[0].extent, (Extent{Range{10, 20}, false}));
  EXPECT_THAT(plan.tasks[1].known, IsEmpty());
  EXPECT_THAT(PlanVerification(dataset_, {}, {.counts_only = true}).tasks[0].known, IsEmpty());
}

TEST_F(VerificationPlanTest, PiecesOfOtherColumnsAreNotComparedTogether) {
  dataset_.coverage.Drop({10, 20});
  Put({10, 20}, "b");
  TableState table;
  table.written = {{"b", {{{"id", {TypeKind::kLong}}}}}};
  const VerificationPlan plan = PlanVerification(dataset_, table, {});
  ASSERT_EQ(plan.tasks.size(), 4u);
  EXPECT_EQ(plan.tasks[1].table_schema, table.written.at("b"));
  EXPECT_EQ(plan.tasks[2].table_schema, Schema());
}

TEST_F(VerificationPlanTest, PiecesAreHashedAsTheyWereWhateverTheDatasetSaysNow) {
  const Schema before{{{"id", {TypeKind::kLong}}}};
  const Schema now{{{"id", {TypeKind::kLong}}, {"name", {TypeKind::kString}}}};
  dataset_.spec.hash_algorithm = HashAlgorithm::kSha256;
  TableState table;
  table.columns = now;
  const std::string written = SpecVersionOf(before, HashAlgorithm::kXxh3);
  table.written = {{written, before}};
  for (const auto& [range, version] :
       {std::pair(Range{0, 10}, written), std::pair(Range{10, 20}, written),
        std::pair(Range{20, 30}, SpecVersionOf(now, HashAlgorithm::kMd5))}) {
    dataset_.coverage.Drop(range);
    Put(range, version);
  }
  const std::vector<VerificationTask> tasks = PlanVerification(dataset_, table, {}).tasks;
  ASSERT_EQ(tasks.size(), 3u);
  EXPECT_EQ(tasks[0].hash_algorithm, HashAlgorithm::kXxh3);
  EXPECT_EQ(tasks[0].extent, (Extent{Range{0, 20}, false}));
  EXPECT_EQ(tasks[1].hash_algorithm, HashAlgorithm::kMd5)
      << "by the table's columns: it was healed";
  EXPECT_EQ(tasks[1].table_schema, now);
  EXPECT_EQ(tasks[2].hash_algorithm, std::nullopt) << "nobody knows its columns";
  EXPECT_EQ(tasks[2].table_schema, Schema());
  // Rows of a keyed table are looked up, and hashed on both sides anew.
  dataset_.spec.write = WriteMode::kMerge;
  EXPECT_EQ(PlanVerification(dataset_, table, {}).tasks[0].hash_algorithm, std::nullopt);
}

TEST_F(VerificationPlanTest, ASampleIsTheSameForTheSameSeedAndReachesEveryPiece) {
  std::set<int64_t> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const VerificationOptions options{.sample = 2, .seed = seed};
    const VerificationPlan plan = PlanVerification(dataset_, {}, options);
    const std::vector<Range> ranges = RangesOf(plan);
    ASSERT_EQ(ranges.size(), 2u) << "seed " << seed;
    EXPECT_EQ(plan.left_out, 3);
    EXPECT_EQ(RangesOf(PlanVerification(dataset_, {}, options)), ranges) << "seed " << seed;
    for (const Range& range : ranges) seen.insert(range.from);
  }
  EXPECT_THAT(seen, ElementsAre(0, 10, 20, 40, 50));
  EXPECT_EQ(RangesOf(PlanVerification(dataset_, {}, {.sample = 9})).size(), 5u);
}

TEST_F(VerificationPlanTest, RowsOfAKeyedTableAreLookedUpInWholeStretches) {
  dataset_.spec.write = WriteMode::kMerge;
  const VerificationPlan plan = PlanVerification(dataset_, {}, {});
  ASSERT_EQ(plan.tasks.size(), 2u);
  EXPECT_EQ(plan.tasks[0].extent, (Extent{Range{0, 30}, false}));
  EXPECT_THAT(plan.tasks[0].cuts, IsEmpty());
  EXPECT_THAT(plan.tasks[0].known, IsEmpty());
  // Its pieces say how many rows they have, unless updates take rows elsewhere.
  EXPECT_TRUE(PlanVerification(dataset_, {}, {.counts_only = true}).tasks[0].counts_only);
  dataset_.spec.cursor_modified = true;
  EXPECT_FALSE(PlanVerification(dataset_, {}, {.counts_only = true}).tasks[0].counts_only);
}

}  // namespace
}  // namespace headwater
