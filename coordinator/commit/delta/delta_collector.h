// Garbage of Delta tables in local folders.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_COLLECTOR_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_COLLECTOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "coordinator/commit/garbage.h"

namespace headwater {

// Opens collectors, each with a view of the log of its own, so that it runs beside the table's
// committer: what it removes, no commit can come to name. Thread-safe; the collectors are not.
class DeltaCollectorFactory : public GarbageCollectorFactory {
 public:
  explicit DeltaCollectorFactory(const Clock* clock = &Clock::Real()) : clock_(clock) {}
  absl::StatusOr<std::unique_ptr<GarbageCollector>> Open(const TableLocation& location) override;

 private:
  const Clock* const clock_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_COLLECTOR_H_
