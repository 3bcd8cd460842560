// Verifications and repairs as the core deals them out: with the files of their pieces, and behind
// what is more urgent.
#include <gmock/gmock.h>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "tests/unit/coordinator/core_world.h"

namespace headwater {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kDays = 6;

class CoreRepairTest : public CoreWorldTest {
 protected:
  // All days are loaded.
  void Load() {
    Configure("p1", "deals");
    Begin(8);
    Run("load");
    Live({}, kDays, now_);
    ASSERT_THAT(ended_, ElementsAre("load"));
    tasks_.clear();
  }

  // A file of each piece that is asked for; or none, as where somebody has removed them.
  void AnswerLists(bool gone = false) {
    while (!lists_.empty()) {
      const ListFiles list = lists_.front();
      lists_.pop_front();
      FilesListed listed{list.table, absl::OkStatus(), {}, {}};
      for (const PublishedPiece& piece : list.pieces) {
        std::vector<StagedFile>& files = listed.files.emplace_back();
        if (!gone) files.emplace_back().path = PathOf(piece.extent);
      }
      Step({listed});
    }
  }

  static std::string PathOf(const Extent& extent) {
    return absl::StrCat("from=", extent.range->from, ".parquet");
  }

  static std::vector<std::string> PathsOf(const std::optional<TableBase>& base) {
    std::vector<std::string> paths;
    for (const StagedFile& file : base.value_or(TableBase()).files) paths.push_back(file.path);
    return paths;
  }

  void Verify() {
    VerifyRequested verify;
    verify.call = 9;
    verify.datasets = {{"deals", "p1"}};
    verify.plan_id = "p-1";
    Step({verify});
    AnswerLists();
  }

  // Of the pieces that a verification reads, as the source has them; the first has one row more.
  Verification FirstDiffers(const VerificationTask& task) {
    Verification verification;
    Manifest& manifest = verification.manifest;
    manifest.spec_version = "v";
    for (const Extent& extent : PiecesOf(task.extent, task.cuts)) {
      StagedPiece& piece = manifest.pieces.emplace_back();
      piece.extent = extent;
      piece.fingerprint.rows = manifest.pieces.size() == 1 ? 2 : 1;
      piece.files_fingerprint = Fingerprint{1, {}};
    }
    manifest.rows_read = 7;
    manifest.differences = {{Difference::Kind::kNotInTable, "id = 1"}};
    manifest.rows_different = 1;
    return verification;
  }

  // The piece that was found to differ.
  Extent VerifyToPlan() {
    Verify();
    const OfferedTask task = tasks_.front();
    tasks_.pop_front();
    const auto& verification = std::get<VerificationTask>(task.spec.kind);
    Answer(task, FirstDiffers(verification));
    return PiecesOf(verification.extent, verification.cuts).front();
  }

  static RunSubmitted RunOf(const std::string& id, v1::RunKind kind) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = id;
    run.kind = kind;
    run.demands.emplace_back().dataset = {"deals", "p1"};
    if (kind == v1::RUN_KIND_BACKFILL) run.demands.back().mode = v1::BACKFILL_MODE_ALL;
    run.pace.newest_first = true;  // The piece that differs is the oldest.
    if (kind == v1::RUN_KIND_REPAIR) run.plan_id = "p-1";
    return run;
  }

  // Answers the run's probe.
  void Probe() {
    ASSERT_THAT(tasks_, SizeIs(1));
    const OfferedTask probe = tasks_.front();
    tasks_.pop_front();
    Answer(probe, Days(kDays));
  }
};

TEST_F(CoreRepairTest, AVerificationIsGivenTheFilesOfItsPieces) {
  Load();
  Verify();
  ASSERT_THAT(tasks_, SizeIs(1));
  const auto& task = std::get<VerificationTask>(tasks_.front().spec.kind);
  std::vector<std::string> expected;
  for (const Extent& extent : PiecesOf(task.extent, task.cuts)) expected.push_back(PathOf(extent));
  EXPECT_THAT(expected, SizeIs(kDays));
  EXPECT_EQ(PathsOf(task.base), expected);
}

TEST_F(CoreRepairTest, ItsAnswerHasTheRowsThatDifferAndAPlan) {
  Load();
  VerifyToPlan();
  ASSERT_TRUE(verified_.has_value());
  const v1::VerifiedDataset& found = verified_->datasets(0);
  EXPECT_EQ(found.different(), 1);
  EXPECT_EQ(found.rows_read(), 7);
  EXPECT_EQ(found.rows_different(), 1);
  ASSERT_EQ(found.differences_size(), 1);
  EXPECT_EQ(found.differences(0).key(), "id = 1");
  EXPECT_EQ(verified_->plan_id(), "p-1");
}

TEST_F(CoreRepairTest, FilesThatAreNotWhatWasCommittedDifferWhateverTheSourceHas) {
  Load();
  Verify();
  const OfferedTask task = tasks_.front();
  tasks_.pop_front();
  Verification verification = FirstDiffers(std::get<VerificationTask>(task.spec.kind));
  for (StagedPiece& piece : verification.manifest.pieces) {
    piece.fingerprint.rows = 1;
    piece.files_fingerprint = Fingerprint{4, {}};
  }
  Answer(task, verification);
  ASSERT_TRUE(verified_.has_value());
  EXPECT_EQ(verified_->datasets(0).different(), kDays);
  EXPECT_THAT(verified_->datasets(0).problems(0).message(), HasSubstr("files have 4 rows"));
}

// As after a heal, when nobody knows what the piece was hashed by: files and source are compared.
TEST_F(CoreRepairTest, HashesByAnotherAlgorithmSayNothingOfWhatWasCommitted) {
  Load();
  Verify();
  const OfferedTask task = tasks_.front();
  tasks_.pop_front();
  Verification verification = FirstDiffers(std::get<VerificationTask>(task.spec.kind));
  verification.manifest.spec_version = "of another algorithm";
  for (StagedPiece& piece : verification.manifest.pieces) {
    piece.fingerprint = {1, {5, 6}};
    piece.files_fingerprint = Fingerprint{1, {5, 6}};
  }
  verification.manifest.pieces.front().fingerprint = {1, {7, 8}};
  verification.manifest.pieces.back().files_fingerprint = Fingerprint{3, {5, 6}};  // Too many.
  Answer(task, verification);
  ASSERT_TRUE(verified_.has_value());
  const v1::VerifiedDataset& found = verified_->datasets(0);
  EXPECT_EQ(found.different(), 1);
  ASSERT_EQ(found.problems_size(), 2);
  EXPECT_THAT(found.problems(0).warning(), HasSubstr("by which algorithm"));
  EXPECT_THAT(found.problems(1).message(), HasSubstr("changed the files"));
}

TEST_F(CoreRepairTest, ARepairReadsWhatDiffersAndStartsFromItsFiles) {
  Load();
  const Extent piece = VerifyToPlan();
  Step({RunOf("repair", v1::RUN_KIND_REPAIR)});
  EXPECT_TRUE(answer_.ok()) << answer_;
  Probe();
  EXPECT_THAT(tasks_, IsEmpty()) << "its files are not listed yet";
  AnswerLists();
  ASSERT_THAT(tasks_, SizeIs(1));
  const auto& task = std::get<MicrobatchTask>(tasks_.front().spec.kind);
  EXPECT_EQ(task.extent, piece);
  EXPECT_TRUE(task.differing);
  EXPECT_THAT(PathsOf(task.base), ElementsAre(PathOf(piece)));
  Answer(tasks_.front(), Rows(tasks_.front().spec));
  EXPECT_THAT(ended_, ElementsAre("load", "repair"));
}

TEST_F(CoreRepairTest, WhereFilesAreGoneAllOfThePieceIsRead) {
  Load();
  VerifyToPlan();
  Step({RunOf("repair", v1::RUN_KIND_REPAIR)});
  Probe();
  AnswerLists(/*gone=*/true);
  ASSERT_THAT(tasks_, SizeIs(1));
  const auto& task = std::get<MicrobatchTask>(tasks_.front().spec.kind);
  EXPECT_FALSE(task.differing);
  EXPECT_FALSE(task.base.has_value());
}

TEST_F(CoreRepairTest, WithoutAPlanThereIsNone) {
  Load();
  RunSubmitted run = RunOf("repair", v1::RUN_KIND_REPAIR);
  run.plan_id.clear();
  Step({run});
  EXPECT_TRUE(absl::IsInvalidArgument(answer_)) << answer_;
}

TEST_F(CoreRepairTest, ARepairComesAfterWhatIsNewAndBeforeBackfills) {
  Load();
  VerifyToPlan();
  now_ += absl::Hours(24);
  // All three know what they want, and nobody has room: probes go first.
  for (const RunSubmitted& run :
       {RunOf("repair", v1::RUN_KIND_REPAIR), RunOf("backfill", v1::RUN_KIND_BACKFILL),
        RunOf("new", v1::RUN_KIND_INCREMENTAL)}) {
    Step({run, CreditChanged{"s", 1}});
    ASSERT_THAT(tasks_, SizeIs(1));
    const OfferedTask probe = tasks_.front();
    ASSERT_TRUE(IsProbe(probe));
    tasks_.pop_front();
    Step({CreditChanged{"s", 0}});
    Answer(probe, Days(kDays + 1));
  }
  ASSERT_THAT(tasks_, IsEmpty());
  Step({CreditChanged{"s", 1}});
  std::vector<std::string> order;
  for (int i = 0; i < 20 && !tasks_.empty(); ++i) {
    const OfferedTask task = tasks_.front();
    tasks_.pop_front();
    order.push_back(task.spec.run_id);
    AnswerLists();
    Answer(task, Rows(task.spec));
    AnswerLists();
  }
  // While its files are listed backfills go ahead.
  EXPECT_EQ(order.front(), "new");
  EXPECT_THAT(order, Contains("repair"));
  EXPECT_EQ(order.back(), "backfill");
  EXPECT_THAT(order, Contains("backfill").Times(Ge(2)));
  EXPECT_LE(std::count(order.begin(), absl::c_find(order, "repair"), "backfill"), 2);
}

}  // namespace
}  // namespace headwater
