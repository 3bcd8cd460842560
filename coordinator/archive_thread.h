// Ended runs go to the archive beside the core: one thread writes, so that no step waits for a
// disk.
#ifndef HEADWATER_COORDINATOR_ARCHIVE_THREAD_H_
#define HEADWATER_COORDINATOR_ARCHIVE_THREAD_H_

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/base/bounded_queue.h"
#include "coordinator/core.h"
#include "headwater/v1/history.pb.h"

namespace headwater {

// Keeps runs for good: durable on return. Repeatable.
using PutRuns = std::function<absl::Status(const std::vector<v1::EndedRun>&)>;

// Confined to one thread, but for Interrupt() and the thread inside.
class ArchiveThread {
 public:
  // `post` takes a RunsWritten for each effect; it and `put` are called from the thread inside.
  // Both, and what they use, must outlive this object.
  ArchiveThread(PutRuns put, std::function<void(Input)> post);
  ~ArchiveThread();  // Stop().

  // Queues the effect. Never blocks: the core has at most one under way.
  void Run(ArchiveRuns effect);

  // Answers CANCELLED to effects that come after it, or are not begun. Thread-safe.
  void Interrupt() { interrupted_ = true; }

  // Interrupt(), and waits for the file under way. Repeatable.
  void Stop();

 private:
  void Loop();

  const PutRuns put_;
  const std::function<void(Input)> post_;
  std::atomic<bool> interrupted_ = false;
  BoundedQueue<ArchiveRuns> work_;
  std::thread thread_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_ARCHIVE_THREAD_H_
