#include "common/base/backoff.h"

#include <algorithm>

namespace headwater {
namespace {

// SplitMix64: every bit of the result depends on every bit of the seed.
uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

absl::Duration Backoff(int attempt, uint64_t seed, const BackoffOptions& options) {
  absl::Duration wait = std::min(options.base, options.cap);
  for (int i = 1; i < attempt && wait < options.cap; ++i) wait = std::min(2 * wait, options.cap);
  const uint64_t random = Mix(Mix(seed) + static_cast<uint64_t>(attempt));
  const double unit = static_cast<double>(random >> 11) / static_cast<double>(1ULL << 53);
  return wait * (1.0 + options.jitter * (2.0 * unit - 1.0));
}

}  // namespace headwater
