// The look at a table before a run or a verification relies on what was published there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/core.h"
#include "coordinator/plan/planner.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Status kBehind = absl::DataLossError("the table is behind its ledger");

// One dataset of three days with a row each, loaded by the run "first" into version 4.
class CoreLookTest : public ::testing::Test {
 protected:
  CoreLookTest() : core_(std::make_unique<ClusterState>(), CoreOptions()) {
    Keep(core_.Begin(/*workers_are_dead=*/true, "digest", now_));
    spec_.id = {.table = "deals", .server = "p1"};
    spec_.server.name = "p1";
    spec_.server.url = "test:";
    spec_.server.timezone = spec_.cursor_timezone = "UTC";
    spec_.relation = "deals";
    spec_.strategy = Strategy::kPartition;
    spec_.cursor = "at";
    spec_.unit = *ParseUnit("1d");
    spec_.target_uri = "/nowhere/deals";
    SessionOpened opened;
    opened.session = "s";
    opened.hello.name = "w";
    Step({DatasetsConfigured{{spec_}}, opened, CreditChanged{"s", 100}});
    Submit("first", v1::RUN_KIND_INCREMENTAL);
    Live();
    EXPECT_TRUE(Ended("first"));
  }

  void Submit(const std::string& run_id, v1::RunKind kind) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = run_id;
    run.kind = kind;
    run.demands.emplace_back().dataset = spec_.id;
    Step({run});
  }

  void Step(const std::vector<Input>& inputs) { Keep(core_.Step(inputs, now_)); }

  void Keep(StepResult step) {
    for (v1::Event& event : step.events) log_.push_back(std::move(event));
    for (Effect& effect : step.effects) effects_.push_back(std::move(effect));
  }

  // Plays what was sent until nothing is left, or a look has come: that one waits in `look_`.
  void LiveToLook() {
    while (!effects_.empty()) {
      const Effect effect = std::move(effects_.front());
      effects_.erase(effects_.begin());
      if (const auto* offer = std::get_if<SendOffer>(&effect)) {
        Step({OfferReplied{"s", offer->task.lease, true, ""}});
        if (hold_ && std::holds_alternative<MicrobatchTask>(offer->task.kind)) {
          held_.push_back(offer->task);
          continue;
        }
        Step({Delivered{1, "s", {{offer->task.lease, ResultOf(offer->task)}}}});
      } else if (const auto* commit = std::get_if<Commit>(&effect)) {
        CommitFinished finished{"deals", commit->intent.sequence, CommitResult{}};
        finished.result->version = 4;
        Step({finished});
      } else if (const auto* check = std::get_if<CheckCommit>(&effect)) {
        if (check->replacements.empty()) {
          look_ = *check;
          return;
        }
        CommitChecked checked{"deals", absl::OkStatus(), {}, {}};
        checked.statuses.resize(check->replacements.size());
        Step({checked});
      } else if (const auto* list = std::get_if<ListFiles>(&effect)) {
        Step({FilesListed{"deals", absl::OkStatus(),
                          std::vector<std::vector<StagedFile>>(list->pieces.size())}});
      } else if (const auto* verified = std::get_if<AnswerVerify>(&effect)) {
        verified_ = verified->result;
      }
    }
  }

  void AnswerLook(const absl::Status& status, std::vector<PublishedPiece> lost = {}) {
    ASSERT_TRUE(look_.has_value());
    look_.reset();
    Step({CommitChecked{"deals", status, {}, std::move(lost)}});
  }

  void Live() {
    for (LiveToLook(); look_.has_value(); LiveToLook()) AnswerLook(absl::OkStatus());
  }

  decltype(Outcome::result) ResultOf(const TaskSpec& task) {
    const auto manifest = [&](const Extent& extent, const std::vector<int64_t>& cuts,
                              const std::vector<KnownPiece>& known) {
      Manifest read;
      read.spec_version = "spec";
      for (const Extent& piece : PiecesOf(extent, cuts)) {
        ++pieces_read_;
        StagedPiece& staged = read.pieces.emplace_back();
        staged.extent = piece;
        staged.fingerprint = {1, {1, 1}};
        for (const KnownPiece& old : known) staged.unchanged |= old.extent == piece;
      }
      return read;
    };
    if (const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind))
      return manifest(microbatch->extent, microbatch->cuts, microbatch->known);
    if (const auto* verification = std::get_if<VerificationTask>(&task.kind))
      return Verification{manifest(verification->extent, verification->cuts, {})};
    ProbeResult probe;
    probe.source_clock = now_;
    probe.transactions_known = true;
    probe.cursor_type = CursorType::kInstant;
    probe.schema.columns = {{"at", {TypeKind::kTimestamp}, true}};
    probe.minimum = absl::ToUnixMicros(now_ - absl::Hours(48));
    probe.bound = absl::ToUnixMicros(now_);
    for (const Range& range : std::get<ProbeTask>(task.kind).tail)
      probe.tail.push_back({range, 1, std::nullopt});
    return probe;
  }

  bool Ended(const std::string& run_id) { return core_.DescribeRun(run_id, now_)->ended(); }
  const DatasetState& Dataset() const { return *core_.state().FindDataset(spec_.id); }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  DatasetSpec spec_;
  Core core_;
  std::vector<v1::Event> log_;
  std::vector<Effect> effects_;
  std::optional<CheckCommit> look_;
  std::optional<v1::VerifyResponse> verified_;
  int pieces_read_ = 0;
  bool hold_ = false;  // Microbatches that are offered wait here.
  std::vector<TaskSpec> held_;
};

TEST_F(CoreLookTest, EveryRunLooksBeforeItsProbesWithWhatWasPublished) {
  Submit("second", v1::RUN_KIND_INCREMENTAL);
  LiveToLook();
  ASSERT_TRUE(look_.has_value());
  EXPECT_EQ(look_->published.version, 4);
  EXPECT_EQ(look_->published.sequence, core_.state().tables().at("deals").last_sequence);
  EXPECT_THAT(look_->pieces, SizeIs(3));
  EXPECT_FALSE(Ended("second"));
  AnswerLook(absl::OkStatus());
  Live();
  EXPECT_TRUE(Ended("second"));
}

TEST_F(CoreLookTest, WhatWasPublishedIsTheSameAfterReplayAndInTheSnapshot) {
  ClusterState replayed;
  int64_t sequence = 0;
  for (const v1::Event& event : log_) replayed.Apply(++sequence, event);
  EXPECT_EQ(replayed.tables().at("deals").published_version, 4);
  EXPECT_EQ(replayed.Serialize(), core_.state().Serialize());
  const auto restored = ClusterState::Restore(sequence, replayed.Serialize());
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ((*restored)->tables().at("deals").published_version, 4);
  EXPECT_EQ((*restored)->Serialize(), replayed.Serialize());
}

TEST_F(CoreLookTest, ATableThatIsBehindFailsARunThatHasNothingToRead) {
  Submit("second", v1::RUN_KIND_INCREMENTAL);
  LiveToLook();
  AnswerLook(kBehind);
  LiveToLook();
  const v1::WatchRunResponse run = *core_.DescribeRun("second", now_);
  EXPECT_TRUE(run.ended() && run.failed());
  ASSERT_EQ(run.problems_size(), 1);
  EXPECT_EQ(run.problems(0).message(), kBehind.message());
  EXPECT_EQ(core_.DescribeStatus(now_).datasets(0).last_error(), kBehind.message());
}

TEST_F(CoreLookTest, LostPiecesAreReadAgainThoughTheirRowsAreTheSame) {
  for (const v1::RunKind kind : {v1::RUN_KIND_INCREMENTAL, v1::RUN_KIND_BACKFILL}) {
    SCOPED_TRACE(v1::RunKind_Name(kind));
    const std::string run_id = v1::RunKind_Name(kind);
    Submit(run_id, kind);
    LiveToLook();
    ASSERT_TRUE(look_.has_value());
    const PublishedPiece lost = look_->pieces.at(1);
    AnswerLook(absl::OkStatus(), {lost});
    EXPECT_EQ(Dataset().coverage.Find(*lost.extent.range), nullptr);
    Live();
    EXPECT_TRUE(Ended(run_id));
    ASSERT_NE(Dataset().coverage.Find(*lost.extent.range), nullptr);
    EXPECT_GT(Dataset().coverage.Find(*lost.extent.range)->fence, lost.fence);
    EXPECT_EQ(core_.DescribeRun(run_id, now_)->datasets(0).pieces_written(), 1);
  }
}

// A reading had been told of a piece that is removed meanwhile: "the same" means nothing any more.
TEST_F(CoreLookTest, APieceThatIsLostWhileItIsReadIsNotTakenForUnchanged) {
  RunSubmitted again;
  again.run_id = again.idempotency_key = "again";
  again.kind = v1::RUN_KIND_BACKFILL;
  again.demands.emplace_back().dataset = spec_.id;
  again.demands.back().mode = v1::BACKFILL_MODE_ALL;
  Step({again});
  LiveToLook();
  AnswerLook(absl::OkStatus());
  hold_ = true;
  LiveToLook();
  ASSERT_FALSE(held_.empty());
  Submit("other", v1::RUN_KIND_INCREMENTAL);
  LiveToLook();
  ASSERT_TRUE(look_.has_value());
  const std::vector<PublishedPiece> pieces = look_->pieces;
  AnswerLook(absl::OkStatus(), pieces);
  EXPECT_TRUE(Dataset().coverage.pieces().empty());
  for (const TaskSpec& task : held_) Step({Delivered{1, "s", {{task.lease, ResultOf(task)}}}});
  hold_ = false;
  Live();
  for (int i = 0; i < 10 && !Ended("again"); ++i) {  // What was refused is tried again.
    now_ = std::max(now_, core_.NextDeadline());
    Step({Ticked{}});
    Live();
  }
  EXPECT_TRUE(Ended("again"));
  EXPECT_THAT(Dataset().coverage.pieces(), SizeIs(3));
  EXPECT_EQ(core_.DescribeRun("again", now_)->datasets(0).pieces_written(), 3);
}

TEST_F(CoreLookTest, AVerificationSaysWhichPiecesAreGoneAndChangesNothing) {
  for (int i = 0; i < 2; ++i) {
    Step({VerifyRequested{7, {spec_.id}}});
    LiveToLook();
    ASSERT_TRUE(look_.has_value());
    AnswerLook(absl::OkStatus(), {look_->pieces.at(1)});
    LiveToLook();
    ASSERT_TRUE(verified_.has_value());
    EXPECT_EQ(verified_->datasets(0).different(), 1);
    ASSERT_EQ(verified_->datasets(0).problems_size(), 1);
    EXPECT_THAT(verified_->datasets(0).problems(0).message(), HasSubstr("files are gone"));
    EXPECT_THAT(Dataset().coverage.pieces(), SizeIs(3));
    verified_.reset();
  }
}

TEST_F(CoreLookTest, AVerificationOfATableThatIsBehindFails) {
  Step({VerifyRequested{7, {spec_.id}}});
  LiveToLook();
  AnswerLook(kBehind);
  LiveToLook();
  ASSERT_TRUE(verified_.has_value());
  EXPECT_TRUE(verified_->datasets(0).failed());
  EXPECT_EQ(verified_->datasets(0).problems(0).message(), kBehind.message());
}

}  // namespace
}  // namespace headwater
