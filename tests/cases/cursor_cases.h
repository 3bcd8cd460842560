// One server, p1, whose cursor a test makes of what type it likes.
#ifndef HEADWATER_TESTS_CASES_CURSOR_CASES_H_
#define HEADWATER_TESTS_CASES_CURSOR_CASES_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cases/case_world.h"

namespace headwater {

inline const absl::Time kNoon = absl::FromUnixSeconds(1'385'899'200);  // 2013-12-01T12:00:00Z

inline absl::Time Utc(const char* text) {
  absl::Time time;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", text, &time, nullptr)) << text;
  return time;
}

class CursorCases : public ::testing::Test {
 protected:
  CursorCases() : world_(kNoon) {}

  CaseServer& Start(CursorType type = CursorType::kInstant, const char* zone = "UTC") {
    CaseServer& server = world_.Add("p1", type);
    server.spec.server.timezone = server.spec.cursor_timezone = zone;
    return server;
  }

  void ExpectSame() { EXPECT_EQ(world_.Published("p1"), world_.Visible("p1")); }

  void ExpectNothingNew() {
    const int versions = world_.versions();
    world_.TakeReads();
    EXPECT_FALSE(world_.Tick().failed());
    EXPECT_TRUE(world_.TakeReads().empty());
    EXPECT_EQ(world_.versions(), versions);
  }

  // A row now and one of three minutes ago, each ten minutes; every tick finds both.
  void GoOn(int ticks, size_t left_out = 0) {
    for (int i = 0; i < ticks; ++i) {
      world_.Pass(absl::Minutes(10));
      world_.InsertAt("p1", world_.now() - absl::Minutes(3));
      world_.InsertAt("p1", world_.now());
      const int64_t settled = world_.Dataset("p1").settled_to;
      EXPECT_FALSE(world_.Tick().failed());
      EXPECT_EQ(world_.Published("p1").size() + left_out, world_.Visible("p1").size());
      EXPECT_EQ(world_.Dataset("p1").domain->to, world_.CursorOf("p1", world_.now()) + 1);
      EXPECT_GE(world_.Dataset("p1").settled_to, settled);
    }
    if (ticks > 2) {
      EXPECT_GE(world_.Dataset("p1").settled_to,
                world_.CursorOf("p1", world_.now() - absl::Minutes(20)));
    }
  }

  std::string First(const v1::WatchRunResponse& run) {
    return run.problems().empty() ? "" : run.problems(0).message();
  }

  CaseWorld world_;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CASES_CURSOR_CASES_H_
