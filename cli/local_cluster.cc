#include "cli/local_cluster.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/ledger_lock.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_collector.h"
#include "coordinator/commit/delta/delta_committer.h"
#include "coordinator/commit/delta/delta_takeover.h"
#include "coordinator/coordinator.h"
#include "coordinator/history/run_archive.h"
#include "coordinator/ledger/ledger_backups.h"
#include "coordinator/service/admin_service.h"
#include "coordinator/service/session_service.h"
#include "worker/history_runner.h"
#include "worker/microbatch_runner.h"
#include "worker/registry.h"
#include "worker/worker.h"

#ifndef HEADWATER_VERSION
#define HEADWATER_VERSION "unknown"
#endif

namespace headwater {
namespace {

// Garbage comes by the day; a look costs a listing of the table's folder.
constexpr absl::Duration kCollectEvery = absl::Hours(1);
constexpr absl::Duration kShutdownGrace = absl::Seconds(2);

std::vector<DatasetSpec> SpecsOf(const Config& config) {
  std::vector<DatasetSpec> specs;
  for (const DatasetConfig& dataset : config.datasets) specs.push_back(dataset.spec);
  return specs;
}

}  // namespace

// Destroyed from the bottom up.
struct LocalCluster::Impl {
  Impl(std::unique_ptr<LedgerHome> taken, const std::string& history)
      : ledger(std::move(taken)), archive(OpenLocalStore(history)) {}

  std::unique_ptr<LedgerHome> ledger;
  std::optional<LedgerBackups> backups;
  std::string address;
  int port = 0;
  std::vector<Endpoint> endpoints;
  DeltaCommitterFactory committers;
  DeltaCollectorFactory collectors;
  DeltaTakeoverFactory takeovers;
  RunArchive archive;
  std::unique_ptr<Coordinator> coordinator;
  std::unique_ptr<SessionService> sessions;
  std::unique_ptr<AdminService> admin;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<Worker> worker;
};

std::string ProcessName() {
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, ":", getpid());
}

absl::StatusOr<std::unique_ptr<Worker>> StartWorker(const WorkerSettings& settings) {
  WorkerOptions options;
  options.session.address = settings.address;
  options.session.name = settings.name.empty() ? ProcessName() : settings.name;
  options.session.build = HEADWATER_VERSION;
  options.session.slots = settings.slots;
  options.session.queue = settings.slots;  // Each slot finds its next task waiting.
  options.session.drivers = SourceDrivers();
  options.open_source = OpenSource;
  options.run_task = [](const DatasetSpec& dataset, const TaskSpec& task, Source& source,
                        absl::Time loaded_at, std::stop_token stop,
                        const ProgressCallback& progress) {
    RunTaskOptions run;
    run.loaded_at = loaded_at;
    return RunTask(dataset, task, source, OpenStagingWriter, run, stop, progress);
  };
  options.run_compaction = [](const DatasetSpec& dataset, const TaskSpec& task,
                              std::stop_token stop, const ProgressCallback& progress) {
    return RunCompaction(dataset, task, CompactTarget, stop, progress);
  };
  options.run_histories = [](const DatasetSpec& dataset, const TaskSpec& task, std::stop_token stop,
                             const ProgressCallback& progress) {
    return RunHistories(dataset, task, {CheckTargetHistories, MendTargetHistories}, stop, progress);
  };
  return Worker::Start(std::move(options));
}

LocalCluster::LocalCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LocalCluster::~LocalCluster() { Shutdown(); }

absl::StatusOr<std::unique_ptr<LocalCluster>> LocalCluster::Start(
    const Config& config, std::unique_ptr<LedgerHome> ledger, const LocalClusterOptions& options) {
  auto impl = std::make_unique<Impl>(std::move(ledger), HistoryFolder(config.directory));
  impl->ledger->Keep(EndForAnother);
  CoordinatorOptions coordinator;
  coordinator.datasets = SpecsOf(config);
  coordinator.config_digest = config.digest;
  ASSIGN_OR_RETURN(coordinator.log, impl->ledger->OpenLog());
  const bool is_new = coordinator.log->last_sequence() == 0;
  coordinator.committers = &impl->committers;
  coordinator.collectors = &impl->collectors;
  coordinator.core.collect_every = kCollectEvery;
  coordinator.core.keep_runs = config.history_kept;
  coordinator.archive = [archive = &impl->archive](const std::vector<v1::EndedRun>& runs) {
    return archive->Put(runs);
  };
  for (const DatasetConfig& dataset : config.datasets)
    coordinator.retention[dataset.spec.id.table] = dataset.retention;
  coordinator.workers_are_dead = options.workers_are_dead;
  ASSIGN_OR_RETURN(impl->coordinator, Coordinator::Start(std::move(coordinator)));
  if (const std::string file = impl->ledger->file(); !file.empty())
    impl->backups.emplace(file, BackupFolder(config.directory), is_new);
  impl->sessions = std::make_unique<SessionService>(impl->coordinator.get());
  impl->admin =
      std::make_unique<AdminService>(impl->coordinator.get(), &config, options.workers > 0,
                                     &Clock::Real(), &impl->takeovers, &impl->archive);

  grpc::ServerBuilder builder;
  if (options.socket) {
    RETURN_IF_ERROR(MakeStateFolder(config.directory));
    impl->address = SocketAddress(config.directory);
    // The ledger is ours, so a socket that is there was left by a process that has ended.
    unlink(std::string(absl::StripPrefix(impl->address, "unix:")).c_str());
    ASSIGN_OR_RETURN(Endpoint socket, Endpoint::Parse(impl->address));
    impl->endpoints.push_back(std::move(socket));
    Listen(builder, impl->endpoints.back());
  }
  if (!options.listen.empty()) {
    ASSIGN_OR_RETURN(Endpoint tcp, Endpoint::Parse(options.listen));
    impl->endpoints.push_back(std::move(tcp));
    Listen(builder, impl->endpoints.back(), &impl->port);
  }
  builder.RegisterService(impl->sessions.get());
  builder.RegisterService(impl->admin.get());
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || (!options.listen.empty() && impl->port == 0)) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen at ", options.listen.empty() ? impl->address : options.listen,
                     "; is another program using it?"));
  }
  if (options.workers > 0) {
    ASSIGN_OR_RETURN(impl->worker, StartWorker({impl->address, ProcessName(), options.workers}));
  }
  return std::unique_ptr<LocalCluster>(new LocalCluster(std::move(impl)));
}

std::string LocalCluster::address() const { return impl_->address; }
int LocalCluster::port() const { return impl_->port; }

absl::Status LocalCluster::WaitIdle() { return impl_->coordinator->WaitIdle(); }

void LocalCluster::FinishCollections(absl::Duration limit) {
  impl_->coordinator->FinishCollections(limit);
}

void LocalCluster::Shutdown() {
  if (impl_ == nullptr) return;
  if (impl_->worker != nullptr) impl_->worker->Shutdown();
  // The coordinator answers UNAVAILABLE from here on, on which whoever has just attached looks for
  // another host. Calls that the server cut off would get CANCELLED, which says nothing.
  if (impl_->coordinator != nullptr) impl_->coordinator->Shutdown();
  if (impl_->server != nullptr) {
    impl_->server->Shutdown(absl::ToChronoTime(absl::Now() + kShutdownGrace));
    impl_->server->Wait();
  }
  impl_.reset();
}

}  // namespace headwater
