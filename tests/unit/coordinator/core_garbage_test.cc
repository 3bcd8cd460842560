// When tables are gone through for garbage, and what the collector is told of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kHour = absl::Hours(1);

// Two tables of one server each, "deals" and "orders", that are read whole.
class CoreGarbageTest : public ::testing::Test {
 protected:
  CoreGarbageTest() {
    for (const char* table : {"deals", "orders"}) {
      DatasetSpec& spec = configured_.datasets.emplace_back();
      spec.id = {.table = table, .server = "p1"};
      spec.server.name = "p1";
      spec.server.url = "test:p1";
      spec.cursor_timezone = "UTC";
      spec.relation = table;
      spec.strategy = Strategy::kFull;
      spec.target_uri = std::string("/nowhere/") + table;
    }
    Restart(std::make_unique<ClusterState>());
  }

  void Restart(std::unique_ptr<ClusterState> state) {
    collections_.clear();
    CoreOptions options;
    options.collect_every = kHour;
    core_ = std::make_unique<Core>(std::move(state), options);
    Take(core_->Begin(/*workers_are_dead=*/true, "digest", now_));
    SessionOpened opened;
    opened.session = "s";
    opened.hello.name = "w";
    Step({configured_, opened, CreditChanged{"s", 100}});
  }
  std::unique_ptr<ClusterState> Copy() const {
    return *ClusterState::Restore(core_->state().last_sequence(), core_->state().Serialize());
  }

  void Step(const std::vector<Input>& inputs) { Take(core_->Step(inputs, now_)); }
  void After(absl::Duration pause) {
    now_ += pause;
    Step({Ticked{}});
  }

  // Answers everything but collections, and tasks unless they are `held_`.
  void Take(const StepResult& step) {
    std::vector<Input> replies;
    for (const Effect& effect : step.effects) {
      if (const auto* collect = std::get_if<CollectGarbage>(&effect)) {
        collections_.push_back(*collect);
      } else if (const auto* answer = std::get_if<AnswerGarbage>(&effect)) {
        answer_ = answer->result;
      } else if (const auto* check = std::get_if<CheckCommit>(&effect)) {
        replies.push_back(
            CommitChecked{check->table, absl::OkStatus(),
                          std::vector<absl::Status>(check->replacements.size(), absl::OkStatus())});
      } else if (const auto* commit = std::get_if<Commit>(&effect)) {
        if (!commit_held_)
          replies.push_back(
              CommitFinished{commit->intent.table, commit->intent.sequence, CommitResult{4}});
      } else if (const auto* offer = std::get_if<SendOffer>(&effect)) {
        replies.push_back(OfferReplied{"s", offer->task.lease, true, ""});
        fence_ = offer->task.lease.fence;
        if (std::holds_alternative<ProbeTask>(offer->task.kind)) {
          ProbeResult found;
          found.source_clock = now_;
          found.transactions_known = true;
          found.schema.columns = {{"id", {TypeKind::kLong}, true}};
          replies.push_back(Delivered{++call_, "s", {{offer->task.lease, found}}});
        } else if (!held_) {
          Manifest manifest;
          manifest.spec_version = "v";
          manifest.schema.columns = {{"id", {TypeKind::kLong}, true}};
          StagedPiece& piece = manifest.pieces.emplace_back();
          piece.extent = std::get<MicrobatchTask>(offer->task.kind).extent;
          piece.fingerprint.rows = 1;
          StagedFile& file = piece.files.emplace_back();
          file.path = "server_source=p1/staged.parquet";
          file.size_bytes = file.rows = 1;
          file.partition_values = {{"server_source", "p1"}};
          replies.push_back(Delivered{++call_, "s", {{offer->task.lease, manifest}}});
        }
      }
    }
    if (!replies.empty()) Step(replies);
  }

  void Run(const std::string& table) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = absl::StrCat("r-", ++call_);
    run.demands.emplace_back().dataset = {table, "p1"};
    Step({run});
  }
  void Answer(GarbageReport report = {.complete = true}) {
    ASSERT_FALSE(collections_.empty());
    const CollectGarbage collect = collections_.front();
    collections_.erase(collections_.begin());
    Step({GarbageCollected{collect.table, collect.call, collect.request.dry_run,
                           std::move(report)}});
  }
  std::vector<std::string> Collecting() const {
    std::vector<std::string> tables;
    for (const CollectGarbage& collect : collections_) tables.push_back(collect.table);
    return tables;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  CallId call_ = 0;
  bool held_ = false, commit_held_ = false;
  int64_t fence_ = 0;
  DatasetsConfigured configured_;
  std::unique_ptr<Core> core_;
  std::vector<CollectGarbage> collections_;
  std::optional<v1::CollectGarbageResponse> answer_;
};

TEST_F(CoreGarbageTest, ATableWithoutVersionsIsLeftAlone) {
  After(absl::Hours(24));
  EXPECT_THAT(Collecting(), IsEmpty());
  EXPECT_EQ(core_->NextDeadline(), absl::InfiniteFuture());
}

TEST_F(CoreGarbageTest, SoonAfterAStartOneTableAfterTheOtherThenEveryHour) {
  Run("deals");
  Run("orders");
  EXPECT_THAT(Collecting(), IsEmpty());
  EXPECT_LE(core_->NextDeadline(), now_ + absl::Seconds(10));
  After(absl::Seconds(10));
  EXPECT_THAT(Collecting(), ElementsAre("deals"));
  Answer();
  EXPECT_THAT(Collecting(), ElementsAre("orders"));
  Answer();
  After(kHour - absl::Seconds(1));
  EXPECT_THAT(Collecting(), IsEmpty());
  After(absl::Seconds(1));
  EXPECT_THAT(Collecting(), ElementsAre("deals"));
}

TEST_F(CoreGarbageTest, WhenItIsDueSurvivesARestart) {
  Run("deals");
  After(absl::Minutes(1));
  Answer();
  now_ += absl::Minutes(30);
  Restart(Copy());
  After(absl::Minutes(29));
  EXPECT_THAT(Collecting(), IsEmpty());
  After(absl::Minutes(2));
  EXPECT_THAT(Collecting(), ElementsAre("deals"));
}

TEST_F(CoreGarbageTest, ItWaitsForAMomentWhenNobodyElseDoesButNotForEver) {
  Run("deals");
  held_ = true;
  Run("orders");
  After(absl::Seconds(10));
  EXPECT_THAT(Collecting(), IsEmpty());
  for (int i = 0; i < 3'600; i += 5) {  // The lease is kept by reports.
    now_ += absl::Seconds(5);
    Step({Reported{"s", i, {{{"", fence_}, LeasePhase::kReading, i, i}}}});
  }
  EXPECT_THAT(Collecting(), ElementsAre("deals"));
}

TEST_F(CoreGarbageTest, WhoeverLeavesCollectsFirstAndIsToldWhenThatIsDone) {
  Run("deals");
  EXPECT_FALSE(core_->WantsToCollect());
  Step({CollectionsWanted{}});
  EXPECT_THAT(Collecting(), ElementsAre("deals"));
  EXPECT_TRUE(core_->WantsToCollect());
  EXPECT_TRUE(core_->Idle());
  Answer();
  EXPECT_FALSE(core_->WantsToCollect());
}

TEST_F(CoreGarbageTest, AnInterruptedOneCountsAndNothingFollows) {
  Run("deals");
  Run("orders");
  Step({CollectionsWanted{}});
  Answer({.complete = false});
  EXPECT_EQ(core_->state().tables().at("deals").collected, now_);
  Answer({.status = absl::CancelledError("not begun")});
  EXPECT_EQ(core_->state().tables().at("orders").collected, absl::InfinitePast());
  EXPECT_FALSE(core_->WantsToCollect());
  After(absl::Hours(24));
  EXPECT_THAT(Collecting(), IsEmpty());
}

TEST_F(CoreGarbageTest, TheCollectorIsToldOfAllThatMayStillBePublished) {
  Run("deals");
  held_ = true;
  Run("deals");
  const int64_t reading = fence_;
  Step({GarbageRequested{7, {"deals"}, false}});
  ASSERT_THAT(Collecting(), ElementsAre("deals"));
  EXPECT_THAT(collections_[0].request.live_fences, ElementsAre(reading));
  EXPECT_EQ(collections_[0].request.as_of, core_->state().last_sequence());
  EXPECT_EQ(collections_[0].request.published.version, 4);
  EXPECT_FALSE(collections_[0].request.keep_log);
}

TEST_F(CoreGarbageTest, AnOpenIntentKeepsItsFilesAndTheLog) {
  commit_held_ = true;
  Run("deals");
  Step({GarbageRequested{7, {"deals"}, false}});
  ASSERT_THAT(Collecting(), ElementsAre("deals"));
  EXPECT_TRUE(collections_[0].request.keep_log);
  EXPECT_THAT(collections_[0].request.live_fences, ElementsAre(fence_));
  EXPECT_THAT(collections_[0].request.named, ElementsAre("server_source=p1/staged.parquet"));
}

TEST_F(CoreGarbageTest, APersonIsAnsweredOnceAllTablesAreThrough) {
  Step({GarbageRequested{7, {"deals", "orders"}, true}});
  EXPECT_TRUE(collections_.at(0).request.dry_run);
  EXPECT_FALSE(core_->Idle());
  GarbageReport found{.complete = true, .files = 2, .bytes = 20};
  found.kept["in the table"] = {3, 30};
  found.items = {{"/lake/deals/x", 10, absl::Hours(2), "why"}};
  const int64_t before = core_->state().last_sequence();
  Answer(found);
  EXPECT_FALSE(answer_.has_value());
  Answer({.status = absl::AlreadyExistsError("not ours")});
  ASSERT_TRUE(answer_.has_value());
  EXPECT_TRUE(core_->Idle());
  EXPECT_TRUE(answer_->dry_run());
  ASSERT_EQ(answer_->tables_size(), 2);
  EXPECT_EQ(answer_->tables(0).files(), 2);
  EXPECT_EQ(answer_->tables(0).kept(0).count(), 3);
  EXPECT_EQ(answer_->tables(0).items(0).age_seconds(), 7'200);
  EXPECT_EQ(answer_->tables(1).problems(0), "not ours");
  EXPECT_EQ(core_->state().last_sequence(), before);  // A dry run leaves no trace.
}

TEST_F(CoreGarbageTest, APersonWhoSelectsNothingIsAnsweredAtOnce) {
  Step({GarbageRequested{7, {}, false}});
  ASSERT_TRUE(answer_.has_value());
}

TEST_F(CoreGarbageTest, WhatIsGoneMayBeForgottenByTheTable) {
  Run("deals");
  Step({CollectionsWanted{}});
  EXPECT_EQ(collections_.at(0).request.published.collected_before, absl::InfinitePast());
  const absl::Time before = now_ - absl::Hours(168);
  Answer({.complete = true, .removed_before = before});
  EXPECT_EQ(core_->state().tables().at("deals").removed_before, before);
  Restart(Copy());
  EXPECT_EQ(core_->state().tables().at("deals").removed_before, before);
  Step({GarbageRequested{7, {"deals"}, false}});
  EXPECT_EQ(collections_.at(0).request.published.collected_before, before);
  Answer({.complete = true, .removed_before = before - absl::Hours(9)});  // Never takes it back.
  EXPECT_EQ(core_->state().tables().at("deals").removed_before, before);
}

}  // namespace
}  // namespace headwater
