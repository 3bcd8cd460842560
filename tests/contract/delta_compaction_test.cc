// How the log of a Delta table says that files were compacted.
#include <utility>

#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_log.h"
#include "gmock/gmock.h"
#include "tests/contract/delta_place.h"

namespace headwater {
namespace {

using testing::IsEmpty;

PublishedPiece Published(int64_t number) {
  return {{"deals", "p1"}, {Range{number * 10, number * 10 + 10}, false}, number, 1, 0};
}

// The pieces of Numbered(1) and Numbered(2) as one.
Replacement Compaction(DeltaPlace& place, int64_t fence) {
  Replacement replacement = Numbered(place, fence).replacements.front();
  const Range range{10, 30};
  replacement.extent.range = range;
  StagedPiece& piece = replacement.manifest.pieces.front();
  piece.extent.range = range;
  piece.fingerprint = {2, {}};
  piece.files.front().rows = 2;
  piece.files.front().stats_json = R"({"numRecords":2})";
  replacement.compacted = {Published(1), Published(2)};
  return replacement;
}

TEST(DeltaCompaction, NoActionOfItSaysThatDataHasChanged) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  for (const int64_t number : {1, 2}) {
    ASSERT_TRUE(committer->Commit(Numbered(place, number)).ok());
  }
  Intent intent = Numbered(place, 4);
  const std::string new_file = intent.replacements[0].manifest.pieces[0].files[0].path;
  intent.replacements.push_back(Compaction(place, 3));
  intent.hash = IntentHash(intent);
  ASSERT_TRUE(committer->Commit(intent).ok());
  const auto version = ReadVersion(*OpenLocalStore(place.root()), 2);
  ASSERT_TRUE(version.ok()) << version.status();
  ASSERT_EQ(version->removes.size(), 2u);
  for (const DeltaRemove& remove : version->removes) EXPECT_FALSE(remove.data_change);
  ASSERT_EQ(version->adds.size(), 2u);
  for (const DeltaAdd& add : version->adds) {
    EXPECT_EQ(add.data_change, DecodePath(add.path) == new_file) << add.path;
    if (add.data_change) continue;
    EXPECT_EQ(add.tags.at("headwater.piece"), "range:10:30");
    EXPECT_EQ(add.tags.at("headwater.fence"), "3");
    EXPECT_EQ(add.tags.at("headwater.rows"), "2");
  }
}

TEST(DeltaCompaction, AFileOfUnknownSizeIsNotListed) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  Intent intent = Numbered(place, 1);
  intent.replacements[0].manifest.pieces[0].files[0].stats_json.clear();  // As others may write it.
  intent.hash = IntentHash(intent);
  ASSERT_TRUE(committer->Commit(intent).ok());
  EXPECT_THAT((*committer->Files({Published(1)}))[0], IsEmpty());
}

}  // namespace
}  // namespace headwater
