// Durable microbatch cycles per second: offer, accept, deliver, publish. Everything is real but the
// sources and the tables: core, SQLite ledger on disk, gRPC sessions over a Unix socket, slots.
//
//   durable_cycles_bench [CYCLES [ROUNDS [SERVERS]]]
//
// Each round is interleaved with its peer, a PostgreSQL SKIP LOCKED queue (skip_locked_queue.h).
#include <grpcpp/server_builder.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "bench/skip_locked_queue.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "coordinator/coordinator.h"
#include "coordinator/ledger/sqlite_event_log.h"
#include "coordinator/service/session_service.h"
#include "tests/support/temp_folder.h"
#include "worker/worker.h"

namespace headwater {
namespace {

constexpr int kTables = 4;
constexpr int kWorkers = 4;
constexpr int kSlots = 4;
constexpr int kQueue = 28;  // Beyond the slots: these microbatches take no time.
constexpr int kPeerClients = 4;
constexpr int64_t kUnit = 1'000;

DatasetSpec DatasetOf(int table, int server) {
  DatasetSpec spec;
  spec.id = {.table = absl::StrCat("table", table), .server = absl::StrCat("server", server)};
  spec.server.name = spec.id.server;
  spec.server.url = "none:";
  spec.server.max_connections = 1'000;  // Never the limit here.
  spec.relation = "deals";
  spec.strategy = Strategy::kIncremental;
  spec.cursor = "deal_id";
  spec.cursor_timezone = "UTC";
  spec.unit = {.kind = Unit::Kind::kValues, .count = kUnit};
  spec.settle_values = 0;
  spec.target_uri = absl::StrCat("/nowhere/", spec.id.table);
  return spec;
}

// Publishes everything at once and keeps nothing.
class NoTables : public CommitterFactory {
 public:
  absl::StatusOr<std::unique_ptr<TableCommitter>> Open(const TableLocation&) override {
    return std::make_unique<Committer>(this);
  }
  std::atomic<int64_t> published = 0, commits = 0;

 private:
  class Committer : public TableCommitter {
   public:
    explicit Committer(NoTables* all) : all_(all) {}
    absl::StatusOr<TableContents> Inspect() override { return TableContents(); }
    absl::StatusOr<std::vector<absl::Status>> Check(
        const std::vector<Replacement>& replacements) override {
      return std::vector<absl::Status>(replacements.size());
    }
    void Expect(const PublishedTable&) override {}
    absl::StatusOr<std::optional<Schema>> Columns() override { return std::nullopt; }
    absl::StatusOr<std::vector<PublishedPiece>> FindLost(
        const std::vector<PublishedPiece>&) override {
      return std::vector<PublishedPiece>();
    }
    absl::StatusOr<std::vector<std::vector<StagedFile>>> Files(
        const std::vector<PublishedPiece>& pieces) override {
      return std::vector<std::vector<StagedFile>>(pieces.size());
    }
    absl::StatusOr<std::vector<absl::StatusOr<std::vector<StagedFile>>>> KeyedFiles(
        const std::vector<DatasetId>& datasets) override {
      return std::vector<absl::StatusOr<std::vector<StagedFile>>>(datasets.size(),
                                                                  std::vector<StagedFile>());
    }
    absl::StatusOr<CommitResult> Commit(const Intent& intent) override {
      all_->published += static_cast<int64_t>(intent.replacements.size());
      return CommitResult{.version = all_->commits++};
    }
    absl::Status Abandon(const Intent&) override { return absl::OkStatus(); }

   private:
    NoTables* const all_;
  };
};

class NoSource : public Source {
 public:
  absl::StatusOr<ProbeResult> Probe(const DatasetSpec&, const ProbeTask&,
                                    std::stop_token) override {
    return absl::InternalError("nothing is read here");
  }
  absl::StatusOr<std::unique_ptr<SourceReader>> Read(const DatasetSpec&, const Extent&,
                                                     const ReadOptions&, std::stop_token) override {
    return absl::InternalError("nothing is read here");
  }
};

// A source of `microbatches` units, each without rows.
Outcome OutcomeOf(const TaskSpec& task, int64_t microbatches, absl::Time now) {
  Outcome outcome;
  outcome.lease = task.lease;
  if (std::holds_alternative<ProbeTask>(task.kind)) {
    ProbeResult probe;
    probe.cursor_type = CursorType::kInteger;
    probe.source_clock = now;
    probe.transactions_known = true;
    probe.minimum = 0;
    probe.bound = microbatches * kUnit - 1;
    outcome.result = std::move(probe);
    return outcome;
  }
  const MicrobatchTask& microbatch = std::get<MicrobatchTask>(task.kind);
  Manifest manifest;
  manifest.spec_version = "spec";
  Range rest = *microbatch.extent.range;
  const auto add = [&](int64_t to) {
    StagedPiece piece;
    piece.extent.range = Range{rest.from, to};
    rest.from = to;
    manifest.pieces.push_back(std::move(piece));
  };
  for (int64_t cut : microbatch.cuts) add(cut);
  add(rest.to);
  outcome.result = std::move(manifest);
  return outcome;
}

std::unique_ptr<Worker> StartWorker(const std::string& address, int number, int64_t microbatches) {
  WorkerOptions options;
  options.session.address = address;
  options.session.name = absl::StrCat("w", number);
  options.session.slots = kSlots;
  options.session.queue = kQueue;
  options.open_source = [](const ServerSpec&) { return std::make_unique<NoSource>(); };
  options.run_task = [microbatches](const DatasetSpec&, const TaskSpec& task, Source&,
                                    absl::Time loaded_at, std::stop_token,
                                    const ProgressCallback&) {
    return OutcomeOf(task, microbatches, loaded_at);
  };
  absl::StatusOr<std::unique_ptr<Worker>> worker = Worker::Start(std::move(options));
  HW_CHECK(worker.ok());
  return *std::move(worker);
}

void Submit(Coordinator& coordinator, const std::vector<DatasetSpec>& datasets) {
  RunSubmitted run;
  run.run_id = run.idempotency_key = "r-1";
  for (const DatasetSpec& spec : datasets) run.demands.emplace_back().dataset = spec.id;
  absl::Notification accepted;
  coordinator.SubmitRun(std::move(run), [&](absl::StatusOr<AnswerRun> answer) {
    HW_CHECK(answer.ok() && answer->status.ok());
    accepted.Notify();
  });
  accepted.WaitForNotification();
}

// Cycles per second of one new ledger.
double MeasureCycles(int cycles, int servers) {
  const TempFolder folder;
  NoTables tables;
  CoordinatorOptions options;
  for (int table = 0; table < kTables; ++table) {
    for (int server = 0; server < servers; ++server) {
      options.datasets.push_back(DatasetOf(table, server));
    }
  }
  const std::vector<DatasetSpec> datasets = options.datasets;
  const int64_t each = cycles / static_cast<int64_t>(datasets.size());
  absl::StatusOr<std::unique_ptr<EventLog>> log =
      OpenSqliteEventLog(folder.path() + "/ledger.sqlite");
  HW_CHECK(log.ok());
  options.log = *std::move(log);
  options.committers = &tables;
  auto coordinator = Coordinator::Start(std::move(options));
  HW_CHECK(coordinator.ok());
  SessionService service(coordinator->get());
  const std::string address = "unix:" + folder.path() + "/s.sock";
  const absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(address);
  HW_CHECK(endpoint.ok());
  grpc::ServerBuilder builder;
  Listen(builder, *endpoint);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  HW_CHECK(server != nullptr);
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < kWorkers; ++i) workers.push_back(StartWorker(address, i, each));

  const absl::Time began = Clock::Real().Now();
  Submit(**coordinator, datasets);
  HW_CHECK((*coordinator)->WaitIdle().ok());
  const double seconds = absl::ToDoubleSeconds(Clock::Real().Now() - began);

  workers.clear();
  server->Shutdown(std::chrono::system_clock::now());
  server->Wait();
  (*coordinator)->Shutdown();
  const int64_t published = tables.published;
  HW_CHECK(published >= each * static_cast<int64_t>(datasets.size()));
  absl::PrintF("  headwater    %7.0f cycles/s  (%d published in %d commits, %.2f s)\n",
               static_cast<double>(published) / seconds, published, tables.commits.load(), seconds);
  return static_cast<double>(published) / seconds;
}

void Main(int cycles, int rounds, int servers) {
  absl::PrintF("%d datasets of %d tables, %d workers of %d slots, durable ledger on disk\n",
               kTables * servers, kTables, kWorkers, kSlots);
  for (int round = 1; round <= rounds; ++round) {
    absl::PrintF("round %d of %d\n", round, rounds);
    const double ours = MeasureCycles(cycles, servers);
    const absl::StatusOr<double> peer = MeasureSkipLocked(cycles, kPeerClients);
    if (!peer.ok()) {
      absl::PrintF("  SKIP LOCKED  not measured: %s\n", peer.status().message());
      continue;
    }
    absl::PrintF("  SKIP LOCKED  %7.0f jobs/s    (%d clients; ratio %.2f)\n", *peer, kPeerClients,
                 ours / *peer);
  }
}

// A positive number, or the program ends with how it is used.
int Argument(const char* text) {
  int value = 0;
  if (absl::SimpleAtoi(text, &value) && value > 0) return value;
  absl::FPrintF(stderr, "usage: durable_cycles_bench [CYCLES [ROUNDS [SERVERS]]]\n");
  std::exit(2);
}

}  // namespace
}  // namespace headwater

int main(int argc, char** argv) {
  const int cycles = argc > 1 ? headwater::Argument(argv[1]) : 20'000;
  const int rounds = argc > 2 ? headwater::Argument(argv[2]) : 3;
  const int servers = argc > 3 ? headwater::Argument(argv[3]) : 8;
  headwater::Main(cycles, rounds, servers);
  return 0;
}
