// Time as an argument. Whoever waits or expires something asks a Clock, so that a test decides what
// time it is (tests/support/fake_clock.h).
#ifndef HEADWATER_COMMON_BASE_CLOCK_H_
#define HEADWATER_COMMON_BASE_CLOCK_H_

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace headwater {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Never goes backwards.
  virtual absl::Time Now() const = 0;

  // Like absl::Mutex::AwaitWithDeadline, by this clock: returns when `condition` holds (true) or
  // when Now() >= deadline (then: whether it holds). Requires: `mutex` is held.
  virtual bool Await(absl::Mutex& mutex, const absl::Condition& condition,
                     absl::Time deadline) const = 0;

  // The machine's clock: the wall clock as it was at the first call, carried on by the monotonic
  // one. Somebody who sets the wall clock an hour back or forth expires no lease.
  static const Clock& Real();
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_BASE_CLOCK_H_
