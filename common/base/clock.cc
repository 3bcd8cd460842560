#include "common/base/clock.h"

#include <algorithm>
#include <chrono>

#include "absl/time/clock.h"

namespace headwater {
namespace {

class RealClock : public Clock {
 public:
  absl::Time Now() const override {
    return wall_ + absl::FromChrono(std::chrono::steady_clock::now() - steady_);
  }

  bool Await(absl::Mutex& mutex, const absl::Condition& condition,
             absl::Time deadline) const override {
    // Abseil of Debian 12 waits by the wall clock: short waits keep a jump of it harmless.
    constexpr absl::Duration kLongest = absl::Seconds(1);
    while (true) {
      const absl::Duration left = deadline - Now();
      if (left <= absl::ZeroDuration()) return condition.Eval();
      if (mutex.AwaitWithTimeout(condition, std::min(left, kLongest))) return true;
    }
  }

 private:
  const absl::Time wall_ = absl::Now();
  const std::chrono::steady_clock::time_point steady_ = std::chrono::steady_clock::now();
};

}  // namespace

const Clock& Clock::Real() {
  static const RealClock clock;
  return clock;
}

}  // namespace headwater
