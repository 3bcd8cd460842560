// What every committer must do for keyed writes, whose files belong to no piece.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "gmock/gmock.h"
#include "tests/contract/committer_contract.h"

namespace headwater {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// An attempt that read [0, 10) of a server, and writes one file of one row for each of `names`.
Replacement Keyed(CommitterPlace& place, const std::string& server, int64_t fence,
                  const std::vector<std::string>& names, const std::vector<StagedFile>& replaced,
                  int64_t table_rows) {
  Replacement replacement;
  replacement.dataset = {"deals", server};
  replacement.fence = fence;
  replacement.extent.range = Range{0, 10};
  replacement.manifest.schema.columns = {{"id", {TypeKind::kLong}, true}};
  replacement.manifest.spec_version = "spec";
  StagedPiece piece;
  piece.extent = replacement.extent;
  piece.fingerprint = {1, {1, static_cast<uint64_t>(fence)}};
  replacement.manifest.pieces.push_back(std::move(piece));
  KeyedChange& change = replacement.manifest.keyed.emplace();
  for (const StagedFile& file : replaced) change.replaced.push_back(file.path);
  for (const std::string& name : names) {
    for (StagedFile& file : place.Stage(server, fence, name)) {
      file.spec_version = absl::StrCat("compared", fence);
      change.files.push_back(std::move(file));
    }
  }
  change.table_rows = table_rows;
  return replacement;
}

Replacement OfPieces(CommitterPlace& place, const std::string& server, int64_t fence) {
  Replacement replacement = Keyed(place, server, fence, {"piece"}, {}, 0);
  replacement.manifest.pieces.front().files = replacement.manifest.keyed->files;
  replacement.manifest.keyed.reset();
  return replacement;
}

Intent IntentOf(int64_t sequence, std::vector<Replacement> replacements) {
  Intent intent{"deals", sequence, "", std::move(replacements)};
  intent.hash = IntentHash(intent);
  return intent;
}

PublishedPiece AllRows(const std::string& server, int64_t rows) {
  PublishedPiece piece{{"deals", server}, {Range{0, 10}, false}, 1, rows};
  piece.keyed = true;
  return piece;
}

// A table with the rows "a" and "b" of server p1, by key.
class KeyedTable {
 public:
  KeyedTable() : place(CommitterContract::GetParam().make_place()), committer(place->Open()) {
    EXPECT_TRUE(committer->Commit(IntentOf(1, {Keyed(*place, "p1", 1, {"a", "b"}, {}, 2)})).ok());
  }
  std::vector<StagedFile> Files(const std::string& server = "p1") {
    const auto files = committer->KeyedFiles({{"deals", server}});
    EXPECT_TRUE(files.ok()) << files.status();
    EXPECT_TRUE(files->at(0).ok()) << files->at(0).status();
    return *files->at(0);
  }
  // The live file of that name.
  StagedFile Named(const std::string& name) {
    for (StagedFile& file : Files()) {
      if (absl::StrContains(file.path, absl::StrCat("-", name, "."))) return file;
    }
    ADD_FAILURE() << "no file " << name;
    return {};
  }
  absl::Status Checked(const Replacement& replacement) {
    const auto statuses = committer->Check({replacement});
    EXPECT_TRUE(statuses.ok()) << statuses.status();
    return statuses->at(0);
  }
  std::unique_ptr<CommitterPlace> place;
  std::unique_ptr<TableCommitter> committer;
};

TEST_P(CommitterContract, AKeyedWriteReplacesAndAddsFilesInOneVersion) {
  KeyedTable table;
  const int64_t before = table.committer->Inspect()->version;
  const Replacement change =
      Keyed(*table.place, "p1", 2, {"c", "d"}, {table.Named("a")}, /*table_rows=*/3);
  EXPECT_TRUE(table.Checked(change).ok()) << table.Checked(change);
  const auto committed = table.committer->Commit(IntentOf(2, {change}));
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ(committed->version, before + 1);
  EXPECT_THAT(table.place->Visible(), ElementsAre(Pair("p1", UnorderedElementsAre("b", "c", "d"))));
}

TEST_P(CommitterContract, AKeyedWriteLeavesFilesOfItsExtentThatItDoesNotName) {
  KeyedTable table;
  ASSERT_TRUE(
      table.committer->Commit(IntentOf(2, {Keyed(*table.place, "p1", 2, {"c"}, {}, 3)})).ok());
  EXPECT_THAT(table.place->Visible(), ElementsAre(Pair("p1", UnorderedElementsAre("a", "b", "c"))));
}

TEST_P(CommitterContract, AKeyedWriteMayOnlyRemove) {
  KeyedTable table;
  const Replacement change = Keyed(*table.place, "p1", 2, {}, table.Files(), 0);
  EXPECT_TRUE(table.Checked(change).ok());
  ASSERT_TRUE(table.committer->Commit(IntentOf(2, {change})).ok());
  EXPECT_THAT(table.place->Visible(), IsEmpty());
  EXPECT_THAT(table.Files(), IsEmpty());
}

TEST_P(CommitterContract, KeyedFilesAreTheLiveOnesOfTheServerWithAllThatWasStaged) {
  KeyedTable table;
  const Replacement other = Keyed(*table.place, "p2", 2, {"x"}, {}, 1);
  const Replacement change = Keyed(*table.place, "p1", 3, {"c"}, {table.Named("a")}, 2);
  ASSERT_TRUE(table.committer->Commit(IntentOf(2, {other, change})).ok());
  for (const bool restart : {false, true}) {
    if (restart) table.committer = table.place->Open();
    EXPECT_THAT(table.Files(), SizeIs(2));
    const StagedFile found = table.Named("c");
    const StagedFile& staged = change.manifest.keyed->files[0];
    EXPECT_EQ(found.path, staged.path);
    EXPECT_EQ(found.size_bytes, staged.size_bytes);
    EXPECT_EQ(found.rows, staged.rows);
    EXPECT_EQ(found.partition_values, staged.partition_values);
    EXPECT_EQ(found.stats_json, staged.stats_json);
    EXPECT_EQ(found.spec_version, "compared3");
    EXPECT_EQ(table.Named("b").spec_version, "compared1");
    EXPECT_THAT(table.Files("p2"), SizeIs(1));
    EXPECT_THAT(table.Files("p3"), IsEmpty());
  }
}

TEST_P(CommitterContract, ATableThatIsNotThereHasNoKeyedFiles) {
  auto place = GetParam().make_place();
  const auto files = place->Open()->KeyedFiles({{"deals", "p1"}});
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_THAT(*files, SizeIs(1));
  ASSERT_TRUE(files->at(0).ok());
  EXPECT_THAT(*files->at(0), IsEmpty());
}

TEST_P(CommitterContract, AKeyedWriteWhoseFilesAreGoneIsRefusedAndNoOther) {
  KeyedTable table;
  const StagedFile gone = table.Named("a");
  ASSERT_TRUE(
      table.committer->Commit(IntentOf(2, {Keyed(*table.place, "p1", 2, {}, {gone}, 1)})).ok());
  const Replacement late = Keyed(*table.place, "p1", 3, {"c"}, {gone}, 2);
  const auto statuses = table.committer->Check({late, Keyed(*table.place, "p2", 4, {"x"}, {}, 1)});
  ASSERT_TRUE(statuses.ok());
  EXPECT_EQ(statuses->at(0).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(statuses->at(0).message()), HasSubstr(gone.path));
  EXPECT_TRUE(statuses->at(1).ok()) << statuses->at(1);
  EXPECT_EQ(table.committer->Commit(IntentOf(3, {late})).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(table.place->Visible(), ElementsAre(Pair("p1", ElementsAre("b"))));
}

TEST_P(CommitterContract, AKeyedWriteThatStartedFromOtherFilesIsRefused) {
  KeyedTable table;
  const Replacement late = Keyed(*table.place, "p1", 2, {"c"}, {}, 3);
  ASSERT_TRUE(
      table.committer->Commit(IntentOf(2, {Keyed(*table.place, "p1", 3, {"d"}, {}, 3)})).ok());
  const absl::Status status = table.Checked(late);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("expected 3 rows afterwards, found 4"));
}

TEST_P(CommitterContract, AStagedFileOfAKeyedWriteThatIsGoneIsFound) {
  KeyedTable table;
  Replacement change = Keyed(*table.place, "p1", 2, {"c"}, {}, 3);
  change.manifest.keyed->files[0].path += ".gone";
  EXPECT_EQ(table.Checked(change).code(), absl::StatusCode::kNotFound);
}

TEST_P(CommitterContract, AServersRowsAreEitherOfPiecesOrByKey) {
  KeyedTable table;
  const absl::Status pieces = table.Checked(OfPieces(*table.place, "p1", 2));
  EXPECT_EQ(pieces.code(), absl::StatusCode::kAlreadyExists) << pieces;
  EXPECT_THAT(std::string(pieces.message()), HasSubstr("target_table"));
  // Another server of the table may be written in another way.
  ASSERT_TRUE(table.committer->Commit(IntentOf(2, {OfPieces(*table.place, "p2", 3)})).ok());
  const absl::Status keyed = table.Checked(Keyed(*table.place, "p2", 4, {"c"}, {}, 2));
  EXPECT_EQ(keyed.code(), absl::StatusCode::kAlreadyExists) << keyed;
  const auto files = table.committer->KeyedFiles({{"deals", "p2"}, {"deals", "p1"}});
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->at(0).status().code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(files->at(1).ok());
  EXPECT_THAT(*files->at(1), SizeIs(2));
}

TEST_P(CommitterContract, KeyedRowsAreLostWhenTheyAreNotAllThere) {
  KeyedTable table;
  const auto lost = table.committer->FindLost(
      {AllRows("p1", 2), AllRows("p1", 3), AllRows("p1", 1), AllRows("p2", 1), AllRows("p2", 0)});
  ASSERT_TRUE(lost.ok()) << lost.status();
  std::vector<std::string> texts;
  for (const PublishedPiece& piece : *lost)
    texts.push_back(absl::StrCat(piece.dataset.server, " ", piece.rows));
  EXPECT_THAT(texts, ElementsAre("p1 3", "p1 1", "p2 1"));
}

TEST_P(CommitterContract, AKeyedWriteThatFailsAtAnyStepIsPublishedOnce) {
  for (const std::string& failpoint : GetParam().failpoints) {
    for (const bool restart : {false, true}) {
      SCOPED_TRACE(failpoint);
      KeyedTable table;
      const Intent intent =
          IntentOf(2, {Keyed(*table.place, "p1", 2, {"c"}, {table.Named("a")}, 2)});
      ASSERT_TRUE(ArmFailpoints(absl::StrCat(failpoint, ":error:UNKNOWN")).ok());
      EXPECT_EQ(table.committer->Commit(intent).status().code(), absl::StatusCode::kUnknown);
      ASSERT_TRUE(ArmFailpoints("").ok());
      if (restart) table.committer = table.place->Open();
      const auto retried = table.committer->Commit(intent);
      ASSERT_TRUE(retried.ok()) << retried.status();
      EXPECT_EQ(retried->version, table.committer->Inspect()->version);
      EXPECT_THAT(table.place->Visible(), ElementsAre(Pair("p1", UnorderedElementsAre("b", "c"))));
      EXPECT_EQ(table.committer->Commit(intent)->version, retried->version);
    }
  }
}

TEST_P(CommitterContract, AnIntentOfOtherKeyedFilesIsAnotherIntent) {
  KeyedTable table;
  const Intent one = IntentOf(2, {Keyed(*table.place, "p1", 2, {"c"}, {table.Named("a")}, 2)});
  const Intent other = IntentOf(2, {Keyed(*table.place, "p1", 2, {"c"}, {table.Named("b")}, 2)});
  EXPECT_NE(one.hash, other.hash);
  ASSERT_TRUE(table.committer->Commit(one).ok());
  EXPECT_EQ(table.committer->Commit(other).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace headwater
