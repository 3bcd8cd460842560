// What a status code means for work in flight. The one place that knows.
#ifndef HEADWATER_COMMON_BASE_DISPOSITION_H_
#define HEADWATER_COMMON_BASE_DISPOSITION_H_

#include "absl/status/status.h"

namespace headwater {

enum class Disposition {
  kDone,        // OK.
  kRetry,       // UNAVAILABLE, ABORTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED: may succeed later.
  kQuarantine,  // INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, ...: a person must change
                // something.
  kInDoubt,     // UNKNOWN: look what happened, then retry.
  kDrop,        // FAILED_PRECONDITION, CANCELLED: the lease is gone, somebody else goes on.
  kStop,        // DATA_LOSS, INTERNAL: stop the dataset and say so.
};

Disposition DispositionOf(absl::StatusCode code);

}  // namespace headwater

#endif  // HEADWATER_COMMON_BASE_DISPOSITION_H_
