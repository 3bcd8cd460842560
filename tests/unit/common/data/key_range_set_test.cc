#include "common/data/key_range_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;

const Schema kSchema{{{"k", {TypeKind::kLong}}}};
const char* const kRows = "[[null], [0], [4], [5], [9], [10], [14], [15], [99]]";

KeyValue Number(int64_t number) { return __int128{number}; }

std::vector<int> PartsOf(const KeyRangeSet& set,
                         const std::vector<std::vector<KeyValue>>& inner = {}) {
  auto index = KeyRangeIndex::Create(kSchema, set, inner);
  EXPECT_TRUE(index.ok()) << index.status();
  std::vector<int> parts;
  const absl::Status taken = index->Take(*BatchOf(kSchema, kRows), parts);
  EXPECT_TRUE(taken.ok()) << taken;
  for (const int part : parts) EXPECT_LT(part, index->count());
  return parts;
}

TEST(KeyRangeIndex, RowsOutsideOfAllRangesAreInNone) {
  EXPECT_THAT(PartsOf({"k", {{Number(5), Number(10)}, {Number(15), std::nullopt}}}),
              ElementsAre(-1, -1, -1, 0, 0, -1, -1, 1, 1));
  EXPECT_THAT(PartsOf({"k", {}}), ElementsAre(-1, -1, -1, -1, -1, -1, -1, -1, -1));
}

TEST(KeyRangeIndex, ARangeWithoutABeginHasRowsWithoutAKey) {
  EXPECT_THAT(PartsOf({"k", {{std::nullopt, Number(5)}}}),
              ElementsAre(0, 0, 0, -1, -1, -1, -1, -1, -1));
}

TEST(KeyRangeIndex, RangesThatTouchStayTwo) {
  EXPECT_THAT(PartsOf({"k", {{std::nullopt, Number(5)}, {Number(5), Number(10)}}}),
              ElementsAre(0, 0, 0, 1, 1, -1, -1, -1, -1));
}

TEST(KeyRangeIndex, BordersInsideOfARangeDivideIt) {
  EXPECT_THAT(PartsOf({"k", {{Number(0), Number(10)}, {Number(14), std::nullopt}}},
                      {{Number(4), Number(5)}, {Number(15)}}),
              ElementsAre(-1, 0, 1, 2, 2, -1, 3, 4, 4));
}

TEST(KeyRangeIndex, WithoutAColumnAllRowsAreInOnePart) {
  EXPECT_THAT(PartsOf({}), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0));
}

TEST(KeyRangeIndex, RefusesAColumnThatIsNotThere) {
  EXPECT_FALSE(KeyRangeIndex::Create(kSchema, {"other", {{Number(1), Number(2)}}}).ok());
}

}  // namespace
}  // namespace headwater
