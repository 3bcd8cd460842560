#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core.h"
#include "coordinator/plan/planner.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const absl::Status kForeign = absl::AlreadyExistsError("the table belongs to another ledger");
constexpr int kDays = 5;  // Microbatches of one dataset.

// A core with servers a and b, tables t and u, and one worker that takes everything at once. What
// the core sends is played by hand: checks and commits wait in `checks_` and `commits_`.
class CoreOwnershipTest : public ::testing::Test {
 protected:
  CoreOwnershipTest() : core_(std::make_unique<ClusterState>(), CoreOptions()) {
    core_.Begin(/*workers_are_dead=*/true, "digest", now_);
    DatasetsConfigured configured;
    for (const char* table : {"t", "u"}) {
      for (const char* server : {"a", "b"}) {
        DatasetSpec spec;
        spec.id = {.table = table, .server = server};
        spec.server.name = server;
        spec.server.url = "test:";
        spec.server.timezone = spec.cursor_timezone = "UTC";
        spec.server.max_connections = 100;
        spec.relation = table;
        spec.strategy = Strategy::kPartition;
        spec.cursor = "at";
        spec.unit = *ParseUnit("1d");
        spec.target_uri = absl::StrCat("/nowhere/", table);
        configured.datasets.push_back(spec);
      }
    }
    SessionOpened opened;
    opened.session = "s";
    opened.hello.name = "w";
    Feed(configured);
    Feed(opened);
    Feed(CreditChanged{"s", 100});
  }

  void Feed(const Input& input) {
    StepResult step = core_.Step({&input, 1}, now_);
    for (Effect& effect : step.effects) {
      if (auto* offer = std::get_if<SendOffer>(&effect)) {
        offers_.push_back(std::move(offer->task));
      } else if (auto* check = std::get_if<CheckCommit>(&effect)) {
        checks_[check->table].push_back(std::move(*check));
      } else if (auto* commit = std::get_if<Commit>(&effect)) {
        commits_.push_back(std::move(commit->intent));
      }
    }
  }

  void Submit(const std::string& run_id, const std::vector<std::string>& tables) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = run_id;
    for (const std::string& table : tables) {
      for (const char* server : {"a", "b"})
        run.demands.emplace_back().dataset = {.table = table, .server = server};
    }
    Feed(run);
  }

  // Does what has been offered so far (unless `probes_only`); returns how many microbatches that
  // were.
  int Work(bool probes_only = false) {
    int microbatches = 0;
    for (const TaskSpec& task : std::exchange(offers_, {})) {
      if (probes_only && !std::holds_alternative<ProbeTask>(task.kind)) {
        offers_.push_back(task);
        continue;
      }
      Outcome outcome{task.lease, ProbeOfDays()};
      if (const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind)) {
        ++microbatches;
        Manifest manifest;
        manifest.spec_version = "spec";
        for (const Extent& extent : PiecesOf(microbatch->extent, microbatch->cuts))
          manifest.pieces.emplace_back().extent = extent;
        outcome.result = manifest;
      }
      Feed(OfferReplied{"s", task.lease, true, ""});
      Feed(Delivered{1, "s", {outcome}});
    }
    return microbatches;
  }

  static ProbeResult ProbeOfDays() {
    ProbeResult probe;
    probe.source_clock = kNow;
    probe.cursor_type = CursorType::kInstant;
    probe.schema.columns = {{"at", {TypeKind::kTimestamp}, true}};
    probe.minimum = absl::ToUnixMicros(kNow - absl::Hours(24 * (kDays - 1)));
    probe.bound = absl::ToUnixMicros(kNow);
    return probe;
  }

  // Answers the oldest open check of `table`: all alike, or one status for each server. The probes
  // that waited for it are done as well.
  void Answer(const std::string& table, const absl::Status& status,
              const std::map<std::string, absl::Status>& by_server = {}) {
    ASSERT_FALSE(checks_[table].empty()) << table;
    const CheckCommit check = std::move(checks_[table].front());
    checks_[table].erase(checks_[table].begin());
    CommitChecked checked{table, status, {}, {}};
    for (const Replacement& replacement : check.replacements) {
      const auto it = by_server.find(replacement.dataset.server);
      checked.statuses.push_back(it == by_server.end() ? absl::OkStatus() : it->second);
    }
    Feed(checked);
    Work(/*probes_only=*/true);
  }

  void FinishCommits() {
    while (!commits_.empty()) {
      const Intent intent = std::move(commits_.front());
      commits_.erase(commits_.begin());
      Feed(CommitFinished{intent.table, intent.sequence, CommitResult{}});
    }
  }

  // What the run's summary says, "server/table extent".
  std::vector<std::string> Problems(const std::string& run_id) {
    std::vector<std::string> problems;
    const v1::WatchRunResponse run = *core_.DescribeRun(run_id, now_);
    for (const v1::Problem& problem : run.problems()) {
      EXPECT_EQ(problem.message(), kForeign.message());
      problems.push_back(absl::StrCat(problem.dataset().server(), "/", problem.dataset().table(),
                                      problem.extent()));
    }
    return problems;
  }

  bool Ended(const std::string& run_id) { return core_.DescribeRun(run_id, now_)->ended(); }

  absl::Time now_ = kNow;
  Core core_;
  std::vector<TaskSpec> offers_;
  std::map<std::string, std::vector<CheckCommit>> checks_;
  std::vector<Intent> commits_;
};

TEST_F(CoreOwnershipTest, NothingIsStagedBeforeTheTableWasAskedWhoseItIs) {
  Submit("r", {"t"});
  EXPECT_THAT(offers_, IsEmpty());
  ASSERT_EQ(checks_["t"].size(), 1);
  EXPECT_THAT(checks_["t"][0].replacements, IsEmpty());
  Answer("t", absl::OkStatus());
  EXPECT_EQ(offers_.size(), 2 * kDays);
  EXPECT_THAT(checks_["t"], IsEmpty());
}

TEST_F(CoreOwnershipTest, AForeignTableFailsEachOfItsDatasetsOnceAndStagesNothing) {
  Submit("r", {"t", "u"});
  Answer("t", kForeign);
  Answer("u", absl::OkStatus());
  EXPECT_EQ(Work(), 2 * kDays);  // Those of u.
  while (!checks_["u"].empty()) Answer("u", absl::OkStatus());
  while (!commits_.empty()) {
    FinishCommits();
    while (!checks_["u"].empty()) Answer("u", absl::OkStatus());
  }
  EXPECT_TRUE(Ended("r"));
  EXPECT_TRUE(core_.Idle());
  EXPECT_THAT(Problems("r"), ElementsAre("a/t", "b/t"));
  const v1::GetStatusResponse status = core_.DescribeStatus(now_);
  for (const v1::DatasetStatus& dataset : status.datasets())
    EXPECT_EQ(dataset.last_error(), dataset.dataset().table() == "t" ? kForeign.message() : "");
}

TEST_F(CoreOwnershipTest, EveryRunAsksAgain) {
  Submit("r1", {"t"});
  Answer("t", kForeign);
  EXPECT_TRUE(Ended("r1"));
  Submit("r2", {"t"});
  Answer("t", absl::OkStatus());  // Somebody has moved the folder away.
  EXPECT_EQ(Work(), 2 * kDays);
}

TEST_F(CoreOwnershipTest, ATableThatTurnsForeignFailsEachDatasetOnceWithAllThatIsStaged) {
  Submit("r", {"t"});
  Answer("t", absl::OkStatus());
  EXPECT_EQ(Work(), 2 * kDays);
  Answer("t", kForeign);  // Asked for the first one staged; all others have come since.
  EXPECT_TRUE(Ended("r"));
  EXPECT_TRUE(core_.Idle());
  EXPECT_THAT(Problems("r"), ElementsAre("a/t", "b/t"));
  EXPECT_THAT(checks_["t"], IsEmpty());
  const v1::GetStatusResponse status = core_.DescribeStatus(now_);
  for (const v1::DatasetStatus& dataset : status.datasets()) EXPECT_EQ(dataset.in_flight(), 0);
}

TEST_F(CoreOwnershipTest, ForeignFilesOfOneServerFailItsDatasetOnce) {
  Submit("r", {"t"});
  Answer("t", absl::OkStatus());
  EXPECT_EQ(Work(), 2 * kDays);
  while (!checks_["t"].empty()) {
    Answer("t", absl::OkStatus(), {{"a", kForeign}});
    FinishCommits();
  }
  EXPECT_TRUE(Ended("r"));
  EXPECT_THAT(Problems("r"), ElementsAre("a/t"));
  const v1::WatchRunResponse run = *core_.DescribeRun("r", now_);
  for (const v1::RunDataset& dataset : run.datasets())
    EXPECT_EQ(dataset.microbatches_done(), dataset.dataset().server() == "a" ? 0 : kDays);
}

TEST_F(CoreOwnershipTest, ARunThatComesToATableThatCannotBeReadIsToldAsWell) {
  const auto fail_once = [&] {
    ASSERT_EQ(checks_["t"].size(), 1);
    Answer("t", absl::UnavailableError("the folder is gone"));
    now_ += absl::Minutes(1);
    Feed(Ticked{});
  };
  Submit("r1", {"t"});
  for (int i = 0; i < 4; ++i) fail_once();
  EXPECT_TRUE(Ended("r1"));
  Submit("r2", {"t"});
  fail_once();
  EXPECT_TRUE(Ended("r2"));
}

}  // namespace
}  // namespace headwater
