// What earlier reads tell of the next: how much a microbatch should read, and what a plan says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"
#include "tests/unit/coordinator/core_world.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class CoreHistoryTest : public CoreWorldTest {
 protected:
  void Incremental() {
    DatasetSpec& spec = Configure("a", "t");
    spec.strategy = Strategy::kIncremental;
    spec.partition_by = Unit();
    Begin(/*credit=*/1);
  }

  // Answers each task after `seconds_per_day` for each day that it reads; returns their lengths.
  std::vector<absl::Duration> Load(int days, double seconds_per_day) {
    std::vector<absl::Duration> read;
    ServeOffered(days, [&](const OfferedTask& task, const Range& range) {
      read.push_back(absl::Microseconds(range.to - range.from));
      const absl::Duration took =
          absl::Seconds(1 + seconds_per_day * absl::FDivDuration(read.back(), absl::Hours(24)));
      for (const absl::Time end = now_ + took; now_ < end;) {  // Its worker goes on reporting.
        now_ = std::min(end, now_ + absl::Seconds(5));
        Step({Reported{"s", 1, {{task.spec.lease, LeasePhase::kReading, 0, 0}}}});
      }
      Answer(task, Rows(task.spec));
    });
    return read;
  }

  v1::PlannedDataset Plan(const DemandRequest& demand, v1::RunKind kind, int days) {
    PlanRequested plan;
    plan.call = 7;
    plan.kind = kind;
    plan.demands = {demand};
    plan.plan_id = absl::StrCat("p-", ++plans_);
    Step({plan});
    const OfferedTask probe = tasks_.front();
    tasks_.pop_front();
    Delivered delivered;
    delivered.session = "s";
    EXPECT_TRUE(std::get<ProbeTask>(probe.spec.kind).estimates);
    ProbeResult shown = Days(days);
    shown.estimated_rows = estimated_rows_;
    shown.spread = spread_;
    delivered.outcomes.push_back({probe.spec.lease, shown});
    const Input input = delivered;
    const StepResult step = core_.Step({&input, 1}, now_);
    for (const Effect& effect : step.effects) {
      if (const auto* answer = std::get_if<AnswerPlan>(&effect)) return answer->plan.datasets(0);
    }
    ADD_FAILURE() << "no answer";
    return {};
  }

  void RunPlan(const std::string& run, const std::string& plan,
               const DatasetId& configured = {"t", "a"}) {
    RunSubmitted submitted;
    submitted.run_id = submitted.idempotency_key = run;
    submitted.kind = v1::RUN_KIND_BACKFILL;
    submitted.plan_id = plan;
    submitted.demands = {{configured, {}, {}, {}, {}, {}}};
    Step({submitted});
  }

  int plans_ = 0;
  int64_t estimated_rows_ = -1;
  std::vector<SpreadStep> spread_;
};

TEST_F(CoreHistoryTest, LongMicrobatchesAreCutToAboutAMinute) {
  Incremental();
  Run("r-1");
  const std::vector<absl::Duration> read = Load(6, /*seconds_per_day=*/600);
  ASSERT_GT(read.size(), 20u);
  EXPECT_GE(read.front(), absl::Hours(23)) << "nothing is known yet";
  for (size_t i = 1; i + 1 < read.size(); ++i) {
    EXPECT_LE(read[i], absl::Hours(4)) << i;
    EXPECT_GE(read[i], absl::Hours(1)) << i;
  }
  EXPECT_THAT(ended_, ElementsAre("r-1"));
  EXPECT_TRUE(core_.state().FindDataset({"t", "a"})->needs.empty());
}

TEST_F(CoreHistoryTest, ShortOnesStayUnits) {
  Incremental();
  Run("r-1");
  EXPECT_LE(Load(6, /*seconds_per_day=*/100).size(), 7u);
}

TEST_F(CoreHistoryTest, PartitionsAreNeverCut) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1");
  EXPECT_THAT(Load(4, /*seconds_per_day=*/600), SizeIs(4));
}

TEST_F(CoreHistoryTest, ARestartRemembers) {
  Incremental();
  Run("r-1");
  Load(3, 600);
  const std::string bytes = core_.state().Serialize();
  const auto restored = ClusterState::Restore(core_.state().last_sequence(), bytes);
  ASSERT_TRUE(restored.ok());
  const ReadHistory& history = (*restored)->FindDataset({"t", "a"})->history;
  EXPECT_GT(history.seconds, 100);
  EXPECT_EQ(history.seconds, core_.state().FindDataset({"t", "a"})->history.seconds);
}

TEST_F(CoreHistoryTest, APlanSaysWhatEachMicrobatchIsForAndWhatItTakes) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1");
  Load(3, /*seconds_per_day=*/10);
  now_ += absl::Hours(24);
  const v1::PlannedDataset tick =
      Plan({{"t", "a"}, {}, {}, {}, {}, {}}, v1::RUN_KIND_INCREMENTAL, 4);
  ASSERT_GE(tick.list_size(), 1);
  EXPECT_EQ(tick.list(tick.list_size() - 1).why(), "never loaded");
  const v1::PlannedDataset again =
      Plan({{"t", "a"}, v1::BACKFILL_MODE_ALL, {}, {}, {}, {}}, v1::RUN_KIND_BACKFILL, 3);
  ASSERT_EQ(again.list_size(), again.microbatches());
  EXPECT_EQ(again.list(0).why(), "asked");
  EXPECT_EQ(again.list(0).rows(), 1) << "as it was read";
  EXPECT_NEAR(again.list(0).seconds(), 11, 2);
  EXPECT_NEAR(again.estimated_seconds(), 11 * 3, 12);
}

TEST_F(CoreHistoryTest, APlanTakesRowsFromTheSourcesStatistics) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  const int64_t begin = *Days(4).minimum;
  estimated_rows_ = 1000;
  spread_ = {{begin, 0, 0}, {begin + kDay, 900, 0}, {begin + 3 * kDay, 100, 0}};
  const v1::PlannedDataset plan =
      Plan({{"t", "a"}, {}, {}, {}, {}, {}}, v1::RUN_KIND_INCREMENTAL, 4);
  int64_t first = 0, rest = 0;
  for (int i = 0; i < plan.list_size(); ++i) (i < 2 ? first : rest) += plan.list(i).rows();
  EXPECT_NEAR(first, 917, 20) << "the first day, and a third of the next";
  EXPECT_NEAR(rest, 83, 20);
  EXPECT_NEAR(plan.estimated_rows(), 1000, 2);
}

TEST_F(CoreHistoryTest, APlanSaysWhatIsBeingReadMeanwhile) {
  Configure("a", "t").server.max_connections = 9;
  Begin(/*credit=*/9);
  Run("r-1");
  Load(3, 1);
  Run("r-2", true, v1::RUN_KIND_BACKFILL);
  Answer(tasks_.front(), Days(3));
  tasks_.pop_front();
  ASSERT_FALSE(tasks_.empty());
  const std::deque<OfferedTask> reading = std::exchange(tasks_, {});
  const v1::PlannedDataset plan =
      Plan({{"t", "a"}, v1::BACKFILL_MODE_ALL, {}, {}, {}, {}}, v1::RUN_KIND_BACKFILL, 3);
  ASSERT_GE(plan.conflicts_size(), 1);
  EXPECT_THAT(plan.conflicts(0), HasSubstr("is being read (fence"));
  EXPECT_THAT(plan.conflicts(0), HasSubstr("it began too early for this"));
}

TEST_F(CoreHistoryTest, APlanIsRunAsItWasTold) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1");
  Load(5, 1);
  DemandRequest two{{"t", "a"}, v1::BACKFILL_MODE_ALL, {}, {}, {}, {}};
  two.from = now_ - absl::Hours(24 * 3);
  two.to = now_ - absl::Hours(24);
  const v1::PlannedDataset plan = Plan(two, v1::RUN_KIND_BACKFILL, 5);
  now_ += absl::Hours(24 * 3);  // What is new since is not in it.
  RunPlan("r-2", "p-1");
  EXPECT_TRUE(answer_.ok()) << answer_;
  EXPECT_THAT(Load(8, 1), SizeIs(plan.microbatches()));
  EXPECT_THAT(ended_, ElementsAre("r-1", "r-2"));
}

TEST_F(CoreHistoryTest, APlanIsRefusedOnceItsRangesHaveChanged) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1");
  Load(5, 1);
  const DemandRequest all{{"t", "a"}, v1::BACKFILL_MODE_ALL, {}, {}, {}, {}};
  Plan(all, v1::RUN_KIND_BACKFILL, 5);
  Run("r-2", true, v1::RUN_KIND_BACKFILL);
  Load(5, 1);
  RunPlan("r-3", "p-1");
  EXPECT_EQ(answer_.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(answer_.message()), HasSubstr("a/t is not what it was"));
  EXPECT_EQ(core_.state().FindRun("r-3"), nullptr);

  Plan(all, v1::RUN_KIND_BACKFILL, 5);
  RunPlan("r-4", "p-2", {"t", "b"});
  EXPECT_THAT(std::string(answer_.message()), HasSubstr("a/t is not configured any more"));
  EXPECT_EQ(core_.state().FindRun("r-4"), nullptr);
  configured_.datasets[0].retries = 7;  // Configured differently.
  Step({configured_});
  RunPlan("r-4", "p-2");
  EXPECT_EQ(answer_.code(), absl::StatusCode::kFailedPrecondition);
  RunPlan("r-5", "nix");
  EXPECT_EQ(answer_.code(), absl::StatusCode::kNotFound);
}

TEST_F(CoreHistoryTest, PlansOutliveARestart) {
  Configure("a", "t");
  Begin(/*credit=*/1);
  Run("r-1");
  Load(3, 1);
  Plan({{"t", "a"}, v1::BACKFILL_MODE_ALL, {}, {}, {}, {}}, v1::RUN_KIND_BACKFILL, 3);
  const auto restored =
      ClusterState::Restore(core_.state().last_sequence(), core_.state().Serialize());
  ASSERT_TRUE(restored.ok());
  ASSERT_NE((*restored)->FindPlan("p-1"), nullptr);
  EXPECT_EQ((*restored)->FindPlan("p-1")->demands_size(), 1);
}

}  // namespace
}  // namespace headwater
