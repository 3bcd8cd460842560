#ifndef HEADWATER_WORKER_STAGE_BAD_ROW_TALLY_H_
#define HEADWATER_WORKER_STAGE_BAD_ROW_TALLY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/data/bad_row.h"
#include "common/model/dataset_spec.h"

namespace headwater {

// How many rows of one microbatch do not fit, in all of its writers, held against what the dataset
// allows. Thread-safe.
class BadRowTally {
 public:
  explicit BadRowTally(const BadRowLimit& limit) : limit_(limit) {}

  // INVALID_ARGUMENT: more rows than the limit, if that is a number; names the first ones.
  absl::Status Add(const BadRow& row) ABSL_LOCKS_EXCLUDED(mutex_);

  // Likewise once all has been read, `rows_read` with the bad ones: for a limit that is a share.
  absl::Status CheckShare(int64_t rows_read) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Status TooMany(const std::string& found, const std::string& allowed) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const BadRowLimit limit_;
  mutable absl::Mutex mutex_;
  int64_t rows_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> first_ ABSL_GUARDED_BY(mutex_);  // Described.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_BAD_ROW_TALLY_H_
