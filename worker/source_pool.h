// Connections that wait for their next task.
#ifndef HEADWATER_WORKER_SOURCE_POOL_H_
#define HEADWATER_WORKER_SOURCE_POOL_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/model/dataset_spec.h"
#include "worker/source/source_reader.h"

namespace headwater {

using SourceOpener =
    std::function<absl::StatusOr<std::unique_ptr<Source>>(const ServerSpec& server)>;

// Idle sources of one worker, by server. They belong to the worker and not to a slot, so that a
// server capped at one connection does not find it idle in one slot and wanted in another; and they
// are closed when nobody wanted them for `idle`, since idle connections eat the caps of others.
// Thread-safe; a source itself is used by one thread at a time.
class SourcePool {
 public:
  SourcePool(SourceOpener open, absl::Duration idle, const Clock* clock)
      : open_(std::move(open)), idle_(idle), clock_(clock) {}

  // The idle source that was used last, or a new one. Of the others that are idle on that server,
  // whatever their URLs, as many are closed as `connections` the task will open: what is idle and
  // what is used together never grow beyond what was granted. Errors: the opener's.
  absl::StatusOr<std::unique_ptr<Source>> Get(const ServerSpec& server, int connections = 1);

  // Takes back a source that is fit for another task. Others are just destroyed.
  void Return(const ServerSpec& server, std::unique_ptr<Source> source);

  // Closes what has been idle for long enough. Returns when the next one will have been;
  // InfiniteFuture when none is idle.
  absl::Time CloseIdle();

 private:
  struct Idle {
    std::string key;  // What must be the same for a source to be used again.
    std::unique_ptr<Source> source;
    absl::Time until;
  };

  const SourceOpener open_;
  const absl::Duration idle_;
  const Clock* const clock_;
  absl::Mutex mutex_;
  std::map<std::string, std::deque<Idle>> sources_
      ABSL_GUARDED_BY(mutex_);  // By server; used last, last.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_POOL_H_
