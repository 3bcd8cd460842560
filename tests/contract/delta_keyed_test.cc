// Keyed writes in a Delta table: what its log says of them, under whatever names, and what others
// may do to it.
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_log.h"
#include "coordinator/commit/delta/delta_schema.h"
#include "gmock/gmock.h"
#include "tests/contract/delta_place.h"

namespace headwater {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

// Servers of one table whose partition column is `column`; empty: it has none.
class DeltaKeyed : public testing::Test {
 protected:
  Replacement Write(const std::string& server, int64_t fence, const std::string& replaced,
                    int64_t table_rows) {
    Replacement replacement;
    replacement.dataset = {"deals", server};
    replacement.fence = fence;
    replacement.server_column = column_;
    replacement.extent.range = Range{0, 10};
    replacement.manifest.schema.columns = {
        {"id", {TypeKind::kLong}, true},
        {"hash", {TypeKind::kBinary}, true, SystemColumn::kRowHash}};
    replacement.manifest.pieces.push_back({replacement.extent, {1, {}}, std::nullopt, false, {}});
    KeyedChange& change = replacement.manifest.keyed.emplace();
    if (!replaced.empty()) change.replaced.push_back(replaced);
    change.files.push_back(Staged(server, fence));
    change.table_rows = table_rows;
    return replacement;
  }
  StagedFile Staged(const std::string& server, int64_t fence) {
    StagedFile file;
    const std::string folder = column_.empty() ? "" : absl::StrCat(column_, "=", server, "/");
    file.path = absl::StrCat(folder, "hw-", fence, "-p0-0-", server, ".parquet");
    std::filesystem::create_directories(place_.root() + "/" + folder);
    std::ofstream(place_.root() + "/" + file.path) << "x";
    file.size_bytes = 1;
    file.rows = 1;
    if (!column_.empty()) file.partition_values = {{column_, server}};
    file.stats_json = R"({"numRecords":1})";
    file.spec_version = "compared";
    return file;
  }
  Intent IntentOf(int64_t sequence, std::vector<Replacement> replacements) {
    Intent intent{"deals", sequence, "", std::move(replacements)};
    intent.hash = IntentHash(intent);
    return intent;
  }
  std::vector<std::string> Paths(TableCommitter& committer, const std::string& server) {
    std::vector<std::string> paths;
    const auto files = committer.KeyedFiles({{"deals", server}});
    EXPECT_TRUE(files.ok() && files->at(0).ok()) << files.status();
    for (const StagedFile& file : *files->at(0)) paths.push_back(file.path);
    return paths;
  }

  DeltaPlace place_;
  std::string column_ = "server_source";
};

TEST_F(DeltaKeyed, AServersColumnMayHaveAnotherNameOrNone) {
  for (const char* column : {"server_source", "origin", ""}) {
    SCOPED_TRACE(column);
    std::filesystem::remove_all(place_.root());
    column_ = column;
    auto committer = place_.Open("ledger");
    const Replacement first = Write("p1", 1, "", 1), other = Write("p2", 2, "", 1);
    ASSERT_TRUE(committer->Commit(IntentOf(1, {first, other})).ok());
    const std::string path = first.manifest.keyed->files[0].path;
    for (const bool restart : {false, true}) {
      if (restart) committer = place_.Open("ledger");
      EXPECT_THAT(Paths(*committer, "p1"), ElementsAre(path));
      EXPECT_THAT(Paths(*committer, "p2"), SizeIs(1));
      EXPECT_THAT(Paths(*committer, "p3"), IsEmpty());
    }
    const Replacement next = Write("p1", 3, path, 1);
    EXPECT_TRUE((*committer->Check({next}))[0].ok()) << (*committer->Check({next}))[0];
    ASSERT_TRUE(committer->Commit(IntentOf(2, {next})).ok());
    EXPECT_THAT(Paths(*committer, "p1"), ElementsAre(next.manifest.keyed->files[0].path));
    EXPECT_THAT(Paths(*committer, "p2"), SizeIs(1));
    EXPECT_EQ(*committer->Columns(), Schema({{{"id", {TypeKind::kLong}, true}}}));
  }
}

TEST_F(DeltaKeyed, ATableKeepsTheNameOfItsServersColumn) {
  auto committer = place_.Open("ledger");
  ASSERT_TRUE(committer->Commit(IntentOf(1, {Write("p1", 1, "", 1)})).ok());
  for (const char* column : {"origin", ""}) {
    column_ = column;
    const absl::Status status = (*committer->Check({Write("p1", 2, "", 2)}))[0];
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("system_columns"));
  }
}

TEST_F(DeltaKeyed, TheLogSaysWhichColumnsAreOursAndWhatEachFileIs) {
  column_ = "origin";
  auto committer = place_.Open("ledger");
  ASSERT_TRUE(committer->Commit(IntentOf(1, {Write("p1", 1, "", 1)})).ok());
  const auto snapshot = DeltaSnapshot::Load(*OpenLocalStore(place_.root()));
  ASSERT_TRUE(snapshot.ok());
  const auto schema = SchemaFromJson(snapshot->metadata()->schema_string);
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(schema->columns.at(0).system, SystemColumn::kNone);
  EXPECT_EQ(schema->columns.at(1).system, SystemColumn::kRowHash);
  EXPECT_EQ(schema->columns.at(2).system, SystemColumn::kServerSource);
  const DeltaAdd& add = snapshot->files().begin()->second;
  EXPECT_THAT(add.tags, Contains(Pair("headwater.piece", "keyed")));
  EXPECT_THAT(add.tags, Contains(Pair("headwater.spec", "compared")));
  EXPECT_THAT(add.tags, Not(Contains(Key("headwater.server"))));
}

TEST_F(DeltaKeyed, WhatOthersRemoveIsLostAndAWriteThatReplacesItIsRefused) {
  auto committer = place_.Open("ledger");
  const Replacement first = Write("p1", 1, "", 1);
  ASSERT_TRUE(committer->Commit(IntentOf(1, {first})).ok());
  const std::string path = first.manifest.keyed->files[0].path;
  PublishedPiece published{{"deals", "p1"}, {Range{0, 10}, false}, 1, 1};
  published.keyed = true;
  EXPECT_THAT(*committer->FindLost({published}), IsEmpty());
  const auto snapshot = DeltaSnapshot::Load(*OpenLocalStore(place_.root()));
  const auto& [key, add] = *snapshot->files().begin();
  DeltaVersion removal;
  removal.removes.push_back({key, 1, true, add.partition_values, add.size_bytes});
  ASSERT_TRUE(PutVersion(*OpenLocalStore(place_.root()), 1, removal).ok());
  EXPECT_THAT(*committer->FindLost({published}), SizeIs(1));
  EXPECT_EQ((*committer->Check({Write("p1", 2, path, 1)}))[0].code(), absl::StatusCode::kNotFound);
}

TEST_F(DeltaKeyed, AForeignFileOfATableWithoutServersStopsAllOfThem) {
  column_ = "";
  auto committer = place_.Open("ledger");
  ASSERT_TRUE(committer->Commit(IntentOf(1, {Write("p1", 1, "", 1)})).ok());
  DeltaVersion append;
  append.adds.push_back({"theirs.parquet", {}, 1, 1, true, "", {}});
  ASSERT_TRUE(PutVersion(*OpenLocalStore(place_.root()), 1, append).ok());
  for (const char* server : {"p1", "p2"}) {
    EXPECT_EQ((*committer->Check({Write(server, 2, "", 2)}))[0].code(),
              absl::StatusCode::kAlreadyExists);
  }
}

TEST_F(DeltaKeyed, AFileWhoseStatisticsOthersLeftOutIsNoReasonToRefuse) {
  auto committer = place_.Open("ledger");
  ASSERT_TRUE(committer->Commit(IntentOf(1, {Write("p1", 1, "", 1)})).ok());
  DeltaVersion again;
  again.adds.push_back(
      DeltaSnapshot::Load(*OpenLocalStore(place_.root()))->files().begin()->second);
  again.adds.front().stats = "";
  ASSERT_TRUE(PutVersion(*OpenLocalStore(place_.root()), 1, again).ok());
  EXPECT_TRUE((*committer->Check({Write("p1", 2, "", 99)}))[0].ok());
}

// A table of an early version does not say which columns are ours. A write by key, which adds some
// that do, must not make the others a source's.
TEST_F(DeltaKeyed, AnEarlyTableThatIsWrittenByKeyKeepsItsServersColumn) {
  auto committer = place_.Open("ledger");
  Replacement pieces = Write("p1", 1, "", 0);
  pieces.manifest.schema.columns.pop_back();
  pieces.manifest.pieces[0].files = pieces.manifest.keyed->files;
  pieces.manifest.keyed.reset();
  ASSERT_TRUE(committer->Commit(IntentOf(1, {pieces})).ok());
  DeltaVersion early;
  early.metadata = DeltaSnapshot::Load(*OpenLocalStore(place_.root()))->metadata();
  std::string& json = early.metadata->schema_string;
  const std::string mark = R"("headwater.system":"server_source")";
  ASSERT_NE(json.find(mark), std::string::npos);
  json.erase(json.find(mark), mark.size());
  ASSERT_TRUE(PutVersion(*OpenLocalStore(place_.root()), 1, early).ok());
  for (int64_t sequence : {2, 3}) {
    const Replacement keyed = Write("p2", sequence, "", sequence - 1);
    EXPECT_TRUE((*committer->Check({keyed}))[0].ok()) << (*committer->Check({keyed}))[0];
    ASSERT_TRUE(committer->Commit(IntentOf(sequence, {keyed})).ok());
    committer = place_.Open("ledger");
    EXPECT_THAT(Paths(*committer, "p2"), SizeIs(static_cast<size_t>(sequence - 1)));
    EXPECT_EQ(committer->KeyedFiles({{"deals", "p1"}})->at(0).status().code(),
              absl::StatusCode::kAlreadyExists);
  }
}

// The rows of another kind of write would be taken for its own.
TEST_F(DeltaKeyed, AMergeIntoATableWithHistoryIsRefused) {
  auto committer = place_.Open("ledger");
  Replacement versions = Write("p1", 1, "", 1);
  versions.manifest.schema.columns.push_back(
      {"is_current", {TypeKind::kBoolean}, true, SystemColumn::kIsCurrent});
  ASSERT_TRUE(committer->Commit(IntentOf(1, {versions})).ok());
  const absl::Status status = (*committer->Check({Write("p1", 2, "", 2)}))[0];
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("history"));
}

}  // namespace
}  // namespace headwater
