// `retry`, and how a backfill is cut and paced.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"
#include "tests/unit/coordinator/core_world.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CoreRetryTest : public CoreWorldTest {
 protected:
  void Retry(const std::string& run, const std::string& of) {
    RunSubmitted retry;
    retry.run_id = retry.idempotency_key = run;
    retry.kind = v1::RUN_KIND_RETRY;
    retry.retry_of = of;
    for (const DatasetSpec& spec : configured_.datasets)
      retry.demands.emplace_back().dataset = spec.id;
    Step({retry});
  }

  // Ranges of microbatches as they are offered, each in days before the last one's end. Those that
  // hold `bad` fail for good.
  std::vector<Range> Load(int days, int64_t bad = INT64_MAX) {
    std::vector<Range> read;
    ServeOffered(days, [&](const OfferedTask& task, const Range& range) {
      read.push_back(range);
      if (range.Contains(bad)) {
        Answer(task, Failure{FailureKind::kTask, absl::InvalidArgumentError("bad row")});
      } else {
        Answer(task, Rows(task.spec));
      }
    });
    return read;
  }

  const DatasetState& Dataset() const { return *core_.state().FindDataset({"t", "a"}); }
  int64_t Today() const { return absl::ToUnixMicros(kNow) / kDay * kDay; }
};

TEST_F(CoreRetryTest, ReadsJustWhatFailed) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1");
  EXPECT_THAT(Load(5, Today() - 2 * kDay), SizeIs(5));
  EXPECT_TRUE(core_.state().FindRun("r-1")->failed);
  now_ += absl::Hours(24 * 10);  // There are new days, which it leaves alone.
  Retry("r-2", "r-1");
  EXPECT_THAT(Load(15), ElementsAre(Range{Today() - 2 * kDay, Today() - kDay}));
  EXPECT_FALSE(core_.state().FindRun("r-2")->failed);
  EXPECT_TRUE(core_.state().FindRun("r-2")->ended.has_value());
  EXPECT_THAT(Dataset().blocked, IsEmpty());
}

TEST_F(CoreRetryTest, OfACancelledBackfillReadsTheRest) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1", true, v1::RUN_KIND_BACKFILL);
  Answer(tasks_.front(), Days(4));
  tasks_.pop_front();
  const OfferedTask first = tasks_.front();
  Answer(first, Rows(first.spec));
  Step({RunCancelRequested{1, "r-1"}});
  tasks_.clear();
  Retry("r-2", "r-1");
  EXPECT_THAT(Load(4), SizeIs(3));
  EXPECT_TRUE(Dataset().coverage.Missing(*Dataset().domain).empty());
}

TEST_F(CoreRetryTest, OfWhatNoProbeReachedIsTheWhole) {
  Configure("a", "t").retries = 0;
  Begin(/*credit=*/1);
  Run("r-1");
  Answer(tasks_.front(), Failure{FailureKind::kSource, absl::UnavailableError("away")});
  tasks_.clear();
  EXPECT_THAT(ended_, ElementsAre("r-1"));
  Retry("r-2", "r-1");
  EXPECT_THAT(Load(3), SizeIs(3));
}

TEST_F(CoreRetryTest, OfARunThatCameToItsEndDoesNothing) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1");
  Load(3);
  Retry("r-2", "r-1");
  EXPECT_THAT(Load(3), IsEmpty());
  EXPECT_THAT(ended_, ElementsAre("r-1", "r-2"));
}

TEST_F(CoreRetryTest, IsRefusedForRunsThatLiveOrAreNotKnown) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1");
  Retry("r-2", "r-1");
  EXPECT_EQ(answer_.code(), absl::StatusCode::kFailedPrecondition);
  Retry("r-3", "nix");
  EXPECT_EQ(answer_.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(answer_.message()), HasSubstr("no such run: nix"));
}

TEST_F(CoreRetryTest, ABackfillOfWhatFailedReadsThatOnly) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1");
  Load(5, Today() - 3 * kDay);
  RunSubmitted run;
  run.run_id = run.idempotency_key = "r-2";
  run.kind = v1::RUN_KIND_BACKFILL;
  run.demands.push_back({{"t", "a"}, v1::BACKFILL_MODE_FAILED, {}, {}, {}, {}});
  Step({run});
  EXPECT_THAT(Load(5), ElementsAre(Range{Today() - 3 * kDay, Today() - 2 * kDay}));
}

TEST_F(CoreRetryTest, ABackfillOfColumnsReadsWhatWasWrittenWithoutThem) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1");
  Load(3);
  const auto backfill = [&](const std::string& id, const std::string& column) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = id;
    run.kind = v1::RUN_KIND_BACKFILL;
    DemandRequest demand{{"t", "a"}, v1::BACKFILL_MODE_OUTDATED, {}, {}, {}, {}};
    demand.columns = {column};
    run.demands.push_back(demand);
    Step({run});
    return Load(3);
  };
  EXPECT_THAT(backfill("r-2", "at"), IsEmpty());
  EXPECT_THAT(backfill("r-3", "new"), SizeIs(3));
}

TEST_F(CoreRetryTest, ABackfillIsCutAndPacedAsAsked) {
  Configure("a", "t").server.max_connections = 9;
  Begin(/*credit=*/9);
  Run("r-1");
  Load(8);
  RunSubmitted run;
  run.run_id = run.idempotency_key = "r-2";
  run.kind = v1::RUN_KIND_BACKFILL;
  run.pace.every = *ParseUnit("1d");
  run.pace.newest_first = true;
  run.pace.max_active = 2;
  run.demands.push_back({{"t", "a"}, v1::BACKFILL_MODE_ALL, {}, {}, {}, {}});
  Step({run});
  Answer(tasks_.front(), Days(8));
  tasks_.pop_front();
  EXPECT_THAT(tasks_, SizeIs(2)) << "at once";
  const std::vector<Range> read = Load(8);
  ASSERT_THAT(read, SizeIs(8));
  for (size_t i = 1; i < read.size(); ++i) EXPECT_LT(read[i].from, read[i - 1].from);
}

TEST_F(CoreRetryTest, OneMicrobatchMayReadManyUnits) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  RunSubmitted run;
  run.run_id = run.idempotency_key = "r-1";
  run.kind = v1::RUN_KIND_BACKFILL;
  run.pace.every = Unit{Unit::Kind::kDay, 4};
  run.demands.push_back({{"t", "a"}, v1::BACKFILL_MODE_ALL, {}, {}, {}, {}});
  Step({run});
  const std::vector<Range> read = Load(12);
  EXPECT_LE(read.size(), 4u);
  EXPECT_THAT(Dataset().coverage.pieces(), SizeIs(12)) << "its pieces stay the dataset's units";
}

}  // namespace
}  // namespace headwater
