// A worker: slots that run what the coordinator offers, and the session that brings it.
#ifndef HEADWATER_WORKER_WORKER_H_
#define HEADWATER_WORKER_WORKER_H_

#include <functional>
#include <memory>
#include <stop_token>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/model/task.h"
#include "worker/session_client.h"
#include "worker/source_pool.h"
#include "worker/task_host.h"

namespace headwater {

// Runs one task to its outcome, which names the task's lease. Called on a slot's thread. Ends soon
// after `stop` was requested; what it staged is then gone, and the outcome does not matter.
// `loaded_at` is this machine's clock when the task began.
using TaskRunner = std::function<Outcome(const DatasetSpec& dataset, const TaskSpec& task,
                                         Source& source, absl::Time loaded_at, std::stop_token stop,
                                         const ProgressCallback& progress)>;

// Likewise for what needs no source: compactions, and what is done to histories.
using FileTaskRunner =
    std::function<Outcome(const DatasetSpec& dataset, const TaskSpec& task, std::stop_token stop,
                          const ProgressCallback& progress)>;

struct WorkerOptions {
  SessionOptions session;  // `slots` of it is the number of slot threads.
  SourceOpener open_source;
  TaskRunner run_task;
  FileTaskRunner run_compaction;
  FileTaskRunner run_histories = {};
  absl::Duration source_idle = absl::Seconds(1);  // Then a connection that nobody uses is closed.
};

// Thread-safe.
class Worker {
 public:
  // Starts the slots and the session. Errors: as SessionClient::Create().
  static absl::StatusOr<std::unique_ptr<Worker>> Start(WorkerOptions options);
  ~Worker();  // Shutdown().

  // Lets running tasks finish, hands the others back, takes no more and says goodbye. Blocks until
  // that is done, or Shutdown() is called.
  void Drain();

  // Like Drain(), without waiting: for a signal's thread.
  void BeginDrain();
  // Blocks until a drain, also one that the coordinator asked for, is complete.
  void WaitUntilDrained();

  // Stops everything now: running tasks are stopped and waited for, their leases run out at the
  // coordinator. Blocks while a source takes to be cancelled (SourceReader::Cancel()). Repeatable,
  // from one thread at a time.
  void Shutdown();

  int64_t held() const;  // Leases, for people and tests.

 private:
  struct Impl;
  explicit Worker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_WORKER_H_
