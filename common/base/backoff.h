// How long to wait before the next attempt.
#ifndef HEADWATER_COMMON_BASE_BACKOFF_H_
#define HEADWATER_COMMON_BASE_BACKOFF_H_

#include <cstdint>

#include "absl/time/time.h"

namespace headwater {

struct BackoffOptions {
  absl::Duration base = absl::Seconds(1);
  absl::Duration cap = absl::Minutes(5);  // Before jitter. No retry waits longer than people do.
  double jitter = 0.5;                    // 0 to 1: ± this share of the wait.
};

// The wait after `attempt` failed attempts: base · 2^(attempt-1), at most cap, ± jitter. A pure
// function of its arguments: the same seed waits the same time, so a simulation can be repeated;
// different seeds (a fence, a hash of a name) spread out those that failed together.
// Requires: attempt >= 1.
absl::Duration Backoff(int attempt, uint64_t seed, const BackoffOptions& options = {});

}  // namespace headwater

#endif  // HEADWATER_COMMON_BASE_BACKOFF_H_
