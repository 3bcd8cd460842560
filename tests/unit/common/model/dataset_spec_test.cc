#include "common/model/dataset_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headwater {
namespace {

DatasetSpec Flights() {
  DatasetSpec spec;
  spec.id = {.table = "flights", .server = "jfk"};
  spec.server.name = "jfk";
  spec.server.url = "odbc:x";
  spec.relation = "flights";
  spec.target_uri = "/lake/flights";
  return spec;
}

TEST(DatasetSpec, IsNamedServerFirst) { EXPECT_EQ(ToString(Flights().id), "jfk/flights"); }

TEST(DatasetSpec, EqualSpecsHaveEqualDigests) {
  EXPECT_EQ(DigestOf(Flights()), DigestOf(Flights()));
  EXPECT_THAT(DigestOf(Flights()), ::testing::MatchesRegex("[0-9a-f]{32}"));
}

TEST(DatasetSpec, AnyDifferenceChangesTheDigest) {
  DatasetSpec other = Flights();
  other.lookback_units = 1;
  EXPECT_NE(DigestOf(other), DigestOf(Flights()));
  other = Flights();
  other.server.clock_sql = "SELECT 1";
  EXPECT_NE(DigestOf(other), DigestOf(Flights()));
  other = Flights();
  other.id.server = "lga";
  EXPECT_NE(DigestOf(other), DigestOf(Flights()));
}

TEST(DatasetSpec, ThePartitionColumnIsNamedByItsUnit) {
  EXPECT_EQ(PartitionColumn({.kind = Unit::Kind::kNone}), "");
  EXPECT_EQ(PartitionColumn({.kind = Unit::Kind::kHour}), "cursor_hour");
  EXPECT_EQ(PartitionColumn({.kind = Unit::Kind::kDay}), "cursor_day");
  EXPECT_EQ(PartitionColumn({.kind = Unit::Kind::kMonth}), "cursor_month");
  EXPECT_EQ(PartitionColumn({.kind = Unit::Kind::kYear}), "cursor_year");
}

TEST(DatasetSpec, StrategiesAreSpelledAsInTheConfiguration) {
  EXPECT_EQ(StrategyToString(Strategy::kFull), "full");
  EXPECT_EQ(StrategyToString(Strategy::kIncremental), "incremental");
  EXPECT_EQ(StrategyToString(Strategy::kPartition), "partition");
}

}  // namespace
}  // namespace headwater
