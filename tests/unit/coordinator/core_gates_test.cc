// Servers that cannot be reached, are left alone, or have had much already.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core.h"
#include "coordinator/plan/server_gate.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);  // A Friday, 08:00 UTC.
constexpr int64_t kDay = 86'400'000'000;                       // Microseconds.

struct Task {
  TaskSpec spec;
  std::string server;
};

class CoreGatesTest : public ::testing::Test {
 protected:
  CoreGatesTest() : core_(std::make_unique<ClusterState>(), CoreOptions()) {
    core_.Begin(/*workers_are_dead=*/true, "digest", now_);
  }

  DatasetSpec& Configure(const std::string& server, const std::string& table) {
    DatasetSpec& spec = configured_.datasets.emplace_back();
    spec.id = {.table = table, .server = server};
    spec.server.name = server;
    spec.server.url = "test:" + server;
    spec.cursor = "at";
    spec.cursor_timezone = "UTC";
    spec.relation = table;
    spec.strategy = Strategy::kPartition;
    spec.unit = spec.partition_by = Unit{Unit::Kind::kDay, 1};
    spec.target_uri = "/nowhere/" + table;
    return spec;
  }

  void Begin(int credit) {
    for (const DatasetSpec& spec : configured_.datasets)
      server_of_[DigestOf(spec)] = spec.id.server;
    SessionOpened opened;
    opened.session = "s";
    opened.hello.name = "w";
    Step({configured_, opened, CreditChanged{"s", credit}});
  }

  void Run(const std::string& id, bool by_person = true,
           v1::RunKind kind = v1::RUN_KIND_INCREMENTAL) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = id;
    run.kind = kind;
    run.by_person = by_person;
    for (const DatasetSpec& spec : configured_.datasets) {
      run.demands.emplace_back().dataset = spec.id;
      if (kind == v1::RUN_KIND_BACKFILL) run.demands.back().mode = v1::BACKFILL_MODE_ALL;
    }
    Step({run});
  }

  void Step(const std::vector<Input>& inputs) {
    const StepResult step = core_.Step(inputs, now_);
    std::vector<Input> replies;
    for (const v1::Event& event : step.events) {
      if (event.has_run_ended()) ended_.push_back(event.run_ended().run_id());
      if (event.has_demands_failed())
        failed_[event.demands_failed().dataset().server()].push_back(
            event.demands_failed().failure().message());
    }
    for (const Effect& effect : step.effects) {
      if (const auto* offer = std::get_if<SendOffer>(&effect)) {
        tasks_.push_back({offer->task, server_of_.at(offer->task.dataset_digest)});
        replies.push_back(OfferReplied{"s", offer->task.lease, true, ""});
      } else if (const auto* check = std::get_if<CheckCommit>(&effect)) {
        replies.push_back(
            CommitChecked{check->table, absl::OkStatus(),
                          std::vector<absl::Status>(check->replacements.size(), absl::OkStatus())});
      } else if (const auto* commit = std::get_if<Commit>(&effect)) {
        replies.push_back(
            CommitFinished{commit->intent.table, commit->intent.sequence, CommitResult{1}});
      }
    }
    if (!replies.empty()) Step(replies);
  }

  void Answer(const Task& task, decltype(Outcome::result) result) {
    Delivered delivered;
    delivered.session = "s";
    delivered.outcomes.push_back({task.spec.lease, std::move(result)});
    Step({delivered});
  }

  // Days of rows that end with this one.
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

  static Manifest Rows(const TaskSpec& task) {
    const auto& microbatch = std::get<MicrobatchTask>(task.kind);
    Manifest manifest;
    manifest.spec_version = "v";
    manifest.schema.columns = {{"at", {TypeKind::kTimestamp}, true}};
    int64_t from = microbatch.extent.range->from;
    std::vector<int64_t> ends = microbatch.cuts;
    ends.push_back(microbatch.extent.range->to);
    for (const int64_t end : ends) {
      StagedPiece& piece = manifest.pieces.emplace_back();
      piece.extent.range = Range{from, end};
      piece.fingerprint.rows = 1;
      from = end;
    }
    return manifest;
  }

  static bool IsProbe(const Task& task) {
    return std::holds_alternative<ProbeTask>(task.spec.kind);
  }

  // Answers what is offered, as `away` says per server, until nothing is; moves the time on to what
  // the core waits for. Returns how many tasks each server was offered.
  std::map<std::string, int> Live(const std::map<std::string, absl::Status>& away, int days,
                                  absl::Time until = absl::InfiniteFuture()) {
    std::map<std::string, int> offered;
    for (int i = 0; i < 10'000; ++i) {
      if (tasks_.empty()) {
        const absl::Time next = core_.NextDeadline();
        if (next > until || next == absl::InfiniteFuture()) break;
        now_ = std::max(now_, next);
        Step({Ticked{}});
        continue;
      }
      const Task task = tasks_.front();
      tasks_.pop_front();
      ++offered[task.server];
      now_ += absl::Milliseconds(1);
      if (const auto it = away.find(task.server); it != away.end()) {
        Answer(task, Failure{FailureKind::kSource, it->second});
      } else if (IsProbe(task)) {
        Answer(task, Days(days));
      } else {
        Answer(task, Rows(task.spec));
      }
    }
    return offered;
  }

  absl::Time now_ = kNow;
  Core core_;
  DatasetsConfigured configured_;
  std::map<std::string, std::string> server_of_;  // By the dataset's digest.
  std::deque<Task> tasks_;
  std::vector<std::string> ended_;
  std::map<std::string, std::vector<std::string>> failed_;  // Messages by server.
};

TEST_F(CoreGatesTest, AnUnreachableServerIsTriedAFewTimesForAllOfItsDatasets) {
  for (int i = 0; i < 50; ++i) Configure("away", absl::StrCat("t", i));
  Configure("there", "t0");
  Begin(/*credit=*/100);
  Run("r-1");
  const auto offered = Live({{"away", absl::UnavailableError("connection refused")}}, 2);
  EXPECT_LE(offered.at("away"), 4 * kFailuresToClose + 3) << "not four times for each dataset";
  EXPECT_EQ(offered.at("there"), 3);
  EXPECT_THAT(ended_, ElementsAre("r-1"));
  EXPECT_EQ(failed_["away"].size(), 50);
  EXPECT_THAT(failed_["away"], Each(HasSubstr("server away cannot be reached, 6 tries in a row: "
                                              "connection refused")));
  EXPECT_THAT(failed_["there"], IsEmpty());
  EXPECT_LT(now_ - kNow, absl::Seconds(20));
}

TEST_F(CoreGatesTest, AnOutageSetsNothingAsideForLater) {
  Configure("a", "t");
  Begin(/*credit=*/4);
  Run("r-1", /*by_person=*/false);
  ASSERT_EQ(tasks_.size(), 1u);
  Answer(tasks_.front(), Days(30));
  tasks_.pop_front();
  Live({{"a", absl::UnavailableError("connection refused")}}, 30);
  EXPECT_THAT(ended_, ElementsAre("r-1"));
  for (const Blocked& blocked : core_.state().FindDataset({"t", "a"})->blocked)
    EXPECT_FALSE(blocked.quarantined);
  // It is back: the next tick, which no person started, reads everything.
  Run("r-2", /*by_person=*/false);
  Live({}, 30);
  EXPECT_THAT(ended_, ElementsAre("r-1", "r-2"));
  EXPECT_FALSE(core_.state().FindRun("r-2")->failed);
  EXPECT_TRUE(core_.state().FindDataset({"t", "a"})->needs.empty());
}

TEST_F(CoreGatesTest, AQuietServerIsReadAfterItsWindowAndOthersAtOnce) {
  Configure("quiet", "t").server.quiet_windows = {ParseQuietWindow("06:00-16:30").value()};
  Configure("open", "t");
  Begin(/*credit=*/4);
  Run("r-1");
  EXPECT_EQ(Live({}, 3, now_ + absl::Minutes(1)).count("quiet"), 0);
  EXPECT_THAT(ended_, IsEmpty());
  const absl::Time end =
      absl::FromCivil(absl::CivilMinute(2027, 1, 15, 16, 30), absl::UTCTimeZone());
  EXPECT_EQ(core_.NextDeadline(), end);
  EXPECT_EQ(Live({}, 3).at("quiet"), 4);
  EXPECT_GE(now_, end);
  EXPECT_THAT(ended_, ElementsAre("r-1"));
}

TEST_F(CoreGatesTest, TasksOfAMinuteAreCounted) {
  Configure("a", "t").server.max_tasks_per_minute = 10;
  Begin(/*credit=*/100);
  Run("r-1");
  EXPECT_EQ(Live({}, 40, kNow + absl::Minutes(2)).at("a"), 21);
  Live({}, 40);
  EXPECT_THAT(ended_, ElementsAre("r-1"));
}

TEST_F(CoreGatesTest, WhoHasHadLessOfTheWorkersComesFirst) {
  Configure("long", "t").server.max_connections = 1;
  Configure("short", "t").server.max_connections = 1;
  Begin(/*credit=*/1);
  Run("r-1");
  std::vector<std::string> order;
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(tasks_.size(), 1u);
    const Task task = tasks_.front();
    tasks_.pop_front();
    if (!IsProbe(task)) order.push_back(task.server);
    now_ += IsProbe(task)           ? absl::Milliseconds(1)
            : task.server == "long" ? absl::Seconds(10)
                                    : absl::Seconds(2);
    if (IsProbe(task)) {
      Answer(task, Days(20));
    } else {
      Answer(task, Rows(task.spec));
    }
  }
  // One takes five times as long: it gets a fifth of the turns.
  EXPECT_THAT(order, ElementsAre("long", "short", "short", "short", "short", "short"));
}

TEST_F(CoreGatesTest, APersonComesBeforeASchedule) {
  Configure("a", "t").server.max_connections = 1;
  Configure("a", "u").server.max_connections = 1;
  Begin(/*credit=*/1);
  const std::vector<DatasetSpec> both = configured_.datasets;
  configured_.datasets = {both[0]};
  Run("scheduled", /*by_person=*/false);
  configured_.datasets = {both[1]};
  Run("person", /*by_person=*/true);
  Live({}, 10);
  EXPECT_THAT(ended_, ElementsAre("person", "scheduled"));
}

// Ten thousand microbatches that cannot begin are no reason for others to wait.
TEST_F(CoreGatesTest, WhatIsBlockedOnOneServerDelaysNoOther) {
  Configure("blocked", "t").server.max_connections = 1;
  Configure("other", "t");
  Begin(/*credit=*/3);
  const std::vector<DatasetSpec> both = configured_.datasets;
  configured_.datasets = {both[0]};
  Run("r-1");
  Answer(tasks_.front(), Days(10'000));
  tasks_.pop_front();
  ASSERT_EQ(tasks_.size(), 1u) << "one of them runs";
  configured_.datasets = {both[1]};
  Run("r-2");
  ASSERT_EQ(tasks_.size(), 2u) << "in the same step";
  EXPECT_EQ(tasks_.back().server, "other");
  EXPECT_TRUE(IsProbe(tasks_.back()));
  Answer(tasks_.back(), Days(5));
  EXPECT_EQ(tasks_.back().server, "other");
  EXPECT_FALSE(IsProbe(tasks_.back()));
}

}  // namespace
}  // namespace headwater
