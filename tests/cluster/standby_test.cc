// Coordinators that take turns: workers and commands that know one which stands by find the leader.
#include "absl/strings/str_cat.h"
#include "cli/admin_client.h"
#include "coordinator/service/standby_server.h"
#include "tests/cluster/session_fixture.h"

namespace headwater {
namespace {

class StandbyTest : public SessionTest {
 protected:
  StandbyTest() : standby_(*StandbyServer::Start("127.0.0.1:0")) {}

  std::string standby() const { return absl::StrCat("127.0.0.1:", standby_->port()); }

  const std::unique_ptr<StandbyServer> standby_;
};

TEST_F(StandbyTest, AWorkerIsLedToTheLeader) {
  standby_->SetLeader(address_);
  runner_.Open();
  WorkerOptions options = OptionsOfWorker();
  options.session.address = standby();
  options.session.clock = &Clock::Real();
  StartWorker(std::move(options));
  ASSERT_EQ(SubmitRun(), "r-1");
  EXPECT_TRUE(coordinator_->WaitIdle().ok());
  EXPECT_EQ(committers_.commits, 1);
}

TEST_F(StandbyTest, AWorkerTriesEachAddressUntilOneLeads) {
  const int unused = StandbyServer::Start("127.0.0.1:0").value()->port();  // Nobody listens there.
  runner_.Open();
  WorkerOptions options = OptionsOfWorker();
  options.session.address = absl::StrCat("127.0.0.1:", unused, ",", standby(), ",", address_);
  options.session.clock = &Clock::Real();
  StartWorker(std::move(options));
  ASSERT_EQ(SubmitRun(), "r-1");
  EXPECT_TRUE(coordinator_->WaitIdle().ok());
  EXPECT_EQ(committers_.commits, 1);
}

TEST_F(StandbyTest, ALeaseIsHeldWhileTheLeaderIsLookedFor) {
  WorkerOptions options = OptionsOfWorker();
  options.session.address = absl::StrCat(address_, ",", standby());
  options.session.clock = &Clock::Real();
  StartWorker(std::move(options));
  ASSERT_EQ(SubmitRun(), "r-1");
  Eventually("the microbatch has begun", [&] { return runner_.begun == 1; });
  Cut();
  standby_->SetLeader(address_);
  Serve();
  runner_.Open();
  EXPECT_TRUE(coordinator_->WaitIdle().ok());
  EXPECT_EQ(committers_.commits, 1);
  // Begun again only if the cut came before the worker's word that it had accepted.
  const int released = CountReleased();
  EXPECT_LE(runner_.begun, 1 + released);
  EXPECT_LE(runner_.stopped, released);
}

TEST_F(StandbyTest, ACommandAsksTheLeader) {
  standby_->SetLeader(address_);
  const auto client = *AdminClient::Create(standby());
  const auto status = client->GetStatus({});
  EXPECT_TRUE(status.ok()) << status.status();
}

TEST_F(StandbyTest, ACommandWaitsForOneThatLeads) {
  const auto client = *AdminClient::Create(absl::StrCat(standby(), ",", address_));
  Cut();
  absl::StatusOr<v1::GetStatusResponse> status = absl::UnknownError("not asked");
  std::thread asks([&] { status = client->GetStatus({}); });
  Serve();
  asks.join();
  EXPECT_TRUE(status.ok()) << status.status();
}

TEST_F(StandbyTest, ACommandThatKnowsOnlyOneCoordinatorIsToldThatItIsAway) {
  const auto client = *AdminClient::Create(address_);
  Cut();
  EXPECT_EQ(client->GetStatus({}).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace headwater
