// Each reason for which something waits, as `explain` tells it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);  // 08:00 UTC.
constexpr int64_t kDay = 86'400'000'000;                       // Microseconds.

class CoreExplainTest : public ::testing::Test {
 protected:
  CoreExplainTest() : core_(std::make_unique<ClusterState>(), CoreOptions()) {
    core_.Begin(/*workers_are_dead=*/true, "digest", now_);
    spec_.id = {.table = "deals", .server = "p1"};
    spec_.server.name = "p1";
    spec_.server.url = "postgresql://p1/crm";
    spec_.cursor = "at";
    spec_.cursor_timezone = "UTC";
    spec_.relation = "deals";
    spec_.strategy = Strategy::kPartition;
    spec_.unit = spec_.partition_by = Unit{Unit::Kind::kDay, 1};
    spec_.target_uri = "/nowhere/deals";
  }

  void Configure() { Step({DatasetsConfigured{{spec_}}}); }
  void Connect(int credit, WorkerHello hello = {}) {
    hello.name = "anna";
    Step({SessionOpened{"s", hello}, CreditChanged{"s", credit}});
  }

  void Submit(v1::RunKind kind = v1::RUN_KIND_INCREMENTAL) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = absl::StrCat("r-", ++runs_);
    run.kind = kind;
    run.demands.emplace_back().dataset = spec_.id;
    if (kind == v1::RUN_KIND_BACKFILL) run.demands.back().mode = v1::BACKFILL_MODE_ALL;
    Step({run});
  }

  void Step(const std::vector<Input>& inputs) {
    const StepResult step = core_.Step(inputs, now_);
    std::vector<Input> replies;
    for (const Effect& effect : step.effects) {
      if (const auto* offer = std::get_if<SendOffer>(&effect)) {
        task_ = offer->task;
        replies.push_back(OfferReplied{"s", offer->task.lease, true, ""});
      } else if (std::get_if<CheckCommit>(&effect) != nullptr && answer_table_) {
        replies.push_back(CommitChecked{"deals", table_status_, {}});
      }
    }
    if (!replies.empty()) Step(replies);
  }

  void Answer(decltype(Outcome::result) result) {
    Delivered delivered;
    delivered.session = "s";
    delivered.outcomes.push_back({task_->lease, std::move(result)});
    task_.reset();
    Step({delivered});
  }

  ProbeResult Days(int days) const {
    ProbeResult probe;
    probe.cursor_type = CursorType::kInstant;
    probe.schema.columns = {{"at", {TypeKind::kTimestamp}, true}};
    probe.source_clock = now_;
    probe.transactions_known = true;
    probe.bound = absl::ToUnixMicros(now_);
    probe.minimum = *probe.bound - (days - 1) * kDay;
    return probe;
  }

  std::vector<std::string> Codes(const std::string& id = "") {
    std::vector<std::string> codes;
    last_ = *core_.Explain({spec_.id}, id, now_);
    for (const v1::Explanation& one : last_.explanations()) {
      codes.push_back(one.code());
      EXPECT_NE(one.why(), "");
    }
    return codes;
  }
  std::string Why() const {
    std::string why;
    for (const v1::Explanation& one : last_.explanations()) absl::StrAppend(&why, one.why(), "\n");
    return why;
  }

  absl::Time now_ = kNow;
  Core core_;
  DatasetSpec spec_;
  bool answer_table_ = true;
  absl::Status table_status_;
  std::optional<TaskSpec> task_;
  int runs_ = 0;
  v1::ExplainResponse last_;
};

TEST_F(CoreExplainTest, NobodyAsked) {
  Configure();
  EXPECT_THAT(Codes(), ElementsAre("not_asked"));
  EXPECT_THAT(Why(), HasSubstr("`headwater run p1/deals`"));
}

TEST_F(CoreExplainTest, TheTableIsLookedAt) {
  answer_table_ = false;
  Configure();
  Submit();
  EXPECT_THAT(Codes(), ElementsAre("table"));
}

TEST_F(CoreExplainTest, NoWorker) {
  Configure();
  Submit();
  EXPECT_THAT(Codes(), ElementsAre("no_worker"));
}

TEST_F(CoreExplainTest, NoWorkerThatReachesTheServer) {
  Configure();
  WorkerHello hello;
  hello.reachable_servers = {"q*"};
  Connect(1, hello);
  Submit();
  EXPECT_THAT(Codes(), ElementsAre("no_worker"));
  EXPECT_THAT(Why(), HasSubstr("none of 1 workers may reach server p1"));
}

TEST_F(CoreExplainTest, NoWorkerWithTheDriver) {
  Configure();
  WorkerHello hello;
  hello.drivers = {"mariadb", "odbc"};
  Connect(1, hello);
  Submit();
  EXPECT_FALSE(task_.has_value());
  EXPECT_THAT(Codes(), ElementsAre("no_driver"));
  EXPECT_THAT(Why(), HasSubstr("no worker has the driver postgresql of server p1; those that reach "
                               "it have mariadb, odbc"));
}

TEST_F(CoreExplainTest, AllSlotsAreBusy) {
  Configure();
  Connect(0);
  Submit();
  EXPECT_THAT(Codes(), ElementsAre("no_slot"));
}

TEST_F(CoreExplainTest, AProbeIsUnderWay) {
  Configure();
  Connect(1);
  Submit();
  EXPECT_THAT(Codes(), ElementsAre("reads", "probe"));
  EXPECT_THAT(Why(), HasSubstr("on worker anna"));
}

TEST_F(CoreExplainTest, QuietHours) {
  spec_.server.quiet_windows = {ParseQuietWindow("06:00-16:30").value()};
  Configure();
  Connect(1);
  Submit();
  EXPECT_THAT(Codes(), ElementsAre("quiet"));
  EXPECT_THAT(Why(), HasSubstr("server p1 is left alone until 2027-01-15 16:30:00 UTC"));
  EXPECT_EQ(last_.explanations(0).until().seconds(),
            absl::ToUnixSeconds(kNow + absl::Hours(8) + absl::Minutes(30)));
}

TEST_F(CoreExplainTest, TheRate) {
  spec_.server.max_tasks_per_minute = 1;
  Configure();
  Connect(1);
  Submit();
  Answer(Days(3));
  EXPECT_THAT(Codes(), ElementsAre("rate"));
}

TEST_F(CoreExplainTest, TheServerIsAway) {
  Configure();
  Connect(1);
  Submit();
  for (int i = 0; i < 3; ++i) {
    if (i > 0) {
      EXPECT_THAT(Codes(), ElementsAre("backoff"));
      EXPECT_THAT(Why(), HasSubstr("connection refused"));
      now_ = core_.NextDeadline();
      Step({Ticked{}});
    }
    Answer(Failure{FailureKind::kSource, absl::UnavailableError("connection refused")});
  }
  EXPECT_THAT(Codes(), ElementsAre("unreachable"));
  EXPECT_THAT(Why(), HasSubstr("could not be reached in 3 tries: connection refused"));
  const v1::GetStatusResponse status = core_.DescribeStatus(now_);
  EXPECT_EQ(status.datasets(0).condition(), "unreachable");
}

TEST_F(CoreExplainTest, WhatRunsAndWhatWaitsForItsConnection) {
  spec_.server.max_connections = 1;
  Configure();
  Connect(9);
  Submit();
  Answer(Days(3));
  Step({Reported{"s", 1, {{task_->lease, LeasePhase::kReading, 0, 0}}}});
  now_ += absl::Seconds(2);
  Step({Reported{"s", 2, {{task_->lease, LeasePhase::kReading, 5000, 90'000}}}});
  EXPECT_THAT(Codes(), ElementsAre("reads", "cap"));
  EXPECT_THAT(Why(), HasSubstr("reading on worker anna for 2 s, 5000 rows, 2500 rows/s"));
  EXPECT_THAT(Why(), HasSubstr("all 1 connections of server p1 are in use (max_connections)"));
  const v1::GetStatusResponse status = core_.DescribeStatus(now_);
  ASSERT_EQ(status.datasets(0).tasks_size(), 1);
  EXPECT_EQ(status.datasets(0).tasks(0).rows_per_second(), 2500);
  EXPECT_EQ(status.datasets(0).tasks(0).run_id(), "r-1");
  EXPECT_EQ(status.datasets(0).missing().count(), 1);
}

TEST_F(CoreExplainTest, TheConnectionThatIsKeptFromBackfills) {
  spec_.server.max_connections = 2;
  Configure();
  Connect(9);
  Submit(v1::RUN_KIND_BACKFILL);
  Answer(Days(3));
  EXPECT_THAT(Codes(), ElementsAre("reads", "kept"));
}

TEST_F(CoreExplainTest, FailuresAndWhatNobodyWants) {
  spec_.retries = 0;
  Configure();
  Connect(1);
  Submit();
  Answer(Days(2));
  Answer(Failure{FailureKind::kTask, absl::InvalidArgumentError("column 'n' holds 'x'")});
  Step({RunCancelRequested{1, "r-1"}});
  EXPECT_THAT(Codes(), ElementsAre("quarantined", "not_asked"));
  EXPECT_THAT(Why(), HasSubstr("1 attempt: column 'n' holds 'x'; `headwater run p1/deals`"));
  EXPECT_EQ(core_.DescribeStatus(now_).datasets(0).condition(), "failing");
}

TEST_F(CoreExplainTest, OfARunATaskOrAFence) {
  Configure();
  Connect(1);
  Submit();
  Answer(Days(2));
  const LeaseRef lease = task_->lease;
  EXPECT_EQ(Codes("r-1"), Codes());
  EXPECT_EQ(Codes(lease.task_id), Codes());
  EXPECT_EQ(Codes(absl::StrCat(lease.fence)), Codes());
  EXPECT_EQ(core_.Explain({}, "nix", now_).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace headwater
