#include "worker/source/value_text.h"

#include <algorithm>
#include <limits>
#include <random>
#include <string>

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

std::string Digits(unsigned __int128 value) {
  std::string digits;
  for (; value != 0 || digits.empty(); value /= 10) {
    digits.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
  }
  std::reverse(digits.begin(), digits.end());
  return digits;
}

// Any number of any column, with more or fewer zeros than it needs.
TEST(ValueText, DecimalsOfEveryWidthComeBack) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 100'000; ++round) {
    const int precision = 1 + static_cast<int>(random() % 38);
    const int scale = static_cast<int>(random() % static_cast<uint64_t>(precision + 1));
    unsigned __int128 limit = 1;
    for (uint64_t i = random() % static_cast<uint64_t>(precision + 1); i > 0; --i) limit *= 10;
    const unsigned __int128 bits = static_cast<unsigned __int128>(random()) << 64 | random();
    const auto unscaled = static_cast<__int128>(bits % limit);
    std::string text = Digits(bits % limit);
    if (text.size() <= static_cast<size_t>(scale)) text.insert(0, scale + 1 - text.size(), '0');
    const bool bare = text.size() > 1 && text[0] == '0' && random() % 2 == 0;  // `.5`
    if (scale > 0) {
      const size_t point = text.size() - static_cast<size_t>(scale);
      text = text.substr(0, point) + "." + text.substr(point);
    }
    if (bare) text.erase(0, 1);
    if (scale > 0 && random() % 2 == 0) {
      while (text.back() == '0') text.pop_back();
    } else if (scale > 0) {
      text.append(random() % 3, '0');
    }
    const bool negative = random() % 2 == 0;
    if (negative) text.insert(text.begin(), '-');
    if (text.find_first_of("0123456789") == std::string::npos) continue;
    const auto parsed = ParseDecimal(text, precision, scale);
    ASSERT_TRUE(parsed.has_value() && *parsed == (negative ? -unscaled : unscaled))
        << text << " as decimal(" << precision << "," << scale << ")";
    EXPECT_FALSE(ParseDecimal(text + "x", precision, scale).has_value()) << text;
  }
}

TEST(ValueText, DecimalsThatDoNotFitAreRefused) {
  EXPECT_FALSE(ParseDecimal("1000", 3, 0).has_value());
  EXPECT_FALSE(ParseDecimal("10", 3, 2).has_value());
  EXPECT_FALSE(ParseDecimal("0.001", 3, 2).has_value());
  EXPECT_FALSE(ParseDecimal("999999999999999999", 18, 1).has_value());
  EXPECT_TRUE(ParseDecimal("999999999999999999", 19, 1).has_value());
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

TEST(ValueText, DigitsBeyondTheMicrosecondAreDroppedOnlyForThoseWhoAsk) {
  const auto cut = [](absl::string_view text) {
    bool finer = false;
    const std::optional<int64_t> value = ParseCursor(CursorType::kInstant, text, &finer);
    EXPECT_TRUE(finer) << text;
    return value;
  };
  EXPECT_EQ(cut("1970-01-01 00:00:00.0000019"), 1);
  EXPECT_EQ(cut("1970-01-01T02:00:00.1234567+02:00"), 123'456);
  // The microsecond that the value lies in, not the one nearer to 1970.
  EXPECT_EQ(cut("1969-12-31 23:59:59.9999999"), -1);
  EXPECT_EQ(cut("1969-12-31 23:59:59.9999991"), -1);
  bool finer = true;
  EXPECT_EQ(ParseWallClock("1970-01-01 00:00:00.0000010", &finer), 1);
  EXPECT_FALSE(finer);
  EXPECT_EQ(ParseWallClock("1970-01-01 00:00:00.0000001x", &finer), std::nullopt);
  EXPECT_EQ(ParseCursor(CursorType::kInstant, "1970-01-01 00:00:00.0000001Z"), std::nullopt);
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
