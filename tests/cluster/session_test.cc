// Workers' side of the wire: leases, reports, delivery, drain.
#include "absl/strings/str_cat.h"
#include "tests/cluster/session_fixture.h"

namespace headwater {
namespace {

TEST_F(SessionTest, WhatIsOfferedIsAcceptedDeliveredAndPublished) {
  runner_.Open();
  StartWorker();
  ASSERT_EQ(SubmitRun(), "r-1");
  EXPECT_TRUE(coordinator_->WaitIdle().ok());
  EXPECT_EQ(runner_.begun, 1);
  EXPECT_EQ(committers_.commits, 1);
  Eventually("the lease is given up", [&] { return worker_->held() == 0; });
}

// The coordinator has an outcome, and offers the next task, before the worker hears that it has.
TEST_F(SessionTest, AWorkerWithRoomForOneTaskTakesEveryOffer) {
  runner_.Open();
  WorkerOptions options = OptionsOfWorker();
  options.session.slots = 1;
  options.session.queue = 0;
  StartWorker(std::move(options));
  for (int i = 0; i < 50; ++i) {
    SubmitRun(absl::StrCat("r-", i));
    ASSERT_TRUE(coordinator_->WaitIdle().ok());
  }
  EXPECT_EQ(runner_.begun, 50);
  EXPECT_EQ(CountReleased(), 0);
}

TEST_F(SessionTest, ALeaseOutlivesAStreamThatIsCutAndComesBack) {
  StartWorker();
  SubmitRun();
  Eventually("the task begins", [&] { return runner_.begun == 1; });
  Cut();
  clock_.Advance(absl::Seconds(5));
  Serve();
  runner_.Open();
  // The worker waits by the test's clock before it connects again.
  Eventually("published", [&] {
    if (clock_.Now() < absl::FromUnixSeconds(1'800'000'010)) clock_.Advance(absl::Milliseconds(2));
    return committers_.commits == 1;
  });
  EXPECT_TRUE(coordinator_->WaitIdle().ok());
  // Begun again only if the cut came before the worker's word that it had accepted; then the claim
  // may also have been offered to the stream that was gone, and begun by nobody.
  const int released = CountReleased();
  EXPECT_LE(runner_.begun, 1 + released);
  EXPECT_LE(runner_.stopped, released);
}

TEST_F(SessionTest, AHeldLeaseIsKeptByTheNextSessionAndDeliveredThere) {
  const v1::TaskSpec task = OfferToRaw();
  raw_->Accept(task);
  ASSERT_EQ(raw_->Report(task).verdicts(0).verdict(), v1::VERDICT_KEEP);
  Cut();
  raw_.reset();
  clock_.Advance(absl::Seconds(14));
  Serve();
  raw_ = std::make_unique<RawWorker>(address_);
  raw_->Hello(/*protocol=*/1, &task);
  const v1::CoordinatorFrame welcome = raw_->Read();
  ASSERT_EQ(welcome.welcome().held_size(), 1);
  EXPECT_EQ(welcome.welcome().held(0).verdict(), v1::VERDICT_KEEP);
  EXPECT_THAT(raw_->Deliver({ToProto(OutcomeOf(*FromProto(task), clock_.Now()))}),
              ::testing::ElementsAre(absl::StatusCode::kOk));
  EXPECT_TRUE(coordinator_->WaitIdle().ok());
  EXPECT_EQ(CountReleased(), 0);
}

TEST_F(SessionTest, AHeldLeaseThatRanOutIsAbandonedByTheNextSession) {
  const v1::TaskSpec task = OfferToRaw();
  raw_->Accept(task);
  ASSERT_EQ(raw_->Report(task).verdicts(0).verdict(), v1::VERDICT_KEEP);
  Cut();
  raw_.reset();
  clock_.Advance(absl::Seconds(15));
  Serve();
  raw_ = std::make_unique<RawWorker>(address_);
  raw_->Hello(/*protocol=*/1, &task);
  EXPECT_EQ(raw_->Read().welcome().held(0).verdict(), v1::VERDICT_ABANDON);
}

TEST_F(SessionTest, AWorkerThatNobodyAcknowledgesStopsEverything) {
  StartWorker();
  SubmitRun();
  Eventually("the task begins", [&] { return runner_.begun == 1 && worker_->held() == 1; });
  Cut();
  clock_.Advance(absl::Seconds(11));
  EXPECT_EQ(runner_.stopped, 0);
  clock_.Advance(absl::Seconds(1));
  Eventually("the task is stopped", [&] { return runner_.stopped == 1; });
  Eventually("no lease is held", [&] { return worker_->held() == 0; });
  EXPECT_EQ(committers_.commits, 0);
}

TEST_F(SessionTest, ACancelledRunStopsItsTask) {
  StartWorker();
  SubmitRun();
  Eventually("the task begins", [&] { return runner_.begun == 1; });
  CancelRun("r-1");
  Eventually("the task is stopped", [&] { return runner_.stopped == 1; });
  EXPECT_TRUE(coordinator_->WaitIdle().ok());
  EXPECT_EQ(committers_.commits, 0);
}

TEST_F(SessionTest, ADrainingWorkerFinishesWhatItBeganAndSaysGoodbye) {
  StartWorker();
  SubmitRun();
  Eventually("the task begins", [&] { return runner_.begun == 1 && worker_->held() == 1; });
  worker_->BeginDrain();
  EXPECT_EQ(worker_->held(), 1);
  runner_.Open();
  worker_->WaitUntilDrained();
  EXPECT_EQ(worker_->held(), 0);
  EXPECT_TRUE(coordinator_->WaitIdle().ok());
  EXPECT_EQ(committers_.commits, 1);
}

TEST_F(SessionTest, AnOfferThatIsNotAcceptedInTimeIsVoid) {
  const v1::TaskSpec first = OfferToRaw();
  clock_.Advance(absl::Seconds(2));
  const v1::TaskSpec second = raw_->ReadOffer();
  EXPECT_GT(second.fence(), first.fence());
  raw_->Accept(first);  // Too late.
  const v1::ReportAck ack = raw_->Report(first);
  ASSERT_EQ(ack.verdicts_size(), 1);
  EXPECT_EQ(ack.verdicts(0).verdict(), v1::VERDICT_ABANDON);
  EXPECT_THAT(raw_->Deliver({ToProto(OutcomeOf(*FromProto(first), clock_.Now()))}),
              ::testing::ElementsAre(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SessionTest, DeliveringTwiceIsTheSameAsOnce) {
  const v1::TaskSpec task = OfferToRaw();
  raw_->Accept(task);
  const v1::Outcome outcome = ToProto(OutcomeOf(*FromProto(task), clock_.Now()));
  EXPECT_THAT(raw_->Deliver({outcome, outcome}),
              ::testing::ElementsAre(absl::StatusCode::kOk, absl::StatusCode::kOk));
  EXPECT_TRUE(coordinator_->WaitIdle().ok());
  EXPECT_THAT(raw_->Deliver({outcome}), ::testing::ElementsAre(absl::StatusCode::kOk));
  EXPECT_EQ(committers_.commits, 1);
}

TEST_F(SessionTest, AnOutcomeThatDoesNotConvertHindersNoOther) {
  const v1::TaskSpec task = OfferToRaw();
  raw_->Accept(task);
  const v1::Outcome good = ToProto(OutcomeOf(*FromProto(task), clock_.Now()));
  v1::Outcome bad = good;
  bad.mutable_manifest()->mutable_pieces(0)->mutable_files(0)->set_path("../escape");
  EXPECT_THAT(raw_->Deliver({bad, good}),
              ::testing::ElementsAre(absl::StatusCode::kInvalidArgument, absl::StatusCode::kOk));
}

TEST_F(SessionTest, ADatasetSpecIsSentOnceToASession) {
  OfferToRaw();
  clock_.Advance(absl::Seconds(2));
  raw_->ReadOffer();
  ASSERT_EQ(raw_->specs_sent.size(), 1u);
  EXPECT_EQ(raw_->specs_sent.begin()->second, 1);
}

TEST_F(SessionTest, AWorkerOfAnotherProtocolIsToldWhatIsSpoken) {
  RawWorker raw(address_);
  raw.Hello(/*protocol=*/99);
  v1::CoordinatorFrame frame;
  EXPECT_FALSE(raw.stream->Read(&frame));
  const grpc::Status status = raw.stream->Finish();
  raw.finished = true;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("protocol 99 to 99"));
}

TEST_F(SessionTest, ALedgerThatCannotBeWrittenEndsTheCoordinatorAndNothingLeavesIt) {
  {
    absl::MutexLock lock(&ledger_->mutex);
    ledger_->append_error = absl::ResourceExhaustedError("disk full");
  }
  EXPECT_EQ(SubmitRun(), "");  // No answer but UNAVAILABLE.
  EXPECT_TRUE(died_);
  EXPECT_EQ(coordinator_->WaitIdle().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace headwater
