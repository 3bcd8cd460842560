// A coordinator in this process, with or without worker loops, talking the same gRPC protocol as
// many processes do. Nothing is mocked in it: `headwater run` without --coordinator is this.
#ifndef HEADWATER_CLI_LOCAL_CLUSTER_H_
#define HEADWATER_CLI_LOCAL_CLUSTER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/ledger_home.h"
#include "common/config/config.h"

namespace headwater {

struct LocalClusterOptions {
  int workers = 0;  // Slots of the worker in this process; 0: none, workers connect from elsewhere.
  std::string listen;  // host:port; empty: the Unix socket only.
  bool socket = true;  // Listens at the Unix socket beside the configuration.
  bool workers_are_dead =
      true;  // All workers of the last term lived in the process that held the lock.
};

// Thread-safe but for Start and Shutdown.
class LocalCluster {
 public:
  // Opens the ledger, replays it, binds the socket beside it and starts the workers. `config` must
  // outlive the cluster; `ledger` is taken, and kept. When another process takes it, this one ends
  // at once. DATA_LOSS: the ledger is damaged (says what can be done). UNAVAILABLE: the address
  // cannot be bound.
  static absl::StatusOr<std::unique_ptr<LocalCluster>> Start(const Config& config,
                                                             std::unique_ptr<LedgerHome> ledger,
                                                             const LocalClusterOptions& options);
  ~LocalCluster();  // Shutdown().

  // Where clients and workers reach it: the Unix socket, if there is one, and the port that
  // `listen` became (0: none).
  std::string address() const;
  int port() const;

  // Blocks until no run is live and nothing waits for publication.
  absl::Status WaitIdle();

  // After that: collects garbage that is due, for at most `limit` and while nobody wants more.
  void FinishCollections(absl::Duration limit);

  // Ends workers, coordinator and server, in this order; what was under way goes on at the next
  // start. Clients that still wait get UNAVAILABLE.
  void Shutdown();

 private:
  struct Impl;
  explicit LocalCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Worker options for the sources and sinks of this build; `name` empty: host and process id.
struct WorkerSettings {
  std::string address;
  std::string name;
  int slots = 2;
};
// Host and process id: what a process is called by others.
std::string ProcessName();

class Worker;
absl::StatusOr<std::unique_ptr<Worker>> StartWorker(const WorkerSettings& settings);

}  // namespace headwater

#endif  // HEADWATER_CLI_LOCAL_CLUSTER_H_
