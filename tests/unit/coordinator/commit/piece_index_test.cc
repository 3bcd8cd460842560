#include "coordinator/commit/delta/piece_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DeltaAdd File(const std::string& path, const std::string& server, const std::string& piece) {
  DeltaAdd add;
  add.path = path;
  add.partition_values = {{"server_source", server}};
  if (!piece.empty()) add.tags = {{"headwater.piece", piece}, {"headwater.fence", "7"}};
  return add;
}

DeltaVersion Removing(const std::string& path) {
  DeltaVersion version;
  version.removes.push_back({path, 0, true, {}, 0});
  return version;
}

DeltaVersion Adding(const DeltaAdd& add) {
  DeltaVersion version;
  version.adds.push_back(add);
  return version;
}

TEST(PieceIndex, FindsThePiecesThatShareAnInstant) {
  PieceIndex index;
  index.Apply(Adding(File("a", "p1", "range:0:10")));
  index.Apply(Adding(File("b", "p1", "range:10:20")));
  index.Apply(Adding(File("c", "p2", "range:0:10")));
  index.Apply(Adding(File("d", "p1", "outside")));
  EXPECT_THAT(index.Find("p1", {Range{0, 10}, false}).paths, ElementsAre("a"));
  EXPECT_THAT(index.Find("p1", {Range{0, 20}, true}).paths, ElementsAre("d", "a", "b"));
  EXPECT_THAT(index.Find("p1", {std::nullopt, true}).paths, ElementsAre("d"));
  EXPECT_THAT(index.Find("p3", {Range{0, 20}, true}).paths, IsEmpty());
  EXPECT_EQ(index.Find("p1", {Range{5, 20}, false}).straddling, (Extent{Range{0, 10}, false}));
  EXPECT_FALSE(index.Find("p1", {Range{0, 20}, false}).straddling.has_value());
}

TEST(PieceIndex, AFileThatIsAddedAgainHasItsNewTags) {
  PieceIndex index;
  index.Apply(Adding(File("a", "p1", "range:0:10")));
  index.Apply(Adding(File("a", "p1", "")));
  EXPECT_EQ(index.Untagged("p1"), "a");
  EXPECT_THAT(index.Find("p1", {Range{0, 10}, false}).paths, IsEmpty());
  index.Apply(Adding(File("a", "p1", "range:20:30")));
  EXPECT_EQ(index.Untagged("p1"), std::nullopt);
  EXPECT_THAT(index.Find("p1", {Range{20, 30}, false}).paths, ElementsAre("a"));
}

TEST(PieceIndex, RemovingWhatIsNotThereChangesNothing) {
  PieceIndex index;
  index.Apply(Adding(File("a", "p1", "range:0:10")));
  index.Apply(Removing("b"));
  EXPECT_THAT(index.Find("p1", {Range{0, 10}, false}).paths, ElementsAre("a"));
  index.Apply(Removing("a"));
  index.Apply(Removing("a"));
  EXPECT_THAT(index.Find("p1", {Range{0, 10}, false}).paths, IsEmpty());
}

TEST(PieceIndex, VersionByVersionIsTheSameAsFromTheSnapshot) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  DeltaSnapshot snapshot;
  PieceIndex stepwise;
  for (int64_t at = 0; at < 300; ++at) {
    DeltaVersion version;
    for (unsigned i = random() % 4; i > 0; --i) {
      const std::string path = absl::StrCat("f", random() % 40);
      const bool named = std::any_of(version.removes.begin(), version.removes.end(),
                                     [&](const DeltaRemove& other) { return other.path == path; });
      if (!named) version.removes.push_back({path, 0, true, {}, 0});
    }
    for (unsigned i = random() % 4; i > 0; --i) {
      const int64_t from = static_cast<int64_t>(random() % 10) * 10;
      const std::string pieces[] = {"", "outside", absl::StrCat("range:", from, ":", from + 10)};
      version.adds.push_back(File(absl::StrCat("f", random() % 40), absl::StrCat("p", random() % 3),
                                  pieces[random() % 3]));
    }
    snapshot.Apply(at, version);
    stepwise.Apply(version);
    PieceIndex whole;
    whole.Reset(snapshot);
    for (const char* server : {"p0", "p1", "p2"}) {
      ASSERT_EQ(stepwise.Untagged(server), whole.Untagged(server));
      const Extent extent{Range{static_cast<int64_t>(random() % 50), 50}, random() % 2 == 0};
      ASSERT_EQ(stepwise.Find(server, extent).paths, whole.Find(server, extent).paths);
      ASSERT_EQ(stepwise.Find(server, extent).straddling, whole.Find(server, extent).straddling);
    }
  }
}

}  // namespace
}  // namespace headwater
