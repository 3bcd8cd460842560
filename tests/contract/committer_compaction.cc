// What every committer must do for compactions: list files, and exchange them when nothing else has
// changed.
#include "gmock/gmock.h"
#include "tests/contract/committer_contract.h"

namespace headwater {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

// One row of server p1 in [from, from + 10), of an attempt with that fence.
Replacement OneRow(CommitterPlace& place, int64_t fence, Range range, const std::string& name) {
  Replacement replacement;
  replacement.dataset = {"deals", "p1"};
  replacement.fence = fence;
  replacement.extent.range = range;
  replacement.manifest.schema.columns = {{"id", {TypeKind::kLong}, true}};
  replacement.manifest.spec_version = "spec";
  StagedPiece piece;
  piece.extent.range = range;
  piece.fingerprint = {1, {1, static_cast<uint64_t>(fence)}};
  piece.files = place.Stage("p1", fence, name);
  replacement.manifest.pieces.push_back(std::move(piece));
  return replacement;
}

PublishedPiece Published(int64_t fence, Range range, int64_t rows = 1) {
  return {{"deals", "p1"}, {range, false}, fence, rows, 0};
}

// The two rows of [0, 20) in one file.
Replacement Compaction(CommitterPlace& place, int64_t fence, const std::string& name) {
  Replacement replacement = OneRow(place, fence, {0, 20}, name);
  StagedPiece& piece = replacement.manifest.pieces.front();
  piece.fingerprint = {2, {2, 3}};
  piece.files.front().rows = 2;
  piece.files.front().stats_json = R"({"numRecords":2})";
  replacement.compacted = {Published(1, {0, 10}), Published(2, {10, 20})};
  return replacement;
}

Intent IntentOf(int64_t sequence, std::vector<Replacement> replacements) {
  Intent intent{"deals", sequence, "", std::move(replacements)};
  intent.hash = IntentHash(intent);
  return intent;
}

// A table with the rows "a" of [0, 10) and "b" of [10, 20).
class TwoPieces {
 public:
  TwoPieces() : place(CommitterContract::GetParam().make_place()), committer(place->Open()) {
    EXPECT_TRUE(committer
                    ->Commit(IntentOf(
                        1, {OneRow(*place, 1, {0, 10}, "a"), OneRow(*place, 2, {10, 20}, "b")}))
                    .ok());
  }
  std::unique_ptr<CommitterPlace> place;
  std::unique_ptr<TableCommitter> committer;
};

TEST_P(CommitterContract, FilesOfAPieceAreListedAsTheyWereStaged) {
  TwoPieces table;
  const std::vector<StagedFile> staged = table.place->Stage("p1", 3, "c");
  Replacement third = OneRow(*table.place, 3, {20, 30}, "c");
  ASSERT_TRUE(table.committer->Commit(IntentOf(2, {third})).ok());
  const auto files = table.committer->Files(
      {Published(3, {20, 30}), Published(3, {10, 20}), Published(1, {0, 10}, /*rows=*/2)});
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_EQ(files->size(), 3u);
  ASSERT_EQ((*files)[0].size(), 1u);
  EXPECT_EQ((*files)[0][0].path, staged[0].path);
  EXPECT_EQ((*files)[0][0].size_bytes, staged[0].size_bytes);
  EXPECT_EQ((*files)[0][0].rows, 1);
  EXPECT_EQ((*files)[0][0].partition_values, staged[0].partition_values);
  EXPECT_THAT((*files)[1], IsEmpty());  // Of another attempt.
  EXPECT_THAT((*files)[2], IsEmpty());  // Not all of its rows are there.
}

TEST_P(CommitterContract, ACompactionTakesThePlaceOfItsPieces) {
  TwoPieces table;
  const Replacement compaction = Compaction(*table.place, 3, "both");
  EXPECT_THAT(*table.committer->Check({compaction}), ElementsAre(absl::OkStatus()));
  // In one version with rows that are new.
  const Intent intent = IntentOf(2, {compaction, OneRow(*table.place, 4, {20, 30}, "new")});
  ASSERT_TRUE(table.committer->Commit(intent).ok());
  EXPECT_THAT(table.place->Visible(), ElementsAre(Pair("p1", UnorderedElementsAre("both", "new"))));
  const PublishedPiece whole = Published(3, {0, 20}, 2);
  EXPECT_THAT(*table.committer->FindLost({whole}), IsEmpty());
  EXPECT_EQ((*table.committer->Files({whole}))[0].size(), 1u);
  // It can be read again, and be found again after a restart.
  auto restarted = table.place->Open();
  EXPECT_TRUE(restarted->Commit(intent).ok());
  ASSERT_TRUE(restarted->Commit(IntentOf(3, {OneRow(*table.place, 5, {0, 20}, "read")})).ok());
  EXPECT_THAT(table.place->Visible(), ElementsAre(Pair("p1", UnorderedElementsAre("read", "new"))));
}

TEST_P(CommitterContract, ACompactionOfWhatIsNotThereAnyMoreIsRefused) {
  TwoPieces table;
  const Replacement compaction = Compaction(*table.place, 3, "both");
  ASSERT_TRUE(table.committer->Commit(IntentOf(2, {OneRow(*table.place, 4, {10, 20}, "c")})).ok());
  EXPECT_EQ((*table.committer->Check({compaction}))[0].code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(table.committer->Commit(IntentOf(3, {compaction})).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(table.place->Visible(), ElementsAre(Pair("p1", UnorderedElementsAre("a", "c"))));
}

TEST_P(CommitterContract, ACompactionDoesNotReplaceWhatItHasNotRead) {
  TwoPieces table;
  Replacement compaction = Compaction(*table.place, 3, "both");
  compaction.compacted.pop_back();
  EXPECT_EQ((*table.committer->Check({compaction}))[0].code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace headwater
