// Takeovers of Delta Lake tables in local folders.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_TAKEOVER_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_TAKEOVER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "coordinator/commit/takeover.h"

namespace headwater {

// Thread-safe; what it opens is not.
class DeltaTakeoverFactory : public TakeoverFactory {
 public:
  explicit DeltaTakeoverFactory(const Clock* clock = &Clock::Real()) : clock_(clock) {}
  absl::StatusOr<std::unique_ptr<TableTakeover>> Open(const TableLocation& location) override;

 private:
  const Clock* clock_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_TAKEOVER_H_
