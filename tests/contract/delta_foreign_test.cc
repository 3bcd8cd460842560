// What others may have done to a Delta table, or to the folder where one is to be.
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_log.h"
#include "gmock/gmock.h"
#include "tests/contract/delta_place.h"

namespace headwater {
namespace {

using testing::HasSubstr;

TEST(DeltaForeign, AFolderOfForeignFilesIsRefused) {
  DeltaPlace place;
  std::filesystem::create_directories(place.root());
  std::ofstream(place.root() + "/report.xlsx") << "mine";
  const auto contents = place.Open("ledger")->Inspect();
  EXPECT_EQ(contents.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(contents.status().message()), HasSubstr("report.xlsx"));
}

TEST(DeltaForeign, ATableWithAnUnknownWriterFeatureIsNotWritten) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  ASSERT_TRUE(committer->Commit(Numbered(place, 1)).ok());
  auto store = OpenLocalStore(place.root());
  DeltaVersion change;
  change.protocol = DeltaProtocol{3, 7, {"timestampNtz"}, {"timestampNtz", "rowTracking"}};
  ASSERT_TRUE(PutVersion(*store, committer->Inspect()->version + 1, change).ok());
  const auto result = committer->Commit(Numbered(place, 2));
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("rowTracking"));
}

TEST(DeltaForeign, AForeignFileOfAServerStopsThatServerOnly) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  ASSERT_TRUE(committer->Commit(Numbered(place, 1)).ok());
  auto store = OpenLocalStore(place.root());
  DeltaVersion append;
  append.adds.push_back({"theirs.parquet", {{"server_source", "p1"}}, 1, 1, true, "", {}});
  ASSERT_TRUE(PutVersion(*store, 1, append).ok());
  Replacement other = Numbered(place, 2).replacements.front();
  other.dataset.server = "p2";
  const auto statuses = *committer->Check({Numbered(place, 3).replacements.front(), other});
  EXPECT_EQ(statuses[0].code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(statuses[0].message()), HasSubstr("theirs.parquet"));
  EXPECT_TRUE(statuses[1].ok()) << statuses[1];
}

TEST(DeltaForeign, AFileThatSomebodyAddedAgainWithoutOurTagsStopsItsServer) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  ASSERT_TRUE(committer->Commit(Numbered(place, 1)).ok());
  auto store = OpenLocalStore(place.root());
  DeltaVersion again;
  again.adds.push_back(DeltaSnapshot::Load(*store)->files().begin()->second);
  again.adds.front().tags.clear();
  ASSERT_TRUE(PutVersion(*store, 1, again).ok());
  const auto statuses = *committer->Check({Numbered(place, 2).replacements.front()});
  EXPECT_EQ(statuses[0].code(), absl::StatusCode::kAlreadyExists) << statuses[0];
}

TEST(DeltaForeign, AnotherWritersVersionIsBuiltUpon) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  ASSERT_TRUE(committer->Commit(Numbered(place, 1)).ok());
  auto store = OpenLocalStore(place.root());
  DeltaVersion foreign;
  foreign.txns.push_back({"somebody", 1});
  ASSERT_TRUE(PutVersion(*store, 1, foreign).ok());
  const auto result = committer->Commit(Numbered(place, 2));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->version, 2);
}

TEST(DeltaForeign, OnlyOurOwnStagedFilesMayBeThereBeforeTheTable) {
  const struct {
    const char* key;
    bool ours;
  } kCases[] = {
      {"server_source=p1/hw-7-p0-0-0123456789abcdef.parquet", true},
      {"server_source=a%2Fb/cursor_day=2013-01-01/hw-7-p0-0-0123456789abcdef.parquet", true},
      {"server_source=p1/part-00000.snappy.parquet", false},
      {"server_source=p1/cursor_day=2013-01-01/part-00000.snappy.parquet", false},
      {"server_source=p1/hw-x-p0-0-0.parquet", false},
      {"server_source=p1/hw-7-p0-0-0.csv", false},
      {"server_source=p1/notes/hw-7-p0-0-0.parquet", false},
      {"server_source=p1/cursor_day=2013-01-01", false},
      {"server_source=p2", false},
      {"region=north/part-00000.parquet", false},
      {"origin=p1/hw-7-p0-0-0123456789abcdef.parquet", true},
      {"hw-7-p0-0-0123456789abcdef.parquet", true},
      {"old/hw-7-p0-0-0123456789abcdef.parquet", false},
  };
  for (const auto& [key, ours] : kCases) {
    SCOPED_TRACE(key);
    DeltaPlace place;
    auto committer = place.Open("ledger");
    const Intent intent = Numbered(place, 1);
    ASSERT_TRUE(OpenLocalStore(place.root())->Put(key, "x").ok());
    const absl::Status checked = committer->Check(intent.replacements).status();
    if (ours) {
      EXPECT_TRUE(checked.ok()) << checked;
      EXPECT_TRUE(committer->Commit(intent).ok());
      continue;
    }
    EXPECT_EQ(checked.code(), absl::StatusCode::kAlreadyExists) << checked;
    const std::string first = absl::StrContains(key, "/notes/") ? "server_source=p1/notes"
                              : absl::StartsWith(key, "old/")   ? "old"
                                                                : key;
    EXPECT_THAT(std::string(checked.message()), HasSubstr(absl::StrCat("'", first, "'")));
    EXPECT_EQ(committer->Commit(intent).status(), checked);
    EXPECT_FALSE(std::filesystem::exists(place.root() + "/_delta_log"));
  }
}

TEST(DeltaForeign, TheFirstOfManyForeignFilesIsNamed) {
  DeltaPlace place;
  const auto store = OpenLocalStore(place.root());
  for (const char* key : {"server_source=p1/theirs.parquet", "zebra.csv", "part-0.parquet"})
    ASSERT_TRUE(store->Put(key, "x").ok());
  const absl::Status refused = place.Open("ledger")->Check({}).status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("it holds 'part-0.parquet'"));
}

// A table of ours, after somebody changed its metadata.
class DeltaMetadataTest : public testing::Test {
 protected:
  DeltaMetadataTest() : committer_(place_.Open("ledger")) {
    EXPECT_TRUE(committer_->Commit(Numbered(place_, 1)).ok());
    change_.metadata = DeltaSnapshot::Load(*OpenLocalStore(place_.root()))->metadata();
  }

  void PutChange() { ASSERT_TRUE(PutVersion(*OpenLocalStore(place_.root()), 1, change_).ok()); }

  DeltaPlace place_;
  std::unique_ptr<TableCommitter> committer_;
  DeltaVersion change_;
};

TEST_F(DeltaMetadataTest, ATableThatAsksForWhatWeDoNotDoIsNotWrittenByAnyCall) {
  change_.metadata->configuration["delta.appendOnly"] = "true";
  PutChange();
  const Intent intent = Numbered(place_, 2);
  const absl::Status checked = committer_->Check(intent.replacements).status();
  EXPECT_EQ(checked.code(), absl::StatusCode::kUnimplemented) << checked;
  EXPECT_THAT(std::string(checked.message()), HasSubstr("has the property delta.appendOnly=true"));
  EXPECT_THAT(std::string(checked.message()), HasSubstr("table deals, folder " + place_.root()));
  EXPECT_EQ(committer_->Commit(intent).status(), checked);
  EXPECT_EQ(committer_->Abandon(intent), checked);
  EXPECT_EQ(place_.Open("ledger")->Inspect().status(), checked);
  EXPECT_FALSE(std::filesystem::exists(place_.root() + "/" + VersionKey(2)));
}

TEST_F(DeltaMetadataTest, OtherPartitionColumnsAreRefused) {
  change_.metadata->partition_columns = {};
  PutChange();
  const Intent intent = Numbered(place_, 2);
  const auto statuses = *committer_->Check(intent.replacements);
  EXPECT_EQ(statuses[0].code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(statuses[0].message()), HasSubstr("expected server_source"));
  EXPECT_EQ(committer_->Commit(intent).status(), statuses[0]);
}

TEST_F(DeltaMetadataTest, SomebodyElsesTableIsForeignWhateverItAsks) {
  change_.metadata->configuration = {{"delta.appendOnly", "true"}};
  PutChange();
  const absl::Status checked = committer_->Check({}).status();
  EXPECT_EQ(checked.code(), absl::StatusCode::kAlreadyExists) << checked;
  EXPECT_THAT(std::string(checked.message()), HasSubstr("that Headwater did not make"));
}

}  // namespace
}  // namespace headwater
