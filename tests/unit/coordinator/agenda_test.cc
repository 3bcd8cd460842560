#include "coordinator/agenda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const DatasetId kFlights{.table = "flights", .server = "jfk"};
const DatasetId kPlanes{.table = "planes", .server = "jfk"};
const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

TEST(Agenda, ASleeperIsWokenByWhatChangesIt) {
  Agenda agenda;
  agenda.Wake(kFlights);
  agenda.Wake(kPlanes);
  EXPECT_THAT(agenda.servers().at("jfk").awake, ElementsAre(kFlights, kPlanes));
  agenda.Sleep(kFlights, absl::InfiniteFuture());
  EXPECT_THAT(agenda.servers().at("jfk").awake, ElementsAre(kPlanes));
  EXPECT_EQ(agenda.NextWake(), absl::InfiniteFuture());
  agenda.Wake(kFlights);
  EXPECT_THAT(agenda.servers().at("jfk").awake, ElementsAre(kFlights, kPlanes));
}

TEST(Agenda, ASleeperIsWokenAtItsHourAndNotBefore) {
  Agenda agenda;
  agenda.Sleep(kFlights, kNow + absl::Seconds(2));
  agenda.Sleep(kPlanes, kNow + absl::Seconds(1));
  EXPECT_EQ(agenda.NextWake(), kNow + absl::Seconds(1));
  agenda.WakeDue(kNow);
  EXPECT_THAT(agenda.servers().at("jfk").awake, IsEmpty());
  agenda.WakeDue(kNow + absl::Seconds(1));
  EXPECT_THAT(agenda.servers().at("jfk").awake, ElementsAre(kPlanes));
  EXPECT_EQ(agenda.NextWake(), kNow + absl::Seconds(2));
}

TEST(Agenda, TheLastHourCounts) {
  Agenda agenda;
  agenda.Sleep(kFlights, kNow);
  agenda.Sleep(kFlights, kNow + absl::Hours(1));
  agenda.WakeDue(kNow);
  EXPECT_THAT(agenda.servers().at("jfk").awake, IsEmpty());
  agenda.Wake(kFlights);  // Its hour is forgotten with its sleep.
  EXPECT_EQ(agenda.NextWake(), absl::InfiniteFuture());
}

TEST(Agenda, AServerWithNothingLeftIsEmpty) {
  Agenda agenda;
  agenda.Know("lga");
  EXPECT_TRUE(agenda.servers().at("lga").empty());
  agenda.WantProbe(kPlanes);
  EXPECT_FALSE(agenda.servers().at("jfk").empty());
  agenda.DropProbe(kPlanes);
  EXPECT_TRUE(agenda.servers().at("jfk").empty());
}

}  // namespace
}  // namespace headwater
