// What the core makes of a committer's answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

// One dataset that is read whole, up to where its manifest is checked by the committer.
class CoreCommitTest : public ::testing::Test {
 protected:
  CoreCommitTest() : core_(std::make_unique<ClusterState>(), CoreOptions()) {
    core_.Begin(/*workers_are_dead=*/true, "digest", now_);
    DatasetSpec spec;
    spec.id = {.table = "deals", .server = "p1"};
    spec.server.name = "p1";
    spec.server.url = "test:p1";
    spec.cursor_timezone = "UTC";
    spec.relation = "deals";
    spec.strategy = Strategy::kFull;
    spec.target_uri = "/nowhere/deals";
    spec.retries = 2;
    DatasetsConfigured configured{{spec}};
    RunSubmitted run;
    run.run_id = run.idempotency_key = "r-1";
    run.demands.emplace_back().dataset = spec.id;
    SessionOpened opened;
    opened.session = "s";
    opened.hello.name = "w";
    Step({configured, run, opened, CreditChanged{"s", 100}});
    EXPECT_NE(Find<CheckCommit>(), nullptr);  // Whose is the table?
    Step({CommitChecked{"deals", absl::OkStatus(), {}}});
    const TaskSpec probe = Offered();
    ProbeResult found;
    found.source_clock = now_;
    found.transactions_known = true;
    found.schema.columns = {{"id", {TypeKind::kLong}, true}};
    HandIn(probe, found);
  }

  void Step(const std::vector<Input>& inputs) { last_ = core_.Step(inputs, now_); }

  // The task that the last step offered; it is accepted.
  TaskSpec Offered() {
    for (const Effect& effect : last_.effects) {
      const auto* offer = std::get_if<SendOffer>(&effect);
      if (offer == nullptr) continue;
      TaskSpec task = offer->task;
      Step({OfferReplied{"s", task.lease, true, ""}});
      return task;
    }
    ADD_FAILURE() << "nothing was offered";
    return {};
  }

  template <typename Result>
  void HandIn(const TaskSpec& task, const Result& result) {
    Step({Delivered{++call_, "s", {{task.lease, result}}}});
  }

  // Stages the offered microbatch; the committer is asked to check it.
  void Stage() {
    const TaskSpec task = Offered();
    const auto& microbatch = std::get<MicrobatchTask>(task.kind);
    Manifest manifest;
    manifest.spec_version = "spec";
    manifest.pieces.resize(1);
    manifest.pieces[0].extent = microbatch.extent;
    manifest.schema.columns = {{"id", {TypeKind::kLong}, true}};
    HandIn(task, manifest);
    ASSERT_NE(Find<CheckCommit>(), nullptr);
  }

  template <typename Kind>
  const Kind* Find() const {
    for (const Effect& effect : last_.effects) {
      if (const auto* found = std::get_if<Kind>(&effect)) return found;
    }
    return nullptr;
  }

  const v1::AttemptFailed* Failed() const {
    for (const v1::Event& event : last_.events) {
      if (event.has_attempt_failed()) return &event.attempt_failed();
    }
    return nullptr;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  CallId call_ = 0;
  Core core_;
  StepResult last_;
};

const absl::Status kGone = absl::NotFoundError("staged file x is gone");

TEST_F(CoreCommitTest, AnAttemptWhoseFilesAreGoneIsReadAgainAsOftenAsRetriesAllow) {
  for (int attempt = 1; attempt <= 3; ++attempt) {
    Stage();
    Step({CommitChecked{"deals", absl::OkStatus(), {kGone}}});
    ASSERT_NE(Failed(), nullptr);
    EXPECT_EQ(Failed()->attempts(), attempt);
    EXPECT_THAT(Failed()->failure().message(), HasSubstr("is gone"));
    EXPECT_EQ(Failed()->quarantined(), attempt == 3);
    ASSERT_NE(Find<CheckCommit>(), nullptr);  // Are files of the table gone as well?
    Step({CommitChecked{"deals", absl::OkStatus(), {}, {}}});
    now_ += absl::Minutes(1);
    Step({CreditChanged{"s", 100}, Ticked{}});
  }
  EXPECT_EQ(Find<SendOffer>(), nullptr);
}

TEST_F(CoreCommitTest, AnIntentWhoseFilesAreGoneIsAbandonedAndReadAgain) {
  Stage();
  Step({CommitChecked{"deals", absl::OkStatus(), {absl::OkStatus()}}});
  const auto* commit = Find<Commit>();
  ASSERT_NE(commit, nullptr);
  const int64_t sequence = commit->intent.sequence;
  Step({CommitFinished{"deals", sequence, kGone}});
  ASSERT_NE(Find<AbandonIntent>(), nullptr);
  Step({CommitFinished{"deals", sequence, absl::CancelledError("the intent was abandoned")}});
  Stage();  // The same extent again.
}

}  // namespace
}  // namespace headwater
