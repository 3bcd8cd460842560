// Servers that cannot be reached, are left alone, or have had much already.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core.h"
#include "coordinator/plan/server_gate.h"
#include "coordinator/state/cluster_state.h"
#include "tests/unit/coordinator/core_world.h"

namespace headwater {
namespace {

using CoreGatesTest = CoreWorldTest;

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(CoreGatesTest, AnUnreachableServerIsTriedAFewTimesForAllOfItsDatasets) {
  for (int i = 0; i < 50; ++i) Configure("away", absl::StrCat("t", i));
  Configure("there", "t0");
  Begin(/*credit=*/100);
  Run("r-1");
  const auto offered = Live({{"away", absl::UnavailableError("connection refused")}}, 2);
  EXPECT_LE(offered.at("away"), 4 * kFailuresToClose + 3) << "not four times for each dataset";
  EXPECT_EQ(offered.at("there"), 3);
  EXPECT_THAT(ended_, ElementsAre("r-1"));
  EXPECT_EQ(failed_["away"].size(), 50);
  EXPECT_THAT(failed_["away"], Each(HasSubstr("server away cannot be reached, 6 tries in a row: "
                                              "connection refused")));
  EXPECT_THAT(failed_["there"], IsEmpty());
  EXPECT_LT(now_ - kNow, absl::Seconds(20));
}

TEST_F(CoreGatesTest, AnOutageSetsNothingAsideForLater) {
  Configure("a", "t");
  Begin(/*credit=*/4);
  Run("r-1", /*by_person=*/false);
  ASSERT_EQ(tasks_.size(), 1u);
  Answer(tasks_.front(), Days(30));
  tasks_.pop_front();
  Live({{"a", absl::UnavailableError("connection refused")}}, 30);
  EXPECT_THAT(ended_, ElementsAre("r-1"));
  for (const Blocked& blocked : core_.state().FindDataset({"t", "a"})->blocked)
    EXPECT_FALSE(blocked.quarantined);
  // It is back: the next tick, which no person started, reads everything.
  Run("r-2", /*by_person=*/false);
  Live({}, 30);
  EXPECT_THAT(ended_, ElementsAre("r-1", "r-2"));
  EXPECT_FALSE(core_.state().FindRun("r-2")->failed);
  EXPECT_TRUE(core_.state().FindDataset({"t", "a"})->needs.empty());
}

TEST_F(CoreGatesTest, AQuietServerIsReadAfterItsWindowAndOthersAtOnce) {
  Configure("quiet", "t").server.quiet_windows = {ParseQuietWindow("06:00-16:30").value()};
  Configure("open", "t");
  Begin(/*credit=*/4);
  Run("r-1");
  EXPECT_EQ(Live({}, 3, now_ + absl::Minutes(1)).count("quiet"), 0);
  EXPECT_THAT(ended_, IsEmpty());
  const absl::Time end =
      absl::FromCivil(absl::CivilMinute(2027, 1, 15, 16, 30), absl::UTCTimeZone());
  EXPECT_EQ(core_.NextDeadline(), end);
  EXPECT_EQ(Live({}, 3).at("quiet"), 4);
  EXPECT_GE(now_, end);
  EXPECT_THAT(ended_, ElementsAre("r-1"));
}

TEST_F(CoreGatesTest, TasksOfAMinuteAreCounted) {
  Configure("a", "t").server.max_tasks_per_minute = 10;
  Begin(/*credit=*/100);
  Run("r-1");
  EXPECT_EQ(Live({}, 40, kNow + absl::Minutes(2)).at("a"), 21);
  Live({}, 40);
  EXPECT_THAT(ended_, ElementsAre("r-1"));
}

TEST_F(CoreGatesTest, WhoHasHadLessOfTheWorkersComesFirst) {
  Configure("long", "t").server.max_connections = 1;
  Configure("short", "t").server.max_connections = 1;
  Begin(/*credit=*/1);
  Run("r-1");
  std::vector<std::string> order;
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(tasks_.size(), 1u);
    const OfferedTask task = tasks_.front();
    tasks_.pop_front();
    if (!IsProbe(task)) order.push_back(task.server);
    now_ += IsProbe(task)           ? absl::Milliseconds(1)
            : task.server == "long" ? absl::Seconds(10)
                                    : absl::Seconds(2);
    if (IsProbe(task)) {
      Answer(task, Days(20));
    } else {
      Answer(task, Rows(task.spec));
    }
  }
  // One takes five times as long: it gets a fifth of the turns.
  EXPECT_THAT(order, ElementsAre("long", "short", "short", "short", "short", "short"));
}

TEST_F(CoreGatesTest, APersonComesBeforeASchedule) {
  Configure("a", "t").server.max_connections = 1;
  Configure("a", "u").server.max_connections = 1;
  Begin(/*credit=*/1);
  const std::vector<DatasetSpec> both = configured_.datasets;
  configured_.datasets = {both[0]};
  Run("scheduled", /*by_person=*/false);
  configured_.datasets = {both[1]};
  Run("person", /*by_person=*/true);
  Live({}, 10);
  EXPECT_THAT(ended_, ElementsAre("person", "scheduled"));
}

// Ten thousand microbatches that cannot begin are no reason for others to wait.
TEST_F(CoreGatesTest, WhatIsBlockedOnOneServerDelaysNoOther) {
  Configure("blocked", "t").server.max_connections = 1;
  Configure("other", "t");
  Begin(/*credit=*/3);
  const std::vector<DatasetSpec> both = configured_.datasets;
  configured_.datasets = {both[0]};
  Run("r-1");
  Answer(tasks_.front(), Days(10'000));
  tasks_.pop_front();
  ASSERT_EQ(tasks_.size(), 1u) << "one of them runs";
  configured_.datasets = {both[1]};
  Run("r-2");
  ASSERT_EQ(tasks_.size(), 2u) << "in the same step";
  EXPECT_EQ(tasks_.back().server, "other");
  EXPECT_TRUE(IsProbe(tasks_.back()));
  Answer(tasks_.back(), Days(5));
  EXPECT_EQ(tasks_.back().server, "other");
  EXPECT_FALSE(IsProbe(tasks_.back()));
}

TEST_F(CoreGatesTest, ProbesOfOneServerGoTogetherInOneConnection) {
  for (int i = 0; i < 5; ++i) Configure("a", absl::StrCat("t", i)).server.max_connections = 4;
  Configure("b", "t0");
  SessionOpened other;
  other.session = "z";
  other.hello.name = "zoe";
  Begin(/*credit=*/9);
  Step({other, CreditChanged{"z", 99}});  // Has more room, and no connection.
  Run("r-1");
  ASSERT_EQ(tasks_.size(), 2u) << "one of each server";
  std::set<SessionId> sessions;
  for (int i = 0; i < 5; ++i) {
    const auto probe = std::find_if(tasks_.begin(), tasks_.end(), [](const OfferedTask& task) {
      return task.server == "a" && IsProbe(task);
    });
    ASSERT_NE(probe, tasks_.end()) << i;
    const OfferedTask task = *probe;
    sessions.insert(task.session);
    tasks_.erase(probe);
    now_ += absl::Milliseconds(5);
    Answer(task, Days(1));
  }
  EXPECT_EQ(sessions.size(), 1u);
}

TEST_F(CoreGatesTest, ASlowProbeHoldsUpNoOther) {
  for (int i = 0; i < 3; ++i) Configure("a", absl::StrCat("t", i));
  Begin(/*credit=*/9);
  Run("r-1");
  EXPECT_EQ(tasks_.size(), 1u);
  EXPECT_EQ(core_.NextDeadline(), now_ + absl::Seconds(1));
  now_ += absl::Seconds(1);
  Step({Ticked{}});
  EXPECT_EQ(tasks_.size(), 2u);
}

}  // namespace
}  // namespace headwater
