// Real gRPC over a Unix socket, the real core, real sessions and slots; time, sources, tasks and
// tables are the test's.
#ifndef HEADWATER_TESTS_CLUSTER_SESSION_FIXTURE_H_
#define HEADWATER_TESTS_CLUSTER_SESSION_FIXTURE_H_

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/base/check.h"
#include "common/model/model_proto.h"
#include "common/rpc/channel.h"
#include "coordinator/coordinator.h"
#include "coordinator/service/admin_service.h"
#include "coordinator/service/session_service.h"
#include "tests/cluster/raw_worker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_event_log.h"
#include "tests/support/temp_folder.h"
#include "worker/worker.h"

namespace headwater {

inline const DatasetId kPlanes{.table = "planes", .server = "jfk"};

inline DatasetSpec Planes() {
  DatasetSpec spec;
  spec.id = kPlanes;
  spec.server.name = "jfk";
  spec.server.url = "test:jfk";
  spec.relation = "planes";
  spec.cursor_timezone = "UTC";
  spec.target_uri = "/nowhere/planes";
  return spec;
}

// Waits, by the real clock and with a limit, for what other threads bring about.
inline void Eventually(const char* what, const std::function<bool()>& holds) {
  absl::Mutex mutex;
  const absl::Condition condition(&holds);
  const absl::Time limit = Clock::Real().Now() + absl::Seconds(30);
  absl::MutexLock lock(&mutex);
  while (!mutex.AwaitWithTimeout(condition, absl::Milliseconds(1))) {
    ASSERT_LT(Clock::Real().Now(), limit) << "never happened: " << what;
  }
}

// Publishes everything, and counts.
class CountingCommitters : public CommitterFactory {
 public:
  absl::StatusOr<std::unique_ptr<TableCommitter>> Open(const TableLocation&) override {
    return std::make_unique<Committer>(this);
  }
  std::atomic<int> commits = 0;

 private:
  class Committer : public TableCommitter {
   public:
    explicit Committer(CountingCommitters* all) : all_(all) {}
    absl::StatusOr<TableContents> Inspect() override { return TableContents(); }
    absl::StatusOr<std::vector<absl::Status>> Check(
        const std::vector<Replacement>& replacements) override {
      return std::vector<absl::Status>(replacements.size());
    }
    void Expect(const PublishedTable&) override {}
    absl::StatusOr<std::optional<Schema>> Columns() override { return std::nullopt; }
    using Pieces = std::vector<PublishedPiece>;
    absl::StatusOr<Pieces> FindLost(const Pieces&) override { return Pieces(); }
    absl::StatusOr<std::vector<std::vector<StagedFile>>> Files(
        const std::vector<PublishedPiece>& pieces) override {
      return std::vector<std::vector<StagedFile>>(pieces.size());
    }
    absl::StatusOr<std::vector<absl::StatusOr<std::vector<StagedFile>>>> KeyedFiles(
        const std::vector<DatasetId>& datasets) override {
      return std::vector<absl::StatusOr<std::vector<StagedFile>>>(datasets.size(),
                                                                  std::vector<StagedFile>());
    }
    absl::StatusOr<CommitResult> Commit(const Intent&) override {
      return CommitResult{.version = all_->commits++};
    }
    absl::Status Abandon(const Intent&) override { return absl::OkStatus(); }

   private:
    CountingCommitters* const all_;
  };
};

class NoSource : public Source {
 public:
  absl::StatusOr<ProbeResult> Probe(const DatasetSpec&, const ProbeTask&,
                                    std::stop_token) override {
    return absl::InternalError("the test's tasks do not read");
  }
  absl::StatusOr<std::unique_ptr<SourceReader>> Read(const DatasetSpec&, const Extent&,
                                                     const ReadOptions&, std::stop_token) override {
    return absl::InternalError("the test's tasks do not read");
  }
};

inline Outcome OutcomeOf(const TaskSpec& task, absl::Time now, int64_t rows = 3) {
  Outcome outcome;
  outcome.lease = task.lease;
  if (std::holds_alternative<ProbeTask>(task.kind)) {
    ProbeResult probe;
    probe.source_clock = now;
    probe.transactions_known = true;
    outcome.result = std::move(probe);
    return outcome;
  }
  StagedPiece piece;
  piece.fingerprint.rows = rows;
  Manifest manifest;
  manifest.rows_read = rows;
  manifest.spec_version = "spec";
  if (const auto* verification = std::get_if<VerificationTask>(&task.kind)) {
    piece.extent = verification->extent;
    manifest.pieces.push_back(std::move(piece));
    outcome.result = Verification{std::move(manifest)};
    return outcome;
  }
  piece.extent = std::get<MicrobatchTask>(task.kind).extent;
  StagedFile file;
  file.path = task.lease.task_id + ".parquet";
  file.size_bytes = 10;
  file.rows = rows;
  piece.files.push_back(std::move(file));
  manifest.pieces.push_back(std::move(piece));
  outcome.result = std::move(manifest);
  return outcome;
}

// Runs all at once but microbatches: they wait until the test opens the gate or they are stopped.
class GatedRunner {
 public:
  explicit GatedRunner(const Clock* clock) : clock_(clock) {}

  Outcome operator()(const TaskSpec& task, std::stop_token stop) {
    if (std::holds_alternative<MicrobatchTask>(task.kind)) {
      ++begun;
      absl::MutexLock lock(&mutex_);
      const std::function<bool()> may_go = [&] { return open_ || stop.stop_requested(); };
      const absl::Condition condition(&may_go);
      while (!mutex_.AwaitWithTimeout(condition, absl::Milliseconds(1))) {
      }
      if (stop.stop_requested()) {
        ++stopped;
        Outcome outcome;
        outcome.lease = task.lease;
        outcome.result =
            Failure{.kind = FailureKind::kTask, .status = absl::CancelledError("stopped")};
        return outcome;
      }
    }
    return OutcomeOf(task, clock_->Now(), source_rows);
  }

  void Open() {
    absl::MutexLock lock(&mutex_);
    open_ = true;
  }

  std::atomic<int64_t> source_rows = 3;
  std::atomic<int> begun = 0;
  std::atomic<int> stopped = 0;

 private:
  const Clock* const clock_;
  absl::Mutex mutex_;
  bool open_ = false;
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() : runner_(&clock_) { StartCoordinator(); }

  ~SessionTest() override {
    runner_.Open();
    End();
  }

  void StartCoordinator() {
    CoordinatorOptions options;
    options.datasets = {Planes()};
    options.config_digest = "digest";
    options.log = std::make_unique<MemoryEventLog>(ledger_);
    options.committers = &committers_;
    options.clock = &clock_;
    options.snapshot_every = snapshot_every_;
    options.die = [this](const absl::Status&) { died_ = true; };
    auto coordinator = Coordinator::Start(std::move(options));
    HW_CHECK(coordinator.ok());
    coordinator_ = *std::move(coordinator);
    service_ = std::make_unique<SessionService>(coordinator_.get());
    config_.digest = "digest";
    config_.datasets.assign(1, {});
    config_.datasets.front().spec = Planes();
    admin_ = std::make_unique<AdminService>(coordinator_.get(), &config_, false, &clock_);
    Serve();
  }

  void End() {
    raw_.reset();
    worker_.reset();
    Cut();
    coordinator_->Shutdown();
  }

  // Another coordinator takes over the ledger; nothing else is left.
  void Restart() {
    End();
    StartCoordinator();
  }

  void Serve() {
    auto endpoint = Endpoint::Parse(address_);
    HW_CHECK(endpoint.ok());
    grpc::ServerBuilder builder;
    Listen(builder, *endpoint);
    builder.RegisterService(service_.get());
    builder.RegisterService(admin_.get());
    server_ = builder.BuildAndStart();
    HW_CHECK(server_ != nullptr);
  }

  // Ends every stream, as a network that breaks would.
  void Cut() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_ = nullptr;
  }

  void StartWorker() { StartWorker(OptionsOfWorker()); }

  void StartWorker(WorkerOptions options) {
    auto worker = Worker::Start(std::move(options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
  }

  WorkerOptions OptionsOfWorker() {
    WorkerOptions options;
    options.session.address = address_;
    options.session.name = "w1";
    options.session.slots = 2;
    options.session.clock = &clock_;
    options.open_source = [](const ServerSpec&) { return std::make_unique<NoSource>(); };
    options.run_task = [this](const DatasetSpec& dataset, const TaskSpec& task, Source&, absl::Time,
                              std::stop_token stop, const ProgressCallback& progress) {
      EXPECT_EQ(dataset.id, kPlanes);
      progress({.phase = TaskPhase::kReading, .rows = 1});
      return runner_(task, stop);
    };
    return options;
  }

  std::string SubmitRun(const std::string& run_id = "r-1") {
    RunSubmitted run;
    run.run_id = run_id;
    run.idempotency_key = "key of " + run_id;
    run.demands.emplace_back().dataset = kPlanes;
    absl::Notification done;
    std::string id;
    coordinator_->SubmitRun(std::move(run), [&](absl::StatusOr<AnswerRun> answer) {
      if (answer.ok() && answer->status.ok()) id = answer->run_id;
      done.Notify();
    });
    done.WaitForNotification();
    return id;
  }

  void CancelRun(const std::string& run_id) {
    RunCancelRequested cancel;
    cancel.run_id = run_id;
    coordinator_->CancelRun(std::move(cancel), [](absl::StatusOr<AnswerCancel> answer) {
      EXPECT_TRUE(answer.ok() && answer->status.ok());
    });
  }

  // Connects raw_, runs it through the probe, and returns the microbatch that it was then offered.
  v1::TaskSpec OfferToRaw() {
    raw_ = std::make_unique<RawWorker>(address_);
    raw_->Hello();
    EXPECT_TRUE(raw_->Read().has_welcome());
    EXPECT_EQ(SubmitRun(), "r-1");
    const v1::TaskSpec probe = raw_->ReadOffer();
    EXPECT_TRUE(probe.has_probe());
    raw_->Accept(probe);
    EXPECT_THAT(raw_->Deliver({ToProto(OutcomeOf(*FromProto(probe), clock_.Now()))}),
                ::testing::ElementsAre(absl::StatusCode::kOk));
    v1::TaskSpec microbatch = raw_->ReadOffer();
    EXPECT_TRUE(microbatch.has_microbatch());
    return microbatch;
  }

  // Claims that ended without an attempt being counted.
  int CountReleased() {
    absl::MutexLock lock(&ledger_->mutex);
    int count = 0;
    for (const auto& [sequence, payload] : ledger_->events) {
      v1::Event event;
      EXPECT_TRUE(event.ParseFromString(payload));
      count += event.has_released() ? 1 : 0;
    }
    return count;
  }

  TempFolder folder_;
  const std::string address_ = "unix:" + folder_.path() + "/s.sock";
  FakeClock clock_;
  GatedRunner runner_;
  CountingCommitters committers_;
  std::shared_ptr<MemoryLedger> ledger_ = std::make_shared<MemoryLedger>();
  int64_t snapshot_every_ = 50'000;
  std::atomic<bool> died_ = false;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<SessionService> service_;
  Config config_;
  std::unique_ptr<AdminService> admin_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<RawWorker> raw_;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CLUSTER_SESSION_FIXTURE_H_
