// Rows of a range by the steps of a server's statistics.
#include "common/data/value_spread.h"

#include <gtest/gtest.h>

#include <limits>

namespace headwater {
namespace {

constexpr Range kAll{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};

TEST(ValueSpreadTest, RowsBetweenStepsAreSpreadEvenly) {
  const ValueSpread spread({{0, 0, 0}, {100, 50, 0}, {200, 10, 0}});
  EXPECT_DOUBLE_EQ(spread.RowsIn({0, 100}), 50);
  EXPECT_DOUBLE_EQ(spread.RowsIn({50, 100}), 25);
  EXPECT_DOUBLE_EQ(spread.RowsIn({90, 150}), 10);
  EXPECT_DOUBLE_EQ(spread.RowsIn({200, 900}), 0);
  EXPECT_DOUBLE_EQ(spread.RowsIn({-900, 0}), 0);
  EXPECT_DOUBLE_EQ(spread.RowsIn(kAll), 60);
}

TEST(ValueSpreadTest, RowsOfOneValueAreInTheRangeThatHasIt) {
  const ValueSpread spread({{100, 50, 7}, {0, 3, 2}, {100, 0, 1}});  // Out of order, as tiles are.
  EXPECT_DOUBLE_EQ(spread.RowsIn({100, 101}), 8);
  EXPECT_DOUBLE_EQ(spread.RowsIn({0, 100}), 55);
  EXPECT_DOUBLE_EQ(spread.RowsIn({0, 1}), 5.5);
  EXPECT_DOUBLE_EQ(spread.RowsIn(kAll), 63);
}

TEST(ValueSpreadTest, WithoutStepsNothingIsKnown) {
  EXPECT_TRUE(ValueSpread({}).empty());
  EXPECT_DOUBLE_EQ(ValueSpread({}).RowsIn(kAll), 0);
}

TEST(ValueSpreadTest, ValuesMayBeAsFarApartAsNumbersGo) {
  const ValueSpread spread({{kAll.from, 0, 1}, {kAll.to - 1, 100, 1}});
  EXPECT_NEAR(spread.RowsIn({0, kAll.to - 1}), 50, 1e-6);
}

}  // namespace
}  // namespace headwater
