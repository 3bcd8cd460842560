#include "common/data/cursor.h"

#include "gtest/gtest.h"

namespace headwater {
namespace {

constexpr int64_t kHour = 3'600'000'000;
const Unit kDay{Unit::Kind::kDay, 1};

CursorCalendar Calendar(CursorType type, const char* zone, const char* cursor_zone) {
  return *CursorCalendar::Create(type, zone, cursor_zone);
}

int64_t Utc(int year, int month, int day, int hour = 0) {
  return absl::ToUnixMicros(
      absl::FromCivil(absl::CivilSecond(year, month, day, hour), absl::UTCTimeZone()));
}

TEST(CursorCalendar, CutsDaysOfTwentyThreeAndTwentyFiveHoursInTheServersZone) {
  const CursorCalendar calendar =
      Calendar(CursorType::kInstant, "America/New_York", "America/New_York");
  const int64_t spring = Utc(2013, 3, 10, 12), autumn = Utc(2013, 11, 3, 12),
                plain = Utc(2013, 6, 1, 12);
  EXPECT_EQ(calendar.UnitStart(spring, kDay), Utc(2013, 3, 10, 5));
  EXPECT_EQ(calendar.UnitEnd(spring, kDay) - calendar.UnitStart(spring, kDay), 23 * kHour);
  EXPECT_EQ(calendar.UnitEnd(autumn, kDay) - calendar.UnitStart(autumn, kDay), 25 * kHour);
  EXPECT_EQ(calendar.UnitEnd(plain, kDay) - calendar.UnitStart(plain, kDay), 24 * kHour);
}

TEST(CursorCalendar, AWallClockInUtcIsCutAtTheServersMidnight) {
  const CursorCalendar calendar = Calendar(CursorType::kWallClock, "America/New_York", "UTC");
  EXPECT_EQ(calendar.UnitStart(Utc(2013, 1, 1, 4), kDay), Utc(2012, 12, 31, 5));
  EXPECT_EQ(calendar.UnitStart(Utc(2013, 1, 1, 5), kDay), Utc(2013, 1, 1, 5));
  EXPECT_EQ(calendar.PartitionLabel(Utc(2013, 1, 1, 5), kDay), "2013-01-01");
}

TEST(CursorCalendar, UnitsTileTheAxisAcrossEveryTransition) {
  for (const char* zone :
       {"America/New_York", "Europe/Oslo", "Australia/Lord_Howe", "Asia/Tehran"}) {
    for (CursorType type : {CursorType::kInstant, CursorType::kWallClock}) {
      for (const char* unit_text : {"1h", "1d", "7d", "1mo", "1y"}) {
        const Unit unit = *ParseUnit(unit_text);
        const CursorCalendar calendar = Calendar(type, zone, zone);
        for (int64_t value = Utc(2012, 12, 30); value < Utc(2014, 1, 5); value += 37 * kHour / 2) {
          const int64_t start = calendar.UnitStart(value, unit),
                        end = calendar.UnitEnd(value, unit);
          ASSERT_LE(start, value);
          ASSERT_LT(value, end);
          ASSERT_EQ(calendar.UnitStart(start, unit), start) << zone << " " << unit_text;
          ASSERT_EQ(calendar.UnitStart(end, unit), end) << zone << " " << unit_text;
          ASSERT_EQ(calendar.UnitStart(end - 1, unit), start) << zone << " " << unit_text;
        }
      }
    }
  }
}

TEST(CursorCalendar, BeforeClocksAreTurnedBackTheHourThatComesAgainIsYetToCome) {
  const auto calendar = *CursorCalendar::Create(CursorType::kWallClock, "UTC", "Europe/Oslo");
  const auto wall = [](int hour, int minute) {
    return absl::ToUnixMicros(
        absl::FromCivil(absl::CivilMinute(2013, 10, 27, hour, minute), absl::UTCTimeZone()));
  };
  const absl::Time two = absl::FromCivil(absl::CivilHour(2013, 10, 27, 0), absl::UTCTimeZone());
  EXPECT_EQ(calendar.LowestFrom(two - absl::Minutes(1)), wall(1, 59));
  EXPECT_EQ(calendar.LowestFrom(two), wall(2, 0));
  EXPECT_EQ(calendar.LowestFrom(two + absl::Minutes(59)), wall(2, 0));
  EXPECT_EQ(calendar.LowestFrom(two + absl::Minutes(61)), wall(2, 1));
  EXPECT_EQ(calendar.LowestFrom(two + absl::Hours(3)), wall(4, 0));
  const auto instants = *CursorCalendar::Create(CursorType::kInstant, "UTC", "Europe/Oslo");
  EXPECT_EQ(instants.LowestFrom(two + absl::Minutes(59)),
            absl::ToUnixMicros(two + absl::Minutes(59)));
}

TEST(CursorCalendar, DatesAndIntegersAreCutAsWritten) {
  const CursorCalendar dates = Calendar(CursorType::kDate, "Europe/Oslo", "Europe/Oslo");
  EXPECT_EQ(dates.Format(dates.UnitStart(15'782, *ParseUnit("1mo"))), "2013-03-01");
  const CursorCalendar numbers = Calendar(CursorType::kInteger, "UTC", "UTC");
  EXPECT_EQ(numbers.UnitStart(-1, *ParseUnit("500")), -500);
  EXPECT_EQ(numbers.UnitEnd(999, *ParseUnit("500")), 1'000);
}

TEST(CursorCalendar, RefusesAnUnknownZoneInsteadOfTakingUtc) {
  EXPECT_FALSE(CursorCalendar::Create(CursorType::kInstant, "Europe/Osloo", "UTC").ok());
}

TEST(CursorTypeOf, TakesWhatHasAnOrderThatRangesCanUse) {
  EXPECT_EQ(CursorTypeOf(TypeKind::kByte), CursorType::kInteger);
  EXPECT_EQ(CursorTypeOf(TypeKind::kLong), CursorType::kInteger);
  EXPECT_EQ(CursorTypeOf(TypeKind::kDate), CursorType::kDate);
  EXPECT_EQ(CursorTypeOf(TypeKind::kTimestamp), CursorType::kInstant);
  EXPECT_EQ(CursorTypeOf(TypeKind::kTimestampNtz), CursorType::kWallClock);
  EXPECT_EQ(CursorTypeOf(TypeKind::kDecimal), std::nullopt);
  EXPECT_EQ(CursorTypeOf(TypeKind::kString), std::nullopt);
}

TEST(ParseUnit, TakesWhatTheConfigurationSpellsAndNothingElse) {
  for (const char* good : {"1h", "1d", "30d", "1mo", "1y", "day", "500000", "none"}) {
    EXPECT_TRUE(ParseUnit(good).ok()) << good;
  }
  for (const char* bad : {"", "0d", "d", "1w", "-1d", "1.5h", "99999999999999999999"}) {
    EXPECT_FALSE(ParseUnit(bad).ok()) << bad;
  }
  EXPECT_EQ(UnitToString(*ParseUnit("30d")), "30d");
}

}  // namespace
}  // namespace headwater
