#include "common/data/quiet_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace headwater {
namespace {

absl::TimeZone Zone(const char* name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone));
  return zone;
}

absl::Time Oslo(int month, int day, int hour, int minute = 0) {
  return absl::FromCivil(absl::CivilMinute(2026, month, day, hour, minute), Zone("Europe/Oslo"));
}

std::vector<QuietWindow> Windows(const std::vector<const char*>& texts) {
  std::vector<QuietWindow> windows;
  for (const char* text : texts) windows.push_back(ParseQuietWindow(text).value());
  return windows;
}

std::optional<absl::Time> Until(const std::vector<const char*>& texts, absl::Time now) {
  return QuietUntil(Windows(texts), Zone("Europe/Oslo"), now);
}

TEST(QuietWindow, ReadsDaysHoursOrBoth) {
  EXPECT_EQ(ParseQuietWindow("mon-fri 08:00-16:30").value(), (QuietWindow{0b0011111, 480, 990}));
  EXPECT_EQ(ParseQuietWindow("Sat,Sun").value(), (QuietWindow{0b1100000, 0, 1440}));
  EXPECT_EQ(ParseQuietWindow("fri-mon 6:00-7:00").value(), (QuietWindow{0b1110001, 360, 420}));
  EXPECT_EQ(ParseQuietWindow("22:00-02:00").value(), (QuietWindow{0b1111111, 1320, 120}));
  EXPECT_EQ(ParseQuietWindow("22:00-00:00").value(), (QuietWindow{0b1111111, 1320, 1440}));
}

TEST(QuietWindow, RefusesWhatItCannotMean) {
  for (const char* text :
       {"", "mon-", "08:00", "08:00-08:00", "8-16", "25:00-26:00", "24:00-01:00", "mon 08:00-16:60",
        "08:00-16:00 mon", "mon tue", "mon 08:00-09:00 x", "mon-tue-wed", "-1:00-02:00"}) {
    EXPECT_FALSE(ParseQuietWindow(text).ok()) << text;
  }
  EXPECT_THAT(std::string(ParseQuietWindow("midnight").status().message()),
              testing::HasSubstr("'midnight'"));
}

TEST(QuietWindow, HoldsItsFirstInstantAndNotItsEnd) {
  const std::vector<const char*> office = {"mon-fri 08:00-16:30"};
  const absl::Time monday = Oslo(11, 23, 0);
  EXPECT_EQ(Until(office, monday + absl::Hours(8) - absl::Nanoseconds(1)), std::nullopt);
  EXPECT_EQ(Until(office, monday + absl::Hours(8)), Oslo(11, 23, 16, 30));
  EXPECT_EQ(Until(office, Oslo(11, 23, 16, 30)), std::nullopt);
  EXPECT_EQ(Until(office, Oslo(11, 22, 12)), std::nullopt) << "Sunday";
}

TEST(QuietWindow, GoesOnIntoTheNextDay) {
  const std::vector<const char*> night = {"fri 22:00-02:00"};
  EXPECT_EQ(Until(night, Oslo(11, 20, 23)), Oslo(11, 21, 2));
  EXPECT_EQ(Until(night, Oslo(11, 21, 1)), Oslo(11, 21, 2)) << "Saturday, of Friday's window";
  EXPECT_EQ(Until(night, Oslo(11, 20, 1)), std::nullopt) << "Friday, of Thursday's night";
}

TEST(QuietWindow, TakesWindowsThatTouchAsOne) {
  EXPECT_EQ(Until({"14:00-16:00", "12:00-14:00"}, Oslo(11, 20, 13)), Oslo(11, 20, 16));
  EXPECT_EQ(Until({"sat,sun", "mon 00:00-06:00"}, Oslo(11, 21, 13)), Oslo(11, 23, 6));
}

TEST(QuietWindow, KeepsToTheWallClockOverDaylightSaving) {
  // 2026-03-29: 02:00 becomes 03:00. 2026-10-25: 03:00 becomes 02:00.
  EXPECT_EQ(*Until({"01:00-04:00"}, Oslo(3, 29, 1)) - Oslo(3, 29, 1), absl::Hours(2));
  EXPECT_EQ(*Until({"01:00-04:00"}, Oslo(10, 25, 1)) - Oslo(10, 25, 1), absl::Hours(4));
  EXPECT_EQ(Until({"02:15-02:45"}, Oslo(3, 29, 3, 20)), std::nullopt) << "skipped";
  EXPECT_EQ(Until({"02:15-03:45"}, Oslo(3, 29, 3, 20)), Oslo(3, 29, 3, 45));
}

TEST(QuietWindow, MustLeaveRoom) {
  EXPECT_TRUE(LeaveRoom(Windows({})));
  EXPECT_TRUE(LeaveRoom(Windows({"mon-sun 00:00-23:59"})));
  EXPECT_FALSE(LeaveRoom(Windows({"mon-sun"})));
  EXPECT_FALSE(LeaveRoom(Windows({"22:00-02:00", "02:00-22:00"})));
}

}  // namespace
}  // namespace headwater
