#include "cli/confirm.h"

#include <gtest/gtest.h>

#include <sstream>

namespace headwater {
namespace {

absl::StatusCode Answered(const std::string& typed, bool yes, bool terminal) {
  std::istringstream in(typed);
  std::ostringstream err;
  return Confirm("Really?", yes, terminal, in, err).code();
}

TEST(Confirm, OnlyAYesIsAYes) {
  for (const char* yes : {"y\n", "Y\n", "yes\n", " Yes \n"})
    EXPECT_EQ(Answered(yes, false, true), absl::StatusCode::kOk) << yes;
  for (const char* no : {"", "\n", "n\n", "no\n", "yeah\n"})
    EXPECT_EQ(Answered(no, false, true), absl::StatusCode::kCancelled) << no;
}

TEST(Confirm, WithoutATerminalNobodyIsAsked) {
  EXPECT_EQ(Answered("y\n", false, false), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Answered("", true, false), absl::StatusCode::kOk);
}

}  // namespace
}  // namespace headwater
