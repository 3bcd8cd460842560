#include "common/base/failpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

class FailpointTest : public ::testing::Test {
 protected:
  ~FailpointTest() override { (void)ArmFailpoints(""); }
};

TEST_F(FailpointTest, IsQuietUnlessArmed) {
  EXPECT_TRUE(Failpoint("a").ok());
  ASSERT_TRUE(ArmFailpoints("b=error:ABORTED").ok());
  EXPECT_TRUE(Failpoint("a").ok());
  ASSERT_TRUE(ArmFailpoints("").ok());
  EXPECT_TRUE(Failpoint("b").ok());
}

TEST_F(FailpointTest, AnErrorComesOnceWithItsCodeAndName) {
  ASSERT_TRUE(ArmFailpoints("a.b=error:RESOURCE_EXHAUSTED").ok());
  const absl::Status status = Failpoint("a.b");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("a.b"));
  EXPECT_TRUE(Failpoint("a.b").ok());
}

TEST_F(FailpointTest, EveryCodeHasItsName) {
  for (int code = 1; code <= 16; ++code) {
    const auto expected = static_cast<absl::StatusCode>(code);
    ASSERT_TRUE(ArmFailpoints(absl::StrCat("a=error:", absl::StatusCodeToString(expected))).ok());
    EXPECT_EQ(Failpoint("a").code(), expected);
  }
}

TEST_F(FailpointTest, ANumberSaysAtWhichOccurrence) {
  ASSERT_TRUE(ArmFailpoints("a=3:error:UNKNOWN,b=1:error:ABORTED").ok());
  EXPECT_TRUE(Failpoint("a").ok());
  EXPECT_EQ(Failpoint("b").code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(Failpoint("a").ok());
  EXPECT_EQ(Failpoint("a").code(), absl::StatusCode::kUnknown);
  EXPECT_TRUE(Failpoint("a").ok());
}

TEST_F(FailpointTest, ArmingForgetsWhatWasArmedBefore) {
  ASSERT_TRUE(ArmFailpoints("a=error:UNKNOWN").ok());
  ASSERT_TRUE(ArmFailpoints("b=error:UNKNOWN").ok());
  EXPECT_TRUE(Failpoint("a").ok());
  EXPECT_FALSE(Failpoint("b").ok());
}

TEST_F(FailpointTest, WhatIsNotOfTheFormIsRefusedAndChangesNothing) {
  ASSERT_TRUE(ArmFailpoints("a=error:UNKNOWN").ok());
  for (const char* spec :
       {"b", "b=", "=crash", "b=crush", "b=error", "b=error:", "b=error:OK", "b=error:unknown",
        "b=0:crash", "b=-1:crash", "b=1:2:crash", "b=crash:1", "b=1.5:crash", "b==crash",
        "b=crash,c", "b=hold:2", "b=held", "b=crash,b=error:UNKNOWN", "b = crash"}) {
    const absl::Status status = ArmFailpoints(spec);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << spec;
  }
  EXPECT_TRUE(Failpoint("b").ok());
  EXPECT_EQ(Failpoint("a").code(), absl::StatusCode::kUnknown);
}

TEST_F(FailpointTest, ACrashEndsTheProcessAsAKillWould) {
  EXPECT_EXIT(
      {
        std::atexit([] { _Exit(1); });  // No handler runs.
        (void)ArmFailpoints("a=crash");
        (void)Failpoint("a");
      },
      ::testing::ExitedWithCode(137), "");
}

TEST_F(FailpointTest, ACrashComesAtItsOccurrenceAndNotBefore) {
  EXPECT_EXIT(
      {
        (void)ArmFailpoints("a=2:crash");
        if (!Failpoint("a").ok()) std::_Exit(1);
        (void)Failpoint("a");
        std::_Exit(2);
      },
      ::testing::ExitedWithCode(137), "");
}

TEST_F(FailpointTest, AHeldThreadSaysSoAndStaysWhileOthersGoOn) {
  EXPECT_EXIT(
      {
        int ends[2];
        if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0) std::_Exit(1);
        (void)ArmFailpoints("a=hold,b=error:ABORTED");
        std::thread([] {
          (void)Failpoint("a");
          std::_Exit(2);
        }).detach();
        std::string said;
        char byte = 0;
        while (said.find("failpoint holds") == std::string::npos && read(ends[0], &byte, 1) == 1)
          said.push_back(byte);
        std::_Exit(Failpoint("b").ok() ? 3 : 7);
      },
      ::testing::ExitedWithCode(7), "");
}

// The child of a "threadsafe" death test starts the program again, with this environment.
class FailpointEnvironmentTest : public FailpointTest {
 protected:
  FailpointEnvironmentTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  ~FailpointEnvironmentTest() override {
    GTEST_FLAG_SET(death_test_style, "fast");
    unsetenv("HEADWATER_FAILPOINTS");
  }
};

TEST_F(FailpointEnvironmentTest, TheEnvironmentArmsAProcess) {
  setenv("HEADWATER_FAILPOINTS", "a=2:crash", 1);
  EXPECT_EXIT(
      {
        (void)Failpoint("a");
        (void)Failpoint("a");
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(137), "");
}

TEST_F(FailpointEnvironmentTest, AWrongEnvironmentIsNotPassedOver) {
  setenv("HEADWATER_FAILPOINTS", "a=crush", 1);
  EXPECT_EXIT(std::_Exit(0), ::testing::ExitedWithCode(2), "HEADWATER_FAILPOINTS.*a=crush");
}

}  // namespace
}  // namespace headwater
