// Runs that can load no more end, and say why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kDay = 86'400'000'000;  // Microseconds.

class CoreEndsTest : public ::testing::Test {
 protected:
  CoreEndsTest() : core_(std::make_unique<ClusterState>(), CoreOptions()) {
    core_.Begin(/*workers_are_dead=*/true, "digest", now_);
    spec_.id = {.table = "deals", .server = "p1"};
    spec_.server.name = "p1";
    spec_.server.url = "test:p1";
    spec_.cursor = "at";
    spec_.cursor_timezone = "UTC";
    spec_.relation = "deals";
    spec_.strategy = Strategy::kPartition;
    spec_.unit = spec_.partition_by = Unit{Unit::Kind::kDay, 1};
    spec_.target_uri = "/nowhere/deals";
    SessionOpened opened;
    opened.session = "s";
    opened.hello.name = "w";
    Step({DatasetsConfigured{{spec_}}, opened, CreditChanged{"s", 100}});
  }

  // Takes one step after the other; tasks that are offered are accepted.
  void Step(const std::vector<Input>& inputs) {
    const StepResult step = core_.Step(inputs, now_);
    std::vector<Input> replies;
    for (const v1::Event& event : step.events) {
      if (event.has_run_ended()) ended_.push_back(event.run_ended().run_id());
      if (event.has_demands_failed()) why_ = event.demands_failed().failure().message();
    }
    for (const Effect& effect : step.effects) {
      if (const auto* offer = std::get_if<SendOffer>(&effect)) {
        offered_.push_back(offer->task);
        replies.push_back(OfferReplied{"s", offer->task.lease, true, ""});
      } else if (std::get_if<CheckCommit>(&effect) != nullptr) {
        const auto* check = std::get_if<CheckCommit>(&effect);
        replies.push_back(
            CommitChecked{"deals", absl::OkStatus(),
                          std::vector<absl::Status>(check->replacements.size(), absl::OkStatus())});
      } else if (const auto* commit = std::get_if<Commit>(&effect)) {
        replies.push_back(CommitFinished{"deals", commit->intent.sequence, commit_answer_});
      }
    }
    if (!replies.empty()) Step(replies);
  }

  void Submit(const std::string& run_id) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = run_id;
    run.demands.emplace_back().dataset = spec_.id;
    Step({run});
  }

  TaskSpec Take() {
    if (offered_.empty()) {
      ADD_FAILURE() << "nothing was offered";
      return {};
    }
    TaskSpec task = offered_.front();
    offered_.erase(offered_.begin());
    return task;
  }

  void HandIn(const TaskSpec& task, decltype(Outcome::result) result) {
    Delivered delivered;
    delivered.call = ++call_;
    delivered.session = "s";
    delivered.outcomes.push_back({task.lease, std::move(result)});
    Step({delivered});
  }

  // Answers the offered probe: rows from `first` to `last`.
  void Probe(int64_t first, int64_t last) {
    const TaskSpec task = Take();
    ASSERT_TRUE(std::holds_alternative<ProbeTask>(task.kind));
    ProbeResult found;
    found.cursor_type = CursorType::kWallClock;
    found.source_clock = now_;
    found.transactions_known = true;
    found.minimum = first;
    found.bound = last;
    found.schema.columns = {{"at", {TypeKind::kTimestampNtz}, true}};
    HandIn(task, found);
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  DatasetSpec spec_;
  absl::StatusOr<CommitResult> commit_answer_ = CommitResult{};
  CallId call_ = 0;
  Core core_;
  std::vector<TaskSpec> offered_;
  std::vector<std::string> ended_;
  std::string why_;
};

TEST_F(CoreEndsTest, ARunOnATableThatIsStoppedIsToldSo) {
  const int64_t day = absl::ToUnixMicros(now_) / kDay * kDay;
  commit_answer_ = absl::FailedPreconditionError("the ledger is older than the table");
  for (const std::string run : {"r-1", "r-2", "r-3"}) {
    why_.clear();
    Submit(run);
    if (run == "r-1") {
      Probe(day, day + 10);
      const TaskSpec task = Take();
      Manifest manifest;
      manifest.spec_version = "spec";
      manifest.pieces.resize(1);
      manifest.pieces[0].extent = std::get<MicrobatchTask>(task.kind).extent;
      manifest.schema.columns = {{"at", {TypeKind::kTimestampNtz}, true}};
      HandIn(task, manifest);
    }
    EXPECT_THAT(why_, HasSubstr("table deals cannot be written: the ledger is older")) << run;
    ASSERT_FALSE(ended_.empty()) << run;
    EXPECT_EQ(ended_.back(), run);
  }
}

// The first run's attempt at the newest day is quarantined while the second one already wants rows
// beyond it, of the same day: they can only be read with the rest of the day.
TEST_F(CoreEndsTest, ARunWhoseRestNeedsAQuarantinedMicrobatchEnds) {
  const int64_t day = absl::ToUnixMicros(now_) / kDay * kDay;
  Submit("r-1");
  Probe(day, day + 10);
  const TaskSpec task = Take();
  Submit("r-2");
  Probe(day, day + 20);
  HandIn(task, Failure{FailureKind::kTask,
                       absl::InvalidArgumentError("column 'n' holds 'x' in the row with id=7")});
  EXPECT_THAT(ended_, ElementsAre("r-1", "r-2"));
  EXPECT_THAT(why_, HasSubstr("can only be read together with"));
  EXPECT_THAT(why_, HasSubstr("column 'n' holds 'x'"));
}

// A backfill beside the run does not make the core forget when to try again.
TEST_F(CoreEndsTest, ARetryIsDueInTimeBesideABackfill) {
  const int64_t day = absl::ToUnixMicros(now_) / kDay * kDay;
  Submit("r-1");
  Probe(day, day + 10);
  const TaskSpec task = Take();
  RunSubmitted backfill;
  backfill.run_id = backfill.idempotency_key = "b-1";
  backfill.kind = v1::RUN_KIND_BACKFILL;
  backfill.demands.emplace_back().dataset = spec_.id;
  backfill.demands.back().mode = v1::BACKFILL_MODE_ALL;
  backfill.demands.back().from = now_ - absl::Hours(48);
  backfill.demands.back().to = now_ + absl::Hours(48);
  Step({backfill});
  Probe(day, day + 10);
  HandIn(task, Failure{FailureKind::kSource, absl::UnavailableError("the server is away")});
  EXPECT_LT(core_.NextDeadline(), now_ + absl::Seconds(2));
}

}  // namespace
}  // namespace headwater
