// People's side of the wire: runs are submitted, watched and refused.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "coordinator/startup.h"
#include "tests/cluster/session_fixture.h"

namespace headwater {
namespace {

class PeopleTest : public SessionTest {};

// A person's side of the wire.
struct Person {
  explicit Person(const std::string& address)
      : endpoint(*Endpoint::Parse(address)),
        stub(v1::AdminService::NewStub(OpenChannel(endpoint))) {}

  grpc::Status Submit(const std::string& digest, const std::string& pattern,
                      v1::SubmitRunResponse* response, const std::string& key = "key") {
    v1::SubmitRunRequest request;
    request.set_config_digest(digest);
    request.set_idempotency_key(key);
    request.set_kind(v1::RUN_KIND_INCREMENTAL);
    request.mutable_selection()->add_patterns(pattern);
    grpc::ClientContext context;
    return stub->SubmitRun(&context, request, response);
  }

  // The last message of a watch, or its error.
  absl::StatusOr<v1::WatchRunResponse> WatchToTheEnd(const std::string& run_id) {
    v1::WatchRunRequest request;
    request.set_run_id(run_id);
    grpc::ClientContext context;
    auto stream = stub->WatchRun(&context, request);
    v1::WatchRunResponse last;
    while (stream->Read(&last)) {
    }
    const grpc::Status status = stream->Finish();
    if (status.ok()) return last;
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }

  // A run of everything, to its end.
  void Run(const std::string& key) {
    v1::SubmitRunResponse submitted;
    ASSERT_TRUE(Submit("digest", "jfk/planes", &submitted, key).ok());
    const auto last = WatchToTheEnd(submitted.run_id());
    ASSERT_TRUE(last.ok()) << last.status();
    EXPECT_FALSE(last->failed());
  }

  grpc::Status Plan(const std::string& digest, v1::PlanResponse* response) {
    v1::PlanRequest request;
    request.set_config_digest(digest);
    request.set_kind(v1::RUN_KIND_INCREMENTAL);
    grpc::ClientContext context;
    return stub->Plan(&context, request, response);
  }

  grpc::Status Verify(const std::string& digest, v1::VerifyResponse* response) {
    v1::VerifyRequest request;
    request.set_config_digest(digest);
    grpc::ClientContext context;
    return stub->Verify(&context, request, response);
  }

  v1::GetStatusResponse Status() {
    grpc::ClientContext context;
    v1::GetStatusResponse status;
    EXPECT_TRUE(stub->GetStatus(&context, {}, &status).ok());
    return status;
  }

  Endpoint endpoint;
  std::unique_ptr<v1::AdminService::Stub> stub;
};

TEST_F(PeopleTest, APersonSubmitsARunAndWatchesItToItsEnd) {
  runner_.Open();
  StartWorker();
  Person person(address_);
  v1::SubmitRunResponse submitted;
  ASSERT_TRUE(person.Submit("digest", "jfk/planes", &submitted).ok());
  const auto last = person.WatchToTheEnd(submitted.run_id());
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_TRUE(last->ended());
  EXPECT_FALSE(last->failed());
  ASSERT_EQ(last->datasets_size(), 1);
  EXPECT_EQ(last->datasets(0).rows_written(), 3);
  EXPECT_EQ(person.WatchToTheEnd("r-0").status().code(), absl::StatusCode::kNotFound);
  grpc::ClientContext context;
  v1::GetStatusResponse status;
  ASSERT_TRUE(person.stub->GetStatus(&context, {}, &status).ok());
  EXPECT_TRUE(status.live());
  EXPECT_EQ(status.ledger_id(), "memory");
  EXPECT_EQ(status.datasets_size(), 1);
}

TEST_F(PeopleTest, ARunWithAnotherConfigurationOrAnUnknownTableIsRefused) {
  Person person(address_);
  v1::SubmitRunResponse submitted;
  EXPECT_EQ(person.Submit("other", "jfk/planes", &submitted).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(person.Submit("digest", "jfk/plains", &submitted).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

// Listens, and answers nobody: what a client sees of a coordinator on a machine that is busy.
class SilentListener {
 public:
  explicit SilentListener(const std::string& path) : socket_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    HW_CHECK(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    HW_CHECK(listen(socket_, 8) == 0);
  }
  ~SilentListener() { close(socket_); }

 private:
  const int socket_;
};

TEST_F(PeopleTest, ACoordinatorThatIsSlowToAnswerIsWaitedFor) {
  const SilentListener listener(folder_.path() + "/silent.sock");
  Person person("unix:" + folder_.path() + "/silent.sock");
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  v1::GetStatusResponse status;
  // UNAVAILABLE would be the connection's verdict, long before the caller's deadline.
  EXPECT_EQ(person.stub->GetStatus(&context, {}, &status).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(PeopleTest, AWatcherWhoLeavesIsForgotten) {
  Person person(address_);
  v1::SubmitRunResponse submitted;
  ASSERT_TRUE(person.Submit("digest", "jfk/planes", &submitted).ok());
  v1::WatchRunRequest request;
  request.set_run_id(submitted.run_id());
  grpc::ClientContext context;
  auto stream = person.stub->WatchRun(&context, request);
  v1::WatchRunResponse first;
  ASSERT_TRUE(stream->Read(&first));
  EXPECT_FALSE(first.ended());
  context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  Cut();  // Waits for the stream to be gone.
}

TEST_F(PeopleTest, APlanSaysWhatARunWouldDoAndDoesNothing) {
  StartWorker();
  Person person(address_);
  v1::PlanResponse plan;
  EXPECT_EQ(person.Plan("other", &plan).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  ASSERT_TRUE(person.Plan("digest", &plan).ok());
  ASSERT_EQ(plan.datasets_size(), 1);
  EXPECT_EQ(plan.datasets(0).microbatches(), 1);
  EXPECT_EQ(plan.datasets(0).estimated_rows(), -1);  // This source makes no estimate.
  EXPECT_FALSE(plan.datasets(0).has_problem());
  EXPECT_EQ(runner_.begun, 0);
  EXPECT_EQ(person.Status().live_runs_size(), 0);
}

TEST_F(PeopleTest, AVerificationComparesWhatIsPublishedWithTheSource) {
  runner_.Open();
  StartWorker();
  Person person(address_);
  person.Run("key");
  v1::VerifyResponse result;
  EXPECT_EQ(person.Verify("other", &result).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  ASSERT_TRUE(person.Verify("digest", &result).ok());
  ASSERT_EQ(result.datasets_size(), 1);
  EXPECT_EQ(result.datasets(0).pieces(), 1);
  EXPECT_EQ(result.datasets(0).rows(), 3);
  EXPECT_EQ(result.datasets(0).different(), 0);

  runner_.source_rows = 4;
  ASSERT_TRUE(person.Verify("digest", &result).ok());
  EXPECT_EQ(result.datasets(0).different(), 1);
  ASSERT_EQ(result.datasets(0).problems_size(), 1);
  EXPECT_EQ(result.datasets(0).problems(0).message(), "the source has 4 rows, the table 3");
  EXPECT_EQ(committers_.commits, 1);
}

TEST_F(PeopleTest, AVerificationNeedsNoRunOfItsTerm) {
  runner_.Open();
  StartWorker();
  Person(address_).Run("key");
  Restart();
  StartWorker();
  v1::VerifyResponse result;
  ASSERT_TRUE(Person(address_).Verify("digest", &result).ok());
  ASSERT_EQ(result.datasets_size(), 1);
  EXPECT_EQ(result.datasets(0).pieces(), 1);
}

TEST_F(PeopleTest, ACoordinatorGoesOnFromItsSnapshotAsFromEveryEvent) {
  snapshot_every_ = 4;
  Restart();
  runner_.Open();
  StartWorker();
  for (const char* key : {"a", "b", "c"}) Person(address_).Run(key);
  const v1::GetStatusResponse before = Person(address_).Status();
  End();

  MemoryEventLog log(ledger_);
  const auto restored = ReplayLog(log);
  ASSERT_TRUE(restored.ok()) << restored.status();
  ASSERT_GE(restored->snapshot_sequence, snapshot_every_);
  const auto bare = std::make_shared<MemoryLedger>();
  {
    absl::MutexLock lock(&ledger_->mutex);
    bare->events = ledger_->events;
    bare->last_sequence = ledger_->last_sequence;
  }
  MemoryEventLog without_snapshot(bare);
  const auto replayed = ReplayLog(without_snapshot);
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_EQ(replayed->snapshot_sequence, 0);
  EXPECT_EQ(restored->state->Serialize(), replayed->state->Serialize());

  StartCoordinator();
  const v1::GetStatusResponse after = Person(address_).Status();
  EXPECT_EQ(after.term(), before.term() + 1);
  ASSERT_EQ(after.datasets_size(), 1);
  EXPECT_EQ(after.datasets(0).SerializeAsString(), before.datasets(0).SerializeAsString());
  StartWorker();
  Person(address_).Run("d");
}

}  // namespace
}  // namespace headwater
