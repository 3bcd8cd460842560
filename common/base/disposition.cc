#include "common/base/disposition.h"

namespace headwater {

Disposition DispositionOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return Disposition::kDone;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      return Disposition::kRetry;
    case absl::StatusCode::kUnknown:
      return Disposition::kInDoubt;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kCancelled:
      return Disposition::kDrop;
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInternal:
      return Disposition::kStop;
    default:
      return Disposition::kQuarantine;
  }
}

}  // namespace headwater
