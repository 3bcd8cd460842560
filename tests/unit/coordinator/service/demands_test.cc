#include "coordinator/service/demands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/data/instant.h"
#include "common/model/model_proto.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

const absl::Time kNow =
    absl::FromCivil(absl::CivilSecond(2013, 7, 1, 12, 0, 0), absl::UTCTimeZone());

absl::TimeZone NewYork() {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("America/New_York", &zone));
  return zone;
}

std::string Instant(absl::string_view text) {
  absl::StatusOr<absl::Time> time = ParseInstant(text, kNow, NewYork());
  if (!time.ok()) return std::string(time.status().message());
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", *time, absl::UTCTimeZone());
}

TEST(ParseInstant, ReadsDatesAndTimesInTheServersZone) {
  EXPECT_EQ(Instant("2013-03-01"), "2013-03-01T05:00:00Z");
  EXPECT_EQ(Instant("2013-07-01"), "2013-07-01T04:00:00Z");  // Summer time.
  EXPECT_EQ(Instant("2013-03"), "2013-03-01T05:00:00Z");
  EXPECT_EQ(Instant("2013"), "2013-01-01T05:00:00Z");
  EXPECT_EQ(Instant("2013-03-01T05:30"), "2013-03-01T10:30:00Z");
  EXPECT_EQ(Instant("2013-03-01 05:30:15.25"), "2013-03-01T10:30:15.25Z");
}

TEST(ParseInstant, AnOffsetWinsOverTheZone) {
  EXPECT_EQ(Instant("2013-03-01T05:30Z"), "2013-03-01T05:30:00Z");
  EXPECT_EQ(Instant("2013-03-01T05:30:00+02:00"), "2013-03-01T03:30:00Z");
}

TEST(ParseInstant, CountsBackFromNow) {
  EXPECT_EQ(Instant("now"), "2013-07-01T12:00:00Z");
  EXPECT_EQ(Instant("-7d"), "2013-06-24T12:00:00Z");
  EXPECT_EQ(Instant("-36h"), "2013-06-30T00:00:00Z");
  EXPECT_EQ(Instant("-90m"), "2013-07-01T10:30:00Z");
  EXPECT_EQ(Instant("-2w"), "2013-06-17T12:00:00Z");
}

TEST(ParseInstant, SaysWhatItWouldHaveTaken) {
  for (const char* bad : {"", "yesterday", "2013-13-01", "2013-02-30", "2013-03-01T25:00", "12345",
                          "-7", "-d", "--7d", "-7y", "-99999999999999999999d"}) {
    EXPECT_THAT(Instant(bad), HasSubstr("expected")) << bad;
  }
}

DatasetConfig Flights(const std::string& server, const std::string& zone) {
  DatasetConfig config;
  config.spec.id = {.table = "flights", .server = server};
  config.spec.server.name = server;
  config.spec.server.timezone = zone;
  return config;
}

absl::StatusOr<std::vector<DemandRequest>> Backfill(const std::string& from,
                                                    const std::string& to) {
  const DatasetConfig jfk = Flights("jfk", "America/New_York");
  const DatasetConfig osl = Flights("osl", "Europe/Oslo");
  v1::BackfillWindow window;
  window.set_from(from);
  window.set_to(to);
  window.set_mode(v1::BACKFILL_MODE_ALL);
  return MakeDemands({&jfk, &osl}, v1::RUN_KIND_BACKFILL, &window, kNow);
}

TEST(MakeDemands, EachServerReadsTheWindowInItsOwnZone) {
  const auto demands = Backfill("2013-03", "2013-04");
  ASSERT_TRUE(demands.ok()) << demands.status();
  ASSERT_EQ(demands->size(), 2u);
  EXPECT_EQ(*(*demands)[0].from - *(*demands)[1].from, absl::Hours(6));
  EXPECT_EQ((*demands)[0].mode, v1::BACKFILL_MODE_ALL);
  EXPECT_FALSE((*demands)[0].from_value.has_value());
}

TEST(MakeDemands, FourDigitsAreAYearAndAValueSinceOnlyTheProbeKnowsTheCursor) {
  const auto demands = Backfill("2000", "3000");
  ASSERT_TRUE(demands.ok()) << demands.status();
  EXPECT_TRUE((*demands)[0].from.has_value());
  EXPECT_THAT((*demands)[0].from_value, Optional(2000));
  EXPECT_THAT((*demands)[0].to_value, Optional(3000));
}

TEST(MakeDemands, OtherIntegersAreValues) {
  const auto demands = Backfill("5", "100000");
  ASSERT_TRUE(demands.ok()) << demands.status();
  EXPECT_FALSE((*demands)[0].from.has_value());
  EXPECT_THAT((*demands)[0].to_value, Optional(100000));
}

TEST(MakeDemands, AnAbsentEndIsOpen) {
  const auto demands = Backfill("2013-03", "");
  ASSERT_TRUE(demands.ok()) << demands.status();
  EXPECT_TRUE((*demands)[0].from.has_value());
  EXPECT_FALSE((*demands)[0].to.has_value());
}

TEST(MakeDemands, RefusesWindowsThatAreEmptyOrMixed) {
  EXPECT_THAT(std::string(Backfill("2013-04", "2013-04").status().message()),
              HasSubstr("expected from before to"));
  EXPECT_THAT(std::string(Backfill("5", "2013-04").status().message()), HasSubstr("one of each"));
  EXPECT_THAT(std::string(Backfill("soon", "").status().message()), HasSubstr("'soon'"));
}

TEST(MakeDemands, OnlyABackfillHasAWindow) {
  const v1::BackfillWindow window;
  EXPECT_FALSE(MakeDemands({}, v1::RUN_KIND_INCREMENTAL, &window, kNow).ok());
  EXPECT_FALSE(MakeDemands({}, v1::RUN_KIND_UNSPECIFIED, nullptr, kNow).ok());
  EXPECT_FALSE(MakeDemands({}, v1::RUN_KIND_BACKFILL, &window, kNow).ok());  // No mode.
}

TEST(DescribeWindows, SaysTheWindowInEachZoneAndInUtc) {
  const DatasetConfig jfk = Flights("jfk", "America/New_York");
  const DatasetConfig lga = Flights("lga", "America/New_York");
  const DatasetConfig osl = Flights("osl", "Europe/Oslo");
  v1::BackfillWindow window;
  window.set_from("2013-03");
  window.set_to("now");
  const std::vector<v1::Window> windows = DescribeWindows({&jfk, &lga, &osl}, window, kNow);
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_EQ(windows[0].timezone(), "America/New_York");
  EXPECT_EQ(windows[0].servers_size(), 2);
  EXPECT_EQ(windows[0].local(), "[2013-03-01 00:00:00, 2013-07-01 08:00:00)");
  EXPECT_EQ(windows[0].utc(), "[2013-03-01 05:00:00, 2013-07-01 12:00:00)");
  EXPECT_EQ(windows[1].utc(), "[2013-02-28 23:00:00, 2013-07-01 12:00:00)");
  window.set_from("5");
  window.set_to("100000");
  EXPECT_EQ(DescribeWindows({&jfk}, window, kNow)[0].local(), "[5, 100000)");
  EXPECT_EQ(DescribeWindows({&jfk}, window, kNow)[0].utc(), "");
}

TEST(MakePace, ReadsPartitionsWholeAndUnitsOfTheirSort) {
  DatasetConfig days = Flights("jfk", "America/New_York");
  days.spec.strategy = Strategy::kPartition;
  days.spec.unit = *ParseUnit("1d");
  const auto every = [&](const char* text) {
    v1::Pace pace;
    *pace.mutable_every() = ToProto(*ParseUnit(text));
    return MakePace(pace, {&days});
  };
  EXPECT_EQ(every("7d")->every, *ParseUnit("7d"));
  EXPECT_THAT(std::string(every("6h").status().message()),
              HasSubstr("jfk/flights: partitions are read whole, and one is 1d"));
  EXPECT_THAT(std::string(every("500").status().message()), HasSubstr("of that sort"));
  v1::Pace negative;
  negative.set_max_active(-1);
  EXPECT_FALSE(MakePace(negative, {&days}).ok());
}

}  // namespace
}  // namespace headwater
