#include "coordinator/commit/delta/delta_committer.h"

#include <filesystem>
#include <fstream>

#include "common/base/failpoint.h"
#include "coordinator/commit/delta/delta_log.h"
#include "gmock/gmock.h"
#include "tests/contract/committer_contract.h"
#include "tests/contract/delta_place.h"

namespace headwater {
namespace {

using testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(
    Delta, CommitterContract,
    testing::Values(CommitterKind{
        "Delta",
        [] { return std::make_unique<DeltaPlace>(/*checkpoint_every=*/1); },
        {"delta.before_put=1", "store.before_link=1", "store.after_link=1", "delta.after_put=1"},
        // The second rename is that of _last_checkpoint.
        {"delta.before_checkpoint=1", "store.before_rename=1", "store.after_rename=1",
         "delta.during_checkpoint=1", "store.before_rename=2", "store.after_rename=2",
         "delta.after_checkpoint=1"}}),
    [](const auto& info) { return info.param.name; });

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
