// A table that shows less than its ledger has published.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "coordinator/commit/delta/delta_log.h"
#include "tests/contract/delta_place.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr PublishedTable kTwo = {.version = 1, .sequence = 2};

// Numbered(1) and Numbered(2) are published.
void PublishTwo(DeltaPlace& place, TableCommitter& committer) {
  for (int64_t number : {1, 2}) {
    const auto result = committer.Commit(Numbered(place, number));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->version, number - 1);
  }
}

void ExpectBehind(const absl::Status& status, const std::string& found) {
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("the table is behind its ledger"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("Expected version 1 or a later one"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("found: " + found));
}

void ExpectRefused(DeltaPlace& place, TableCommitter& committer, const std::string& found) {
  committer.Expect(kTwo);
  ExpectBehind(committer.Check({}).status(), found);
  ExpectBehind(committer.FindLost({}).status(), found);
  const Intent next = Numbered(place, 3);
  ExpectBehind(committer.Commit(next).status(), found);
  ExpectBehind(committer.Abandon(next), found);
}

TEST(DeltaBehind, ATableThatIsGoneIsRefusedAndNotMadeAgain) {
  for (const bool restart : {false, true}) {
    SCOPED_TRACE(restart);
    DeltaPlace place;
    auto committer = place.Open("ledger");
    PublishTwo(place, *committer);
    std::filesystem::remove_all(place.root());
    if (restart) committer = place.Open("ledger");
    ExpectRefused(place, *committer, "no table");
    EXPECT_FALSE(std::filesystem::exists(place.root() + "/_delta_log"));
  }
}

TEST(DeltaBehind, AnOlderCopyIsRefusedAndTheNewerOneIsTakenAgain) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  PublishTwo(place, *committer);
  const std::string away = place.root() + "-away";
  std::filesystem::copy(place.root(), away, std::filesystem::copy_options::recursive);
  ASSERT_TRUE(OpenLocalStore(place.root())->Delete(VersionKey(1)).ok());
  ExpectRefused(place, *committer, "version 0, transaction 1");
  std::filesystem::remove_all(place.root());
  std::filesystem::rename(away, place.root());
  EXPECT_TRUE(committer->Check({}).ok());
  EXPECT_TRUE(committer->Commit(Numbered(place, 3)).ok());
}

TEST(DeltaBehind, AsManyVersionsOfOthersDoNotMakeUpForOurs) {
  DeltaPlace place;
  PublishTwo(place, *place.Open("ledger"));
  auto store = OpenLocalStore(place.root());
  ASSERT_TRUE(store->Delete(VersionKey(1)).ok());
  DeltaVersion foreign;
  foreign.txns.push_back({"somebody", 1});
  ASSERT_TRUE(PutVersion(*store, 1, foreign).ok());
  ExpectRefused(place, *place.Open("ledger"), "version 1, transaction 1");
}

TEST(DeltaBehind, AFolderThatIsMovedAwayIsForgotten) {
  DeltaPlace place;
  ASSERT_TRUE(place.Open("stranger")->Commit(Numbered(place, 1)).ok());
  auto committer = place.Open("ledger");
  EXPECT_EQ(committer->Check({}).status().code(), absl::StatusCode::kAlreadyExists);
  std::filesystem::rename(place.root(), place.root() + "-away");
  EXPECT_TRUE(committer->Check({}).ok());
  PublishTwo(place, *committer);
}

// The pieces of PublishTwo() as the ledger has them.
std::vector<PublishedPiece> Two() {
  return {{{"deals", "p1"}, {Range{10, 20}, false}, 1, 1},
          {{"deals", "p1"}, {Range{20, 30}, false}, 2, 1}};
}

TEST(DeltaBehind, PiecesWhoseFilesAnotherWriterHasRemovedAreFound) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  PublishTwo(place, *committer);
  committer->Expect(kTwo);
  EXPECT_THAT(*committer->FindLost(Two()), IsEmpty());
  DeltaVersion foreign;
  const auto snapshot = DeltaSnapshot::Load(*OpenLocalStore(place.root()));
  foreign.removes.push_back({snapshot->files().begin()->first, 1, true, {}, 1});
  ASSERT_TRUE(PutVersion(*OpenLocalStore(place.root()), 2, foreign).ok());
  const auto lost = committer->FindLost(Two());
  ASSERT_TRUE(lost.ok()) << lost.status();
  ASSERT_THAT(*lost, SizeIs(1));
  EXPECT_EQ(lost->front().extent, (Extent{Range{10, 20}, false}));
  // A read that found it unchanged is not published: its rows would be nowhere.
  Replacement again = Numbered(place, 3).replacements.front();
  again.extent.range = Range{10, 20};
  again.manifest.pieces.front() = {{Range{10, 20}, false}, {1, {}}, std::nullopt, true, {}};
  EXPECT_EQ((*committer->Check({again})).front().code(), absl::StatusCode::kNotFound);
}

TEST(DeltaBehind, PiecesOfFewerRowsOrAnotherAttemptAreFound) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  PublishTwo(place, *committer);
  std::vector<PublishedPiece> pieces = Two();
  pieces[0].rows = 2;
  pieces[1].fence = 7;
  EXPECT_THAT(*committer->FindLost(pieces), SizeIs(2));
  pieces[0].rows = 0;  // Without rows there are no files.
  EXPECT_THAT(*committer->FindLost(pieces), SizeIs(1));
}

}  // namespace
}  // namespace headwater
