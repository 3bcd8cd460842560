// Histories as the core sees them: looked at and mended from the table's own files, whatever their
// source does, one attempt at a time, and without a word about what was read.
#include <gmock/gmock.h>

#include "tests/unit/coordinator/histories_world.h"

namespace headwater {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(CoreHistoriesTest, AVerificationLooksAtLiveFilesAndUsesNoConnection) {
  Load();
  Verify();
  EXPECT_THAT(tasks_, IsEmpty());
  ASSERT_THAT(lists_, SizeIs(1));
  EXPECT_THAT(lists_.front().keyed, ElementsAre(kPlanes));
  AnswerLists();
  const OfferedTask task = Next();
  const auto& verification = std::get<VerificationTask>(task.spec.kind);
  EXPECT_TRUE(verification.histories);
  ASSERT_TRUE(verification.base.has_value());
  EXPECT_THAT(verification.base->files, SizeIs(1));
  EXPECT_EQ(verification.table_schema, core_.state().ColumnsOf("planes"));
  Answer(task, Broken(2));
  ASSERT_TRUE(verified_.has_value());
  ASSERT_EQ(verified_->datasets_size(), 1);
  const v1::VerifiedDataset& result = verified_->datasets(0);
  EXPECT_EQ(result.pieces(), 6);
  EXPECT_EQ(result.rows(), 9);
  EXPECT_EQ(result.different(), 2);
  EXPECT_EQ(result.rows_different(), 2);
  ASSERT_EQ(result.differences_size(), 1);
  EXPECT_EQ(result.differences(0).remedy(), "ends");
  EXPECT_EQ(verified_->plan_id(), "plan-1");
  EXPECT_THAT(intents_, SizeIs(testing::Ge(1u)));
}

TEST_F(CoreHistoriesTest, SoundHistoriesMakeNoPlan) {
  Load();
  Verify();
  AnswerLists();
  Answer(Next(), Broken(0));
  ASSERT_TRUE(verified_.has_value());
  EXPECT_EQ(verified_->plan_id(), "");
  EXPECT_EQ(verified_->datasets(0).different(), 0);
}

TEST_F(CoreHistoriesTest, TablesWithoutHistoriesAreNotLookedAt) {
  DatasetSpec& other = Configure("p2", "flights");
  other.strategy = Strategy::kPartition;
  Load();
  VerifyRequested verify;
  verify.call = 7;
  verify.datasets = {kPlanes, {"flights", "p2"}};
  verify.histories = true;
  Step({verify});
  AnswerLists();
  Answer(Next(), Broken(0));
  ASSERT_TRUE(verified_.has_value());
  EXPECT_EQ(verified_->datasets_size(), 1);
}

TEST_F(CoreHistoriesTest, ARepairIsOneCommitAndTellsNothingOfReads) {
  Load();
  const std::string reads = ReadsText();
  const size_t commits = intents_.size();
  SubmitRepair("mend");
  AnswerLists();
  const OfferedTask task = Next();
  EXPECT_EQ(Mended(task).connections, 0);
  ASSERT_TRUE(Mended(task).base.has_value());
  Answer(task, Mend(true));
  ASSERT_EQ(intents_.size(), commits + 1);
  ASSERT_THAT(intents_.back().replacements, SizeIs(1));
  const Replacement& replacement = intents_.back().replacements[0];
  // Rows that did not fit stay in the quarantine: the extent would take them out.
  EXPECT_EQ(replacement.extent, Extent{});
  EXPECT_THAT(replacement.manifest.pieces, IsEmpty());
  EXPECT_THAT(replacement.manifest.keyed->replaced, ElementsAre("old"));
  EXPECT_THAT(ended_, Contains("mend"));
  EXPECT_EQ(ReadsText(), reads);
  EXPECT_EQ(Planes().table_rows, 5);
  EXPECT_THAT(Planes().claims, IsEmpty());
  EXPECT_EQ(Demand("mend").phase, DemandPhase::kDone);
  EXPECT_EQ(Demand("mend").rows_changed, 2);
  EXPECT_EQ(Demand("mend").rows_deleted, 1);
  EXPECT_EQ(Demand("mend").rows_read, 0);
}

TEST_F(CoreHistoriesTest, ARepairThatFindsNothingLeftMakesNoCommit) {
  Load();
  const std::string reads = ReadsText();
  const size_t commits = intents_.size();
  SubmitRepair("mend");
  AnswerLists();
  Answer(Next(), Mend(false));
  EXPECT_EQ(intents_.size(), commits);
  EXPECT_THAT(ended_, Contains("mend"));
  EXPECT_EQ(ReadsText(), reads);
}

TEST_F(CoreHistoriesTest, ASourceThatIsAwayStopsNeither) {
  Load();
  // The run fails, and the server's gate is closed.
  Run("run");
  for (int i = 0; i < 100 && ended_.back() != "run"; ++i) {
    while (!tasks_.empty())
      Answer(Next(), Failure{FailureKind::kSource, absl::UnavailableError("no route")});
    if (core_.NextDeadline() < absl::InfiniteFuture()) now_ = std::max(now_, core_.NextDeadline());
    Step({Ticked{}});
  }
  ASSERT_THAT(failed_["p1"], Not(IsEmpty()));
  ASSERT_THAT(tasks_, IsEmpty());
  SubmitRepair("mend");
  AnswerLists();
  Answer(Next(), Mend(true));
  EXPECT_THAT(ended_, Contains("mend"));
  EXPECT_EQ(Demand("mend").phase, DemandPhase::kDone);
}

TEST_F(CoreHistoriesTest, ARepairWaitsForAReadAndIsNotMetByIt) {
  Load();
  now_ += absl::Hours(30);
  Run("run");
  AnswerLists();
  while (!tasks_.empty() && IsProbe(tasks_.front())) Answer(Next(), Days(4));
  AnswerLists();
  const OfferedTask read = Next();
  Verify();
  AnswerLists();
  const OfferedTask check = Next();
  ASSERT_TRUE(std::holds_alternative<VerificationTask>(check.spec.kind));
  Answer(check, Broken(1));
  Submit("mend");
  AnswerLists();
  EXPECT_THAT(tasks_, IsEmpty());
  Answer(read, Read(read));
  EXPECT_THAT(ended_, Not(Contains("mend")));
  bool mended = false;
  for (int i = 0; i < 20 && (!lists_.empty() || !tasks_.empty()); ++i) {
    AnswerLists();
    if (tasks_.empty()) continue;
    const OfferedTask task = Next();
    const auto* microbatch = std::get_if<MicrobatchTask>(&task.spec.kind);
    if (microbatch != nullptr && microbatch->histories) {
      mended = true;
      Answer(task, Mend(true));
    } else if (microbatch != nullptr) {
      Answer(task, Read(task));
    } else {
      Answer(task, Days(4));
    }
  }
  EXPECT_TRUE(mended);
  EXPECT_THAT(ended_, Contains("mend"));
  EXPECT_THAT(ended_, Contains("run"));
}

TEST_F(CoreHistoriesTest, AFailureIsTriedAgainAndThenFailsTheRunAlone) {
  Load();
  SubmitRepair("mend");
  for (int attempt = 0; attempt < 2; ++attempt) {
    AnswerLists();
    Answer(Next(), Failure{FailureKind::kTask, absl::ResourceExhaustedError("disk full")});
    EXPECT_THAT(Planes().blocked, IsEmpty());
    EXPECT_THAT(Planes().claims, IsEmpty());
    if (attempt == 1) break;
    EXPECT_THAT(tasks_, IsEmpty()) << "after a while only";
    ASSERT_LT(core_.NextDeadline(), absl::InfiniteFuture());
    now_ = std::max(now_, core_.NextDeadline());
    Step({Ticked{}});
  }
  EXPECT_THAT(failed_["p1"], ElementsAre(HasSubstr("disk full")));
  EXPECT_THAT(ended_, Contains("mend"));
  RunSubmitted retry;
  retry.run_id = retry.idempotency_key = "retry";
  retry.kind = v1::RUN_KIND_RETRY;
  retry.retry_of = "mend";
  retry.demands.emplace_back().dataset = kPlanes;
  Step({retry});
  AnswerLists();
  Answer(Next(), Mend(true));
  EXPECT_EQ(Demand("retry").phase, DemandPhase::kDone);
}

TEST_F(CoreHistoriesTest, ATableThatChangedMeanwhileIsLookedAtAgain) {
  Load();
  SubmitRepair("mend");
  AnswerLists();
  const OfferedTask first = Next();
  refused_ = absl::NotFoundError("staged against other files");
  Answer(first, Mend(true));
  EXPECT_THAT(ended_, Not(Contains("mend")));
  now_ = std::max(now_, core_.NextDeadline());
  Step({Ticked{}});
  AnswerLists();
  const OfferedTask second = Next();
  EXPECT_GT(second.spec.lease.fence, first.spec.lease.fence);
  Answer(second, Mend(true));
  EXPECT_EQ(Demand("mend").phase, DemandPhase::kDone);
}

TEST_F(CoreHistoriesTest, ACancelledRepairLetsItsAttemptGo) {
  Load();
  const size_t commits = intents_.size();
  SubmitRepair("mend");
  AnswerLists();
  const OfferedTask task = Next();
  Step({RunCancelRequested{9, "mend"}});
  EXPECT_THAT(Planes().claims, IsEmpty());
  verdicts_.clear();
  Answer(task, Mend(true));
  EXPECT_THAT(verdicts_, ElementsAre(Not(absl::OkStatus())));
  EXPECT_EQ(intents_.size(), commits);
}

// The next run reads all of it again, and cannot write before the histories are mended.
TEST_F(CoreHistoriesTest, WhereNothingIsCoveredAnyMoreHistoriesAreMendedAllTheSame) {
  Load();
  PublishedPiece all{kPlanes, {}, 0, 1};
  all.keyed = true;
  SubmitRepairOf("mend", {all});
  EXPECT_THAT(Planes().coverage.pieces(), IsEmpty());
  AnswerLists();
  Answer(Next(), Mend(true));
  EXPECT_EQ(Demand("mend").phase, DemandPhase::kDone);
}

TEST_F(CoreHistoriesTest, OfWhatWasNeverLoadedThereIsNothingToMend) {
  Begin(8);
  Verify();
  ASSERT_TRUE(verified_.has_value());
  EXPECT_EQ(verified_->datasets_size(), 1);
  EXPECT_EQ(verified_->plan_id(), "");
}

TEST_F(CoreHistoriesTest, AManifestWithPiecesIsRefused) {
  Load();
  SubmitRepair("mend");
  AnswerLists();
  const OfferedTask task = Next();
  Manifest wrong = Mend(true);
  wrong.pieces.emplace_back().extent = Mended(task).extent;
  verdicts_.clear();
  Answer(task, wrong);
  ASSERT_THAT(verdicts_, SizeIs(1));
  EXPECT_EQ(verdicts_[0].code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace headwater
