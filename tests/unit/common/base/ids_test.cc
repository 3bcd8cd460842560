#include "common/base/ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace headwater {
namespace {

TEST(Ids, AreHexAndDoNotRepeat) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(RandomId());
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_THAT(*ids.begin(), ::testing::MatchesRegex("[0-9a-f]{32}"));
}

TEST(Ids, ARunIdShowsItsDay) {
  EXPECT_THAT(RandomRunId(absl::FromCivil(absl::CivilDay(2026, 11, 21), absl::UTCTimeZone())),
              ::testing::MatchesRegex("r-20261121-[0-9a-f]{8}"));
}

}  // namespace
}  // namespace headwater
