// A clock that stands still until a test moves it.
#ifndef HEADWATER_TESTS_SUPPORT_FAKE_CLOCK_H_
#define HEADWATER_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <algorithm>
#include <atomic>

#include "absl/time/time.h"
#include "common/base/clock.h"

namespace headwater {

// Thread-safe. Those who wait look about every millisecond of real time whether it was moved: what
// they see depends on the test alone, only when they see it depends on the machine.
class FakeClock : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1'800'000'000))
      : now_us_(absl::ToUnixMicros(start)) {}

  absl::Time Now() const override { return absl::FromUnixMicros(now_us_.load()); }

  void Advance(absl::Duration by) { now_us_ += absl::ToInt64Microseconds(by); }

  bool Await(absl::Mutex& mutex, const absl::Condition& condition,
             absl::Time deadline) const override {
    while (Now() < deadline) {
      if (mutex.AwaitWithTimeout(condition, absl::Milliseconds(1))) return true;
    }
    return condition.Eval();
  }

 private:
  std::atomic<int64_t> now_us_;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_SUPPORT_FAKE_CLOCK_H_
