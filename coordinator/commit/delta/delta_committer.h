// Publication in a Delta Lake table: one intent becomes one version of its log.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_COMMITTER_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_COMMITTER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "coordinator/commit/committer.h"

namespace headwater {

struct DeltaCommitterOptions {
  int64_t checkpoint_every = 50;  // Versions.
  const Clock* clock = &Clock::Real();
};

// Opens committers for tables in local folders. Thread-safe; the committers are not.
class DeltaCommitterFactory : public CommitterFactory {
 public:
  explicit DeltaCommitterFactory(const DeltaCommitterOptions& options = {}) : options_(options) {}
  absl::StatusOr<std::unique_ptr<TableCommitter>> Open(const TableLocation& location) override;

 private:
  DeltaCommitterOptions options_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_COMMITTER_H_
