// The quarantine beside a Delta table: it and the table show one intent, whatever breaks between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "coordinator/commit/delta/delta_log.h"
#include "tests/contract/delta_place.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// Names of the live files in the quarantine.
std::vector<std::string> Quarantined(const DeltaPlace& place) {
  std::vector<std::string> names;
  const auto snapshot = DeltaSnapshot::Load(*OpenLocalStore(place.root() + "__quarantine"));
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  for (const auto& [path, add] : snapshot->files()) {
    const std::string name = path.substr(path.rfind('-') + 1);
    names.push_back(name.substr(0, name.find('.')));
  }
  return names;
}

// Like Numbered(), with one more row of the piece, that does not fit.
Intent WithBadRow(DeltaPlace& place, int64_t number, const Range& range) {
  Intent intent = Numbered(place, number);
  Replacement& replacement = intent.replacements.front();
  StagedPiece& piece = replacement.manifest.pieces.front();
  replacement.extent.range = piece.extent.range = range;
  const std::string name = absl::StrCat("b", number);
  StagedFile file = piece.files.front();
  file.path = absl::StrCat("server_source=p1/hw-", number, "-", name, ".parquet");
  file.size_bytes = static_cast<int64_t>(name.size());
  std::filesystem::create_directories(place.root() + "__quarantine/server_source=p1");
  std::ofstream(place.root() + "__quarantine/" + file.path) << name;
  piece.bad_files = {file};
  piece.bad_rows = 1;
  piece.fingerprint.rows = 2;
  intent.hash = IntentHash(intent);
  return intent;
}

Intent WithBadRow(DeltaPlace& place, int64_t number) {
  return WithBadRow(place, number, {number * 10, number * 10 + 10});
}

std::vector<PublishedPiece> Published(int64_t number) {
  return {{{"deals", "p1"}, {Range{number * 10, number * 10 + 10}, false}, number, 1, 1}};
}

class DeltaQuarantine : public ::testing::Test {
 protected:
  ~DeltaQuarantine() override { (void)ArmFailpoints(""); }

  DeltaPlace place_;
  std::unique_ptr<TableCommitter> committer_ = place_.Open("ledger");
};

TEST_F(DeltaQuarantine, ATableWithoutBadRowsHasNone) {
  ASSERT_TRUE(committer_->Commit(Numbered(place_, 1)).ok());
  EXPECT_FALSE(std::filesystem::exists(place_.root() + "__quarantine"));
}

TEST_F(DeltaQuarantine, BadRowsAreReplacedWithTheirPiece) {
  ASSERT_TRUE(committer_->Commit(WithBadRow(place_, 1)).ok());
  ASSERT_TRUE(committer_->Commit(WithBadRow(place_, 2)).ok());
  EXPECT_THAT(place_.Visible().at("p1"), UnorderedElementsAre("f1", "f2"));
  EXPECT_THAT(Quarantined(place_), UnorderedElementsAre("b1", "b2"));
  EXPECT_THAT(*committer_->FindLost(Published(2)), IsEmpty());
  Intent mended = Numbered(place_, 3);
  Replacement& replacement = mended.replacements.front();
  replacement.extent.range = replacement.manifest.pieces.front().extent.range = Range{10, 20};
  mended.hash = IntentHash(mended);
  EXPECT_TRUE((*committer_->Check(mended.replacements)).front().ok());
  ASSERT_TRUE(committer_->Commit(mended).ok());
  EXPECT_THAT(Quarantined(place_), ElementsAre("b2"));
}

TEST_F(DeltaQuarantine, APieceOfBadRowsOnlyMakesNoVersionOfTheTable) {
  Intent intent = WithBadRow(place_, 1);
  intent.replacements.front().manifest.pieces.front().files.clear();
  intent.hash = IntentHash(intent);
  const auto result = committer_->Commit(intent);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->version, -1);
  EXPECT_THAT(Quarantined(place_), ElementsAre("b1"));
  EXPECT_TRUE(committer_->Commit(intent).ok());
}

// A repair of histories, which reads nothing.
TEST_F(DeltaQuarantine, AKeyedWriteWithoutAnExtentLeavesAllBadRows) {
  const auto by_key = [](Intent& intent, std::vector<std::string> replaced) {
    Replacement& replacement = intent.replacements.front();
    KeyedChange& change = replacement.manifest.keyed.emplace();
    change.files = std::exchange(replacement.manifest.pieces.front().files, {});
    change.replaced = std::move(replaced);
    change.table_rows = 1;
    return change.files.front().path;
  };
  Intent loaded = WithBadRow(place_, 1);
  const std::string live = by_key(loaded, {});
  loaded.hash = IntentHash(loaded);
  ASSERT_TRUE(committer_->Commit(loaded).ok());
  Intent mended = Numbered(place_, 2);
  by_key(mended, {live});
  mended.replacements.front().extent = {};
  mended.replacements.front().manifest.pieces.clear();
  mended.hash = IntentHash(mended);
  EXPECT_TRUE((*committer_->Check(mended.replacements)).front().ok());
  ASSERT_TRUE(committer_->Commit(mended).ok());
  EXPECT_THAT(place_.Visible().at("p1"), ElementsAre("f2"));
  EXPECT_THAT(Quarantined(place_), ElementsAre("b1"));
}

TEST_F(DeltaQuarantine, ACrashBetweenTheTwoIsMadeGoodByTheSameIntent) {
  const Intent intent = WithBadRow(place_, 1);
  ASSERT_TRUE(ArmFailpoints("delta.after_quarantine=error:UNAVAILABLE").ok());
  EXPECT_EQ(committer_->Commit(intent).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(place_.Visible(), IsEmpty());
  auto again = place_.Open("ledger");
  ASSERT_TRUE(again->Commit(intent).ok());
  ASSERT_TRUE(again->Commit(intent).ok());
  EXPECT_THAT(Quarantined(place_), ElementsAre("b1"));
  EXPECT_THAT(place_.Visible().at("p1"), ElementsAre("f1"));
  EXPECT_FALSE(std::filesystem::exists(place_.root() + "__quarantine/" + VersionKey(1)));
}

TEST_F(DeltaQuarantine, ANewLedgerStateStartsAboveWhatOnlyTheQuarantineHasSeen) {
  ASSERT_TRUE(committer_->Commit(WithBadRow(place_, 1)).ok());
  ASSERT_TRUE(ArmFailpoints("delta.after_quarantine=error:UNAVAILABLE").ok());
  EXPECT_FALSE(committer_->Commit(WithBadRow(place_, 2)).ok());
  const auto contents = committer_->Inspect();
  ASSERT_TRUE(contents.ok());
  EXPECT_EQ(contents->last_sequence, 2);
  EXPECT_EQ(contents->max_fence, 2);
}

TEST_F(DeltaQuarantine, RowsOfAnAbandonedIntentGoWithTheNextReading) {
  ASSERT_TRUE(committer_->Commit(WithBadRow(place_, 1)).ok());
  const Intent abandoned = WithBadRow(place_, 2, {10, 40});  // Over the published piece and more.
  ASSERT_TRUE(ArmFailpoints("delta.after_quarantine=error:UNAVAILABLE").ok());
  EXPECT_FALSE(committer_->Commit(abandoned).ok());
  ASSERT_TRUE(committer_->Abandon(abandoned).ok());
  EXPECT_EQ(committer_->Commit(abandoned).status().code(), absl::StatusCode::kCancelled);
  // What had been published in its place is found lost, and a smaller reading replaces all of it.
  EXPECT_THAT(*committer_->FindLost(Published(1)), SizeIs(1));
  ASSERT_TRUE(committer_->Commit(WithBadRow(place_, 3)).ok());
  EXPECT_THAT(Quarantined(place_), ElementsAre("b3"));
  ASSERT_TRUE(committer_->Commit(WithBadRow(place_, 4, {10, 20})).ok());
  EXPECT_THAT(Quarantined(place_), UnorderedElementsAre("b3", "b4"));
}

TEST_F(DeltaQuarantine, WhatSomebodyRemovedIsLostAndNotUnchanged) {
  ASSERT_TRUE(committer_->Commit(WithBadRow(place_, 1)).ok());
  std::filesystem::remove_all(place_.root() + "__quarantine");
  const auto lost = committer_->FindLost(Published(1));
  ASSERT_TRUE(lost.ok()) << lost.status();
  EXPECT_THAT(*lost, SizeIs(1));
  Replacement same = WithBadRow(place_, 2, {10, 20}).replacements.front();
  StagedPiece& piece = same.manifest.pieces.front();
  piece.unchanged = true;
  piece.files.clear();
  piece.bad_files.clear();
  EXPECT_EQ((*committer_->Check({same})).front().code(), absl::StatusCode::kNotFound);
}

TEST_F(DeltaQuarantine, AStagedFileThatIsGoneFailsItsAttempt) {
  const Intent intent = WithBadRow(place_, 1);
  const StagedFile& file = intent.replacements[0].manifest.pieces[0].bad_files[0];
  std::filesystem::remove(place_.root() + "__quarantine/" + file.path);
  EXPECT_EQ((*committer_->Check(intent.replacements)).front().code(), absl::StatusCode::kNotFound);
}

TEST_F(DeltaQuarantine, AnotherLedgersIsRefused) {
  ASSERT_TRUE(committer_->Commit(WithBadRow(place_, 1)).ok());
  std::filesystem::remove_all(place_.root());
  auto other = place_.Open("another");
  EXPECT_EQ(other->Check(WithBadRow(place_, 2).replacements).status().code(),
            absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace headwater
