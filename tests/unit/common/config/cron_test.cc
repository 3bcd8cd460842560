#include "common/config/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace headwater {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(absl::string_view expression) {
  const absl::Status status = CheckCron(expression);
  return status.ok() ? "" : std::string(status.message());
}

TEST(Cron, TakesFiveFieldsAsCronHasThem) {
  for (const char* good : {"0 5 * * *", "*/15 0-6,22 1,15 JAN-jun MON-FRI", "0 0 * * 0",
                           "0 0 * * 7", "  59\t23 31 12 6 ", "0 8-18/2 * * *"}) {
    EXPECT_EQ(ErrorOf(good), "") << good;
  }
}

TEST(Cron, TakesSixOrSevenFieldsAsQuartzHasThem) {
  for (const char* good :
       {"0 0 * * * ?", "0 0 5 ? * MON-FRI", "0 0/5 14,18 * * ?", "0 0 0 L * ?", "0 0 0 L-3 * ?",
        "0 0 0 LW * ?", "0 0 0 15W * ?", "0 0 0 ? * 6L", "0 0 0 ? * 6#3", "0 0 0 ? * FRI#5",
        "0 0 5 * * *", "0 0 5 1 1 ? 2030-2040/2"}) {
    EXPECT_EQ(ErrorOf(good), "") << good;
  }
}

TEST(Cron, ValuesBeyondTheirFieldAreRefused) {
  EXPECT_EQ(ErrorOf("60 5 * * *"), "minute: expected 0 to 59, found '60'");
  EXPECT_EQ(ErrorOf("0 24 * * *"), "hour: expected 0 to 23, found '24'");
  EXPECT_EQ(ErrorOf("0 5 0 * *"), "day: expected 1 to 31, found '0'");
  EXPECT_EQ(ErrorOf("0 5 * 13 *"), "month: expected 1 to 12 or JAN to DEC, found '13'");
  EXPECT_EQ(ErrorOf("0 5 * * 8"), "weekday: expected 0 to 7 or SUN to SAT, found '8'");
  EXPECT_EQ(ErrorOf("0 0 5 ? * 0"), "weekday: expected 1 to 7 or SUN to SAT, found '0'");
  EXPECT_EQ(ErrorOf("61 0 5 * * ?"), "second: expected 0 to 59, found '61'");
  EXPECT_EQ(ErrorOf("0 0 5 * * ? 1969"), "year: expected 1970 to 2099, found '1969'");
}

TEST(Cron, WhatIsNoItemIsRefused) {
  for (const char* bad :
       {"a 5 * * *", "-1 5 * * *", "+1 5 * * *", "1, 5 * * *", "1- 5 * * *", "1-2-3 5 * * *",
        "** 5 * * *", "0 5 ? * *", "0 5 L * *", "0 5 * * MONDAY", "0 5 * * 1#2", "JAN 5 * * *",
        "0 0 5 L,1 * ?", "0 0 5 32W * ?", "0 0 5 ? * 6#6", "0 0 5 L-31 * ?", "0 0 5 ? ? 2"}) {
    EXPECT_THAT(ErrorOf(bad), HasSubstr("expected")) << bad;
  }
}

TEST(Cron, StepsAreCountedFromOne) {
  EXPECT_EQ(ErrorOf("*/0 5 * * *"), "minute: expected a step from 1 to 59, found '0'");
  EXPECT_EQ(ErrorOf("*/60 5 * * *"), "minute: expected a step from 1 to 59, found '60'");
  EXPECT_EQ(ErrorOf("*/ 5 * * *"), "minute: expected a step from 1 to 59, found ''");
}

TEST(Cron, ARangeThatRunsBackwardsSaysHowToWriteIt) {
  EXPECT_THAT(ErrorOf("0 22-4 * * *"), HasSubstr("hour: the range '22-4' ends before it begins; "
                                                 "write '22-23,0-4'"));
}

TEST(Cron, OneOfDayAndWeekdayChooses) {
  EXPECT_THAT(ErrorOf("0 0 5 ? * ?"), HasSubstr("both '?'"));
  EXPECT_THAT(ErrorOf("0 0 5 1 * 2"), HasSubstr("day '1' and weekday '2' both choose"));
}

TEST(Cron, OtherCountsOfFieldsAreRefused) {
  EXPECT_THAT(ErrorOf("5 *"), HasSubstr("found 2"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("found 0"));
  EXPECT_THAT(ErrorOf("0 0 5 * * ? 2030 1"), HasSubstr("found 8"));
}

}  // namespace
}  // namespace headwater
