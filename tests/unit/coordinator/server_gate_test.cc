#include "coordinator/plan/server_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headwater {
namespace {

using Hold = ServerGate::Hold;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const absl::Status kAway = absl::UnavailableError("connection refused");
const absl::Status kTooMany = absl::ResourceExhaustedError("too many connections");

class ServerGateTest : public testing::Test {
 protected:
  ServerGateTest() {
    server_.name = "p1";
    server_.max_connections = 8;
  }

  // One try after another fails, at once.
  void FailTimes(int times) {
    for (int i = 0; i < times; ++i) {
      now_ += absl::Milliseconds(1);
      gate_.Failed(server_, kAway, now_, now_);
    }
  }
  Hold Ask(int in_flight = 0) const { return gate_.Ask(server_, in_flight, now_).hold; }

  ServerSpec server_;
  ServerGate gate_;
  absl::Time now_ = kNow;
};

TEST_F(ServerGateTest, TakesAsManyAsTheServerHasConnections) {
  EXPECT_EQ(Ask(7), Hold::kNone);
  EXPECT_EQ(Ask(8), Hold::kConnections);
}

TEST_F(ServerGateTest, IsClosedInQuietHours) {
  server_.timezone = "Europe/Oslo";
  server_.quiet_windows = {ParseQuietWindow("08:00-16:30").value()};
  absl::TimeZone oslo;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Oslo", &oslo));
  const auto at = [&](int hour, int minute) {
    return absl::FromCivil(absl::CivilMinute(2026, 11, 23, hour, minute), oslo);
  };
  EXPECT_EQ(gate_.Ask(server_, 0, at(7, 59)).hold, Hold::kNone);
  EXPECT_EQ(gate_.Ask(server_, 0, at(8, 0)).hold, Hold::kQuiet);
  EXPECT_EQ(gate_.Ask(server_, 0, at(8, 0)).until, at(16, 30));
  EXPECT_EQ(gate_.Ask(server_, 0, at(16, 30)).hold, Hold::kNone);
}

TEST_F(ServerGateTest, SpreadsTasksOverTheMinute) {
  server_.max_tasks_per_minute = 120;
  gate_.Began(server_, now_);
  EXPECT_EQ(Ask(), Hold::kRate);
  EXPECT_EQ(gate_.Ask(server_, 0, now_).until, now_ + absl::Milliseconds(500));
  now_ += absl::Milliseconds(500);
  EXPECT_EQ(Ask(), Hold::kNone);
}

TEST_F(ServerGateTest, ClosesAfterThreeFailuresInARow) {
  FailTimes(2);
  EXPECT_EQ(Ask(), Hold::kNone);
  gate_.Succeeded(now_);
  FailTimes(2);
  EXPECT_FALSE(gate_.unreachable());
  FailTimes(1);
  EXPECT_TRUE(gate_.unreachable());
  EXPECT_EQ(Ask(), Hold::kUnreachable);
  EXPECT_EQ(gate_.last_failure(), kAway);
}

TEST_F(ServerGateTest, CountsTasksThatFailTogetherAsOneTry) {
  for (int i = 0; i < 8; ++i) gate_.Failed(server_, kAway, kNow, kNow + absl::Seconds(1 + i));
  EXPECT_EQ(gate_.failures(), 1);
  gate_.Failed(server_, kAway, kNow + absl::Seconds(1), kNow + absl::Seconds(10));
  EXPECT_EQ(gate_.failures(), 2);
}

TEST_F(ServerGateTest, LetsOneTryAndWaitsLongerAfterEachFailure) {
  FailTimes(3);
  absl::Duration waited;
  for (int i = 0; i < 12; ++i) {
    const ServerGate::Answer closed = gate_.Ask(server_, 0, now_);
    ASSERT_EQ(closed.hold, Hold::kUnreachable);
    if (i < 4) {
      EXPECT_GT(closed.until - now_, waited);
    }
    EXPECT_LE(closed.until - now_, absl::Minutes(1) * 1.5);
    waited = closed.until - now_;
    now_ = closed.until;
    EXPECT_EQ(Ask(0), Hold::kNone);
    EXPECT_EQ(Ask(1), Hold::kConnections);
    gate_.Failed(server_, kAway, now_, now_);
  }
}

TEST_F(ServerGateTest, TriesAtOnceWhenSomebodyAsks) {
  FailTimes(9);
  EXPECT_EQ(Ask(), Hold::kUnreachable);
  gate_.TryNow();
  EXPECT_EQ(Ask(), Hold::kNone);
  EXPECT_EQ(Ask(1), Hold::kConnections);
}

TEST_F(ServerGateTest, TakesUpConnectionsOneByOneAfterAnOutage) {
  FailTimes(3);
  gate_.Succeeded(now_);
  EXPECT_FALSE(gate_.unreachable());
  EXPECT_EQ(gate_.Limit(server_), 2);
  gate_.Succeeded(now_);
  EXPECT_EQ(gate_.Limit(server_), 3);
  for (int i = 0; i < 20; ++i) gate_.Succeeded(now_);
  EXPECT_EQ(gate_.Limit(server_), 8);
}

TEST_F(ServerGateTest, HalvesConnectionsWhenTheServerHasTooMany) {
  for (int i = 0; i < 5; ++i) gate_.Failed(server_, kTooMany, now_, now_);
  EXPECT_EQ(gate_.Limit(server_), 4) << "what fails together counts once";
  gate_.Succeeded(now_);
  EXPECT_EQ(gate_.Limit(server_), 4) << "not raised at once";
  now_ += absl::Seconds(30);
  gate_.Succeeded(now_);
  gate_.Succeeded(now_);
  EXPECT_EQ(gate_.Limit(server_), 5) << "one in thirty seconds";
  for (int i = 0; i < 6; ++i) {
    now_ += absl::Seconds(31);
    gate_.Failed(server_, kTooMany, now_, now_);
  }
  EXPECT_EQ(gate_.Limit(server_), 1) << "never none";
}

TEST_F(ServerGateTest, OtherFailuresShowThatTheServerIsThere) {
  FailTimes(2);
  gate_.Failed(server_, absl::NotFoundError("no such table"), now_, now_);
  EXPECT_EQ(gate_.failures(), 0);
}

TEST_F(ServerGateTest, ForgetsUseByHalfEachMinute) {
  EXPECT_EQ(gate_.Used(now_), 0);
  gate_.Use(absl::Seconds(8), now_);
  EXPECT_DOUBLE_EQ(gate_.Used(now_ + absl::Minutes(1)), 4);
  gate_.Use(absl::Seconds(4), now_ + absl::Minutes(1));
  EXPECT_DOUBLE_EQ(gate_.Used(now_ + absl::Minutes(3)), 2);
}

}  // namespace
}  // namespace headwater
