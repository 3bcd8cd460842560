// Which files of a keyed table need not be opened; how they are read is in keyed_staging_test.cc.
#include "worker/change/base_scan.h"

#include <gtest/gtest.h>

#include <limits>

namespace headwater {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

bool MayHold(const std::string& stats, const KeyBounds& bounds) {
  StagedFile file;
  file.stats_json = stats;
  return MayHoldKeys(file, "k", bounds);
}
KeyBounds Numbers(int64_t from, int64_t to) { return {{{from, to}}, {}}; }
KeyBounds Texts(const std::string& from, const std::string& to) { return {{}, {{from, to}}}; }

TEST(MayHoldKeys, ComparesNumbersWithBoundsIncluded) {
  const std::string stats = R"({"minValues":{"k":-5},"maxValues":{"k":7}})";
  EXPECT_TRUE(MayHold(stats, Numbers(-9, -5)));
  EXPECT_TRUE(MayHold(stats, Numbers(7, 9)));
  EXPECT_TRUE(MayHold(stats, Numbers(0, 0)));
  EXPECT_TRUE(MayHold(stats, Numbers(kLeast, kLargest)));
  EXPECT_FALSE(MayHold(stats, Numbers(-9, -6)));
  EXPECT_FALSE(MayHold(stats, Numbers(8, 9)));
  const std::string far = R"({"minValues":{"k":-9223372036854775808},"maxValues":{"k":-2}})";
  EXPECT_TRUE(MayHold(far, Numbers(kLeast, kLeast)));
  EXPECT_FALSE(MayHold(far, Numbers(-1, kLargest)));
}

TEST(MayHoldKeys, ComparesTextsByTheirBytes) {
  const std::string stats = R"({"minValues":{"k":"Zebra"},"maxValues":{"k":"ähre"}})";
  EXPECT_TRUE(MayHold(stats, Texts("a", "b")));
  EXPECT_TRUE(MayHold(stats, Texts("ähre", "ä")));
  EXPECT_FALSE(MayHold(stats, Texts("A", "Z")));
  EXPECT_FALSE(MayHold(stats, Texts("ö", "ü")));
  // A lower bound that was cut is smaller than what it was cut from: it only lets more in.
  EXPECT_TRUE(MayHold(R"({"minValues":{"k":"ab"},"maxValues":{"k":"abd"}})", Texts("abc", "abc")));
  EXPECT_FALSE(MayHold(R"({"minValues":{"k":"b\u0000"},"maxValues":{"k":"c"}})", Texts("b", "b")));
}

TEST(MayHoldKeys, LetsInWhatStatisticsDoNotTell) {
  for (const char* stats :
       {"", "[]", "{", "{}", R"({"minValues":{"k":9}})", R"({"maxValues":{"k":1}})",
        R"({"minValues":{"other":9},"maxValues":{"other":9}})", R"({"minValues":9,"maxValues":9})",
        R"({"minValues":{"k":"9"},"maxValues":{"k":"9"}})",
        R"({"minValues":{"k":9.5},"maxValues":{"k":9.5}})",
        R"({"minValues":{"k":null},"maxValues":{"k":null}})"}) {
    EXPECT_TRUE(MayHold(stats, Numbers(1, 1))) << stats;
  }
  EXPECT_TRUE(MayHold(R"({"minValues":{"k":9},"maxValues":{"k":9}})", Texts("a", "a")));
  EXPECT_TRUE(MayHold(R"({"minValues":{"k":9},"maxValues":{"k":9}})", {}));  // A date, a decimal.
}

}  // namespace
}  // namespace headwater
