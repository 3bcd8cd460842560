#include "worker/source/value_text.h"

#include <limits>

#include "gtest/gtest.h"

namespace headwater {
namespace {

TEST(ValueText, IntegersAreTakenWholeOrNotAtAll) {
  EXPECT_EQ(ParseInteger("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  for (const char* bad : {"", " 1", "1 ", "+1", "1.0", "9223372036854775808", "abc", "0x1"}) {
    EXPECT_EQ(ParseInteger(bad), std::nullopt) << bad;
  }
}

TEST(ValueText, DecimalsAreExact) {
  EXPECT_TRUE(ParseDecimal("12.34", 4, 2) == __int128{1234});
  EXPECT_TRUE(ParseDecimal("-0.5000", 4, 2) == __int128{-50});
  EXPECT_TRUE(ParseDecimal("1.5e3", 6, 2) == __int128{150'000});
  EXPECT_TRUE(ParseDecimal("1500e-2", 4, 2) == __int128{1500});
  EXPECT_TRUE(ParseDecimal("0.000000", 1, 0) == __int128{0});
  EXPECT_TRUE(ParseDecimal("0.007", 3, 3) == __int128{7});
  EXPECT_TRUE(ParseDecimal("100200.00", 6, 0) == __int128{100'200});
  EXPECT_TRUE(ParseDecimal("99999999999999999999999999999999999999", 38, 0).has_value());
  for (const char* bad : {"", ".", "1.005", "123.45", "1e", "1.2.3", "abc", "NaN", "1e99"}) {
    EXPECT_FALSE(ParseDecimal(bad, 4, 2).has_value()) << bad;
  }
  EXPECT_FALSE(ParseDecimal("999999999999999999999999999999999999999", 38, 0).has_value());
}

TEST(ValueText, DoublesKeepEveryBit) {
  EXPECT_EQ(ParseDouble("0.1"), 0.1);
  EXPECT_EQ(ParseDouble("-1.0e+20"), -1e20);
  EXPECT_EQ(ParseDouble("-Inf"), -std::numeric_limits<double>::infinity());
  for (const char* bad : {"", "abc", "1x", "infinit", "0x1p3", "--1", "nan(1)"}) {
    EXPECT_EQ(ParseDouble(bad), std::nullopt) << bad;
  }
}

TEST(ValueText, DatesFollowTheCalendar) {
  EXPECT_EQ(ParseDate("1970-01-01"), 0);
  EXPECT_EQ(ParseDate("2012-02-29"), 15'399);
  EXPECT_EQ(ParseDate("0001-01-01"), -719'162);
  EXPECT_EQ(ParseDate("9999-12-31"), 2'932'896);
  for (const char* bad :
       {"2013-02-29", "2013-13-01", "2013-00-01", "2013-1-1", "0000-01-01", "x"}) {
    EXPECT_EQ(ParseDate(bad), std::nullopt) << bad;
  }
}

TEST(ValueText, WallClocksHaveUpToSixDigitsOfFraction) {
  EXPECT_EQ(ParseWallClock("1970-01-01 00:00:01.5"), 1'500'000);
  EXPECT_EQ(ParseWallClock("1970-01-01T00:00:00.000001000"), 1);
  EXPECT_EQ(ParseWallClock("1969-12-31 23:59:59.999999"), -1);
  for (const char* bad :
       {"1970-01-01", "1970-01-01 00:00", "1970-01-01 24:00:00", "1970-01-01 00:00:00.",
        "1970-01-01 00:00:00.0000001", "1970-01-01 00:00:00Z"}) {
    EXPECT_EQ(ParseWallClock(bad), std::nullopt) << bad;
  }
}

TEST(ValueText, InstantsCountTheirOffset) {
  EXPECT_EQ(ParseInstant("1970-01-01 02:00:00+02", false), 0);
  EXPECT_EQ(ParseInstant("1970-01-01 00:00:00-03:30", false), 12'600'000'000);
  EXPECT_EQ(ParseInstant("1970-01-01T00:00:00Z", false), 0);
  EXPECT_EQ(ParseInstant("1970-01-01 00:00:00", true), 0);
  EXPECT_EQ(ParseInstant("1970-01-01 00:00:00", false), std::nullopt);
}

TEST(ValueText, OnlyValidUtf8Passes) {
  for (const char* good : {"", "plain ascii text", "blåbær", "日本語", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsValidUtf8(good)) << good;
  }
  for (const char* bad :
       {"\xff", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "12345678\xE5", "\xE2\x82"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

}  // namespace
}  // namespace headwater
