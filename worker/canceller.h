// Requests stops on threads of its own: what a stop calls may take as long as a server lets it.
#ifndef HEADWATER_WORKER_CANCELLER_H_
#define HEADWATER_WORKER_CANCELLER_H_

#include <deque>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace headwater {

// Makes the stop requests of tasks. A request calls what the task has registered with its stop
// token, SourceReader::Cancel() above all, which may ask the server over a connection of its own:
// where packets are swallowed, it returns when the network gives up.
//
// A request for a task that has ended meanwhile calls nothing: callbacks go with what they would
// call, and the stop source lives on in here. A task cannot end while a callback of its own runs;
// so with as many threads as tasks run at a time none waits for the cancel of another, and no more
// wait than those tasks and some that have just ended.
//
// Thread-safe.
class Canceller {
 public:
  // Starts the threads; without any no request is made.
  explicit Canceller(int thread_count);
  ~Canceller();  // End().

  // Has the stop requested soon. Never blocks. A second request for the same task does nothing.
  // After End() nothing happens.
  void Request(std::stop_source stop) ABSL_LOCKS_EXCLUDED(mutex_);

  // Makes all the requests there are and blocks until their callbacks have returned: as long as
  // SourceReader::Cancel() may take. Repeatable, from one thread at a time.
  void End() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasWorkOrEnded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !waiting_.empty() || ended_;
  }

  absl::Mutex mutex_;
  std::deque<std::stop_source> waiting_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // Last: they use all of the above.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_CANCELLER_H_
