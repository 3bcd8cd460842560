// Named places where a test may make the process fail. Off by default; then one relaxed atomic
// load.
//
//   HEADWATER_FAILPOINTS="delta.before_put=crash,delta.after_put=2:error:UNAVAILABLE"
//
// `crash` ends the process at once (exit code 137, no destructors, as kill -9 would); `error:CODE`
// makes the place return that status, once; `hold` logs "failpoint holds" and keeps the thread
// there until the process is killed, so that a test knows what it kills in the middle of. A leading
// number says at which occurrence (default 1). A variable that is not of this form ends the process
// with exit code 2.
#ifndef HEADWATER_COMMON_BASE_FAILPOINT_H_
#define HEADWATER_COMMON_BASE_FAILPOINT_H_

#include <atomic>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace headwater {

// Arms what `spec` says, in the environment's form; an empty spec disarms all. INVALID_ARGUMENT:
// not of that form. Thread-safe.
absl::Status ArmFailpoints(absl::string_view spec);

namespace failpoint_internal {
extern std::atomic<bool> armed;
absl::Status Hit(const char* name);
}  // namespace failpoint_internal

// What the failpoint `name` says here: OK unless armed for this occurrence. Thread-safe.
inline absl::Status Failpoint(const char* name) {
  if (!failpoint_internal::armed.load(std::memory_order_relaxed)) return absl::OkStatus();
  return failpoint_internal::Hit(name);
}

}  // namespace headwater

#endif  // HEADWATER_COMMON_BASE_FAILPOINT_H_
