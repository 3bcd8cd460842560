#include "coordinator/state/lease_table.h"

#include "gmock/gmock.h"

namespace headwater {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);
const LeaseRef kTask{"microbatch-1-1", 7};

Lease Offered(const LeaseRef& ref, const std::string& session, bool backfill = false) {
  Lease lease;
  lease.ref = ref;
  lease.dataset = {"deals", "p1"};
  lease.session = session;
  lease.backfill = backfill;
  lease.deadline = kNoon;
  return lease;
}

TEST(LeaseTable, AtItsDeadlineALeaseIsGone) {
  LeaseTable leases;
  leases.Grant(Offered(kTask, "alice"));
  EXPECT_EQ(leases.NextDeadline(), kNoon);
  EXPECT_THAT(leases.Expire(kNoon - absl::Nanoseconds(1)), IsEmpty());
  EXPECT_EQ(leases.Expire(kNoon).size(), 1u);
  EXPECT_EQ(leases.Renew(kTask, "alice", kNoon + absl::Seconds(15)).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(leases.NextDeadline(), absl::InfiniteFuture());
}

TEST(LeaseTable, AnExpiredLeaseCannotBeRenewedOnceGrantedAgain) {
  LeaseTable leases;
  leases.Grant(Offered(kTask, "alice"));
  leases.Expire(kNoon);
  const LeaseRef second{"microbatch-1-2", 9};
  leases.Grant(Offered(second, "bob"));
  EXPECT_FALSE(leases.Renew(kTask, "alice", kNoon + absl::Seconds(15)).ok());
  EXPECT_FALSE(leases.Renew(second, "alice", kNoon + absl::Seconds(15)).ok());
  EXPECT_TRUE(leases.Renew(second, "bob", kNoon + absl::Seconds(15)).ok());
}

TEST(LeaseTable, AWorkerThatComesBackKeepsWhatItHeld) {
  LeaseTable leases;
  leases.Grant(Offered(kTask, "before"));
  EXPECT_TRUE(leases.Adopt(kTask, "after", kNoon + absl::Seconds(15)).ok());
  EXPECT_THAT(leases.HeldBy("before"), IsEmpty());
  EXPECT_THAT(leases.HeldBy("after"), ElementsAre(kTask));
  EXPECT_TRUE(leases.Find(kTask)->accepted);
  EXPECT_FALSE(leases.Adopt({"microbatch-1-9", 9}, "after", kNoon).ok());
}

TEST(LeaseTable, CountsConnectionsOfAServerFromLiveLeases) {
  LeaseTable leases;
  leases.Grant(Offered(kTask, "alice"));
  leases.Grant(Offered({"microbatch-1-2", 8}, "alice", /*backfill=*/true));
  EXPECT_EQ(leases.CountOnServer("p1"), 2);
  EXPECT_EQ(leases.CountBackfillsOnServer("p1"), 1);
  EXPECT_EQ(leases.CountOfSession("alice"), 2);
  EXPECT_TRUE(leases.End({"microbatch-1-2", 8}, kNoon));
  EXPECT_FALSE(leases.End({"microbatch-1-2", 8}, kNoon));
  EXPECT_EQ(leases.CountOnServer("p1"), 1);
  EXPECT_EQ(leases.CountBackfillsOnServer("p1"), 0);
  EXPECT_EQ(leases.CountOnServer("p2"), 0);
}

TEST(LeaseTable, ALeaseCountsWithAllItsConnections) {
  LeaseTable leases;
  Lease lease = Offered(kTask, "alice", /*backfill=*/true);
  lease.connections = 3;
  leases.Grant(lease);
  leases.Grant(Offered({"microbatch-1-2", 8}, "alice"));
  EXPECT_EQ(leases.CountOnServer("p1"), 4);
  EXPECT_EQ(leases.CountBackfillsOnServer("p1"), 3);
  EXPECT_EQ(leases.CountOfSession("alice"), 2);
  EXPECT_TRUE(leases.End(kTask, kNoon));
  EXPECT_EQ(leases.CountOnServer("p1"), 1);
  EXPECT_EQ(leases.CountBackfillsOnServer("p1"), 0);
}

TEST(LeaseTable, AConnectionWithoutALeaseCountsAgainstOthersUntilItIsClosed) {
  LeaseTable leases(absl::Seconds(2));
  Lease lease = Offered(kTask, "alice");
  lease.connections = 3;
  leases.Grant(lease);
  ASSERT_TRUE(leases.Accept(kTask, "alice", kNoon + absl::Seconds(15)).ok());
  ASSERT_TRUE(leases.End(kTask, kNoon));
  EXPECT_EQ(leases.CountOnServer("p1"), 0);
  EXPECT_EQ(leases.CountAgainst("p1", "alice", kNoon), 0);
  EXPECT_EQ(leases.CountAgainst("p1", "bob", kNoon), 3);
  EXPECT_EQ(leases.CountAgainst("p2", "bob", kNoon), 0);
  EXPECT_EQ(leases.NextClosed("p1", "bob", kNoon), kNoon + absl::Seconds(2));
  EXPECT_EQ(leases.NextClosed("p1", "alice", kNoon), absl::InfiniteFuture());

  EXPECT_TRUE(leases.Keeps("p1", "alice", kNoon));
  EXPECT_FALSE(leases.Keeps("p1", "bob", kNoon));
  EXPECT_FALSE(leases.Keeps("p1", "alice", kNoon + absl::Seconds(2)));

  // A new lease of the same worker takes its connection over.
  leases.Grant(Offered({"microbatch-1-2", 8}, "alice"));
  EXPECT_EQ(leases.CountAgainst("p1", "bob", kNoon), 3);
  EXPECT_EQ(leases.CountAgainst("p1", "alice", kNoon), 1);
  EXPECT_EQ(leases.CountAgainst("p1", "bob", kNoon + absl::Seconds(2)), 1);
  EXPECT_EQ(leases.NextClosed("p1", "bob", kNoon + absl::Seconds(2)), absl::InfiniteFuture());
}

TEST(LeaseTable, WhatWasNeverAcceptedKeepsNothing) {
  LeaseTable leases(absl::Seconds(2));
  leases.Grant(Offered(kTask, "alice"));
  ASSERT_TRUE(leases.End(kTask, kNoon));
  EXPECT_EQ(leases.CountAgainst("p1", "bob", kNoon), 0);
}

}  // namespace
}  // namespace headwater
