#include "coordinator/commit/delta/delta_committer.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_log.h"
#include "coordinator/commit/delta/delta_snapshot.h"
#include "gmock/gmock.h"
#include "tests/contract/committer_contract.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

using testing::HasSubstr;

class DeltaPlace : public CommitterPlace {
 public:
  explicit DeltaPlace(int64_t checkpoint_every = 50)
      : factory_(DeltaCommitterOptions{checkpoint_every, &Clock::Real()}) {}

  std::string root() const { return folder_.path() + "/lake/deals"; }
  std::unique_ptr<TableCommitter> Open(const std::string& ledger) override {
    return *factory_.Open({"deals", root(), ledger});
  }
  std::vector<StagedFile> Stage(const std::string& server, int64_t fence,
                                const std::string& name) override {
    StagedFile file;
    file.path = absl::StrCat("server_source=", server, "/hw-", fence, "-", name, ".parquet");
    std::filesystem::create_directories(root() + "/server_source=" + server);
    std::ofstream(root() + "/" + file.path) << name;
    file.size_bytes = static_cast<int64_t>(name.size());
    file.rows = 1;
    file.partition_values = {{"server_source", server}};
    file.stats_json = R"({"numRecords":1})";
    return {file};
  }
  std::map<std::string, std::vector<std::string>> Visible() override {
    std::map<std::string, std::vector<std::string>> visible;
    const auto snapshot = DeltaSnapshot::Load(*OpenLocalStore(root()));
    if (!snapshot.ok()) return {{"error", {std::string(snapshot.status().message())}}};
    for (const auto& [path, add] : snapshot->files()) {
      std::string name = path.substr(path.rfind('-') + 1);
      visible[add.partition_values.at("server_source").value()].push_back(
          name.substr(0, name.find('.')));
    }
    return visible;
  }

 private:
  TempFolder folder_;
  DeltaCommitterFactory factory_;
};

INSTANTIATE_TEST_SUITE_P(Delta, CommitterContract,
                         testing::Values(CommitterKind{
                             "Delta",
                             [] { return std::make_unique<DeltaPlace>(); },
                             {"delta.before_put", "store.before_link", "store.after_link",
                              "delta.after_put"}}),
                         [](const auto& info) { return info.param.name; });

Intent Numbered(DeltaPlace& place, int64_t number) {
  const Range range{number * 10, number * 10 + 10};
  Replacement replacement;
  replacement.dataset = {"deals", "p1"};
  replacement.fence = number;
  replacement.extent.range = range;
  replacement.manifest.schema.columns = {{"id", {TypeKind::kLong}, true},
                                         {"at", {TypeKind::kTimestampNtz}, true}};
  replacement.manifest.pieces.push_back({{range, false},
                                         {1, {}},
                                         std::nullopt,
                                         false,
                                         place.Stage("p1", number, absl::StrCat("f", number))});
  Intent intent{"deals", number, "", {replacement}};
  intent.hash = IntentHash(intent);
  return intent;
}

TEST(DeltaCommitter, ACommitThatARetryFindsIsMadeDurableFirst) {
  for (const bool abandon : {false, true}) {
    DeltaPlace place;
    const Intent intent = Numbered(place, 1);
    const auto act = [&](TableCommitter& committer) {
      return abandon ? committer.Abandon(intent) : committer.Commit(intent).status();
    };
    // As after a crash between the link of the version and the sync of its folder.
    ASSERT_TRUE(ArmFailpoints("store.after_link=error:UNKNOWN").ok());
    EXPECT_EQ(act(*place.Open("ledger")).code(), absl::StatusCode::kUnknown);
    auto committer = place.Open("ledger");
    ASSERT_TRUE(ArmFailpoints("store.before_folder_sync=error:UNAVAILABLE").ok());
    EXPECT_EQ(act(*committer).code(), absl::StatusCode::kUnavailable);
    ASSERT_TRUE(ArmFailpoints("").ok());
    EXPECT_TRUE(act(*committer).ok());
    EXPECT_EQ(committer->Inspect()->version, 0);
  }
}

TEST(DeltaCommitter, ALostOrDamagedCheckpointFallsBackToTheLog) {
  DeltaPlace place(/*checkpoint_every=*/4);
  auto committer = place.Open("ledger");
  for (int64_t i = 1; i <= 10; ++i) ASSERT_TRUE(committer->Commit(Numbered(place, i)).ok());
  const auto expected = place.Visible();
  ASSERT_EQ(expected.at("p1").size(), 10u);
  const std::string log = place.root() + "/_delta_log/";
  ASSERT_TRUE(std::filesystem::exists(place.root() + "/" + CheckpointKey(8)));
  std::ofstream(place.root() + "/" + CheckpointKey(8)) << "not parquet";
  EXPECT_EQ(place.Visible(), expected);
  std::ofstream(log + "_last_checkpoint") << "{broken";
  EXPECT_EQ(place.Visible(), expected);
  // And with the entries below the good checkpoint gone, as after a clean-up:
  for (int64_t i = 0; i < 4; ++i) std::filesystem::remove(place.root() + "/" + VersionKey(i));
  EXPECT_EQ(place.Visible(), expected);
  EXPECT_TRUE(place.Open("ledger")->Commit(Numbered(place, 11)).ok());
}

TEST(DeltaCommitter, NothingIsWrittenIntoAGapOfTheLog) {
  DeltaPlace place(/*checkpoint_every=*/4);
  auto committer = place.Open("ledger");
  for (int64_t i = 1; i <= 12; ++i) ASSERT_TRUE(committer->Commit(Numbered(place, i)).ok());
  // A clean-up removed the entries that checkpoint 8 stands for; then the checkpoint was damaged.
  for (int64_t i = 0; i < 8; ++i) std::filesystem::remove(place.root() + "/" + VersionKey(i));
  std::ofstream(place.root() + "/" + CheckpointKey(8)) << "not parquet";
  const auto result = place.Open("ledger")->Commit(Numbered(place, 13));
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDataLoss) << result.status();
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("version 5 is missing"));
  EXPECT_FALSE(std::filesystem::exists(place.root() + "/" + VersionKey(5)));
}

TEST(DeltaCommitter, WhatAClaimCoversGoesAlsoWhereNoPieceWasStaged) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  for (int64_t i = 1; i <= 3; ++i) ASSERT_TRUE(committer->Commit(Numbered(place, i)).ok());
  Intent wide = Numbered(place, 4);
  Replacement& replacement = wide.replacements.front();
  replacement.extent.range = Range{10, 50};
  StagedPiece unchanged;
  unchanged.extent.range = Range{20, 30};
  unchanged.unchanged = true;
  replacement.manifest.pieces.push_back(unchanged);
  wide.hash = IntentHash(wide);
  ASSERT_TRUE(committer->Commit(wide).ok());
  EXPECT_THAT(place.Visible().at("p1"), testing::UnorderedElementsAre("f2", "f4"));
}

TEST(DeltaCommitter, AFolderOfForeignFilesIsRefused) {
  DeltaPlace place;
  std::filesystem::create_directories(place.root());
  std::ofstream(place.root() + "/report.xlsx") << "mine";
  const auto contents = place.Open("ledger")->Inspect();
  EXPECT_EQ(contents.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(contents.status().message()), HasSubstr("report.xlsx"));
}

TEST(DeltaCommitter, ATableWithAnUnknownWriterFeatureIsNotWritten) {
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

TEST(DeltaCommitter, AForeignFileOfAServerStopsThatServerOnly) {
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

TEST(DeltaCommitter, AFileThatSomebodyAddedAgainWithoutOurTagsStopsItsServer) {
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

TEST(DeltaCommitter, AnotherWritersVersionIsBuiltUpon) {
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

TEST(DeltaPaths, EveryByteSurvivesTheLog) {
  std::string path = "server_source=a%20b/";
  for (int c = 1; c < 256; ++c) path.push_back(static_cast<char>(c));
  EXPECT_EQ(DecodePath(EncodePath(path)), path);
  EXPECT_EQ(EncodePath("a%20b c"), "a%2520b%20c");
}

TEST(DeltaActions, JsonLinesSurviveARoundTripAndUnknownActionsAreSkipped) {
  DeltaVersion version;
  version.commit_info = DeltaCommitInfo{5, "WRITE", "headwater/x/deals", 7, "abc", true};
  version.protocol = DeltaProtocol{3, 7, {"timestampNtz"}, {"timestampNtz"}};
  version.metadata = DeltaMetadata{
      "id", "{\"type\":\"struct\",\"fields\":[]}", {"server_source"}, {{"k", "v\"\n"}}, 9};
  version.txns.push_back({"app", 7});
  version.removes.push_back({"r", 4, true, {{"server_source", std::nullopt}}, 8});
  version.adds.push_back({"a%25",
                          {{"server_source", "é\"'"}},
                          1'234'567'890'123,
                          6,
                          true,
                          "{\"numRecords\":1}",
                          {{"t", "u"}}});
  const std::string lines = ToJsonLines(version);
  const auto parsed = ParseJsonLines(lines + "{\"cdc\":{\"path\":\"x\"}}\n\n");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(ToJsonLines(*parsed), lines);
  EXPECT_EQ(ParseJsonLines("{\"add\":{}}").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ParseJsonLines("{\"add\":").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace headwater
