#include "common/base/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace headwater {
namespace {

TEST(Backoff, DoublesWithEachAttemptWithinItsJitter) {
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    for (int attempt = 1; attempt <= 6; ++attempt) {
      const absl::Duration middle = absl::Seconds(1 << (attempt - 1));
      const absl::Duration wait = Backoff(attempt, seed);
      EXPECT_GE(wait, 0.5 * middle) << "seed " << seed;
      EXPECT_LE(wait, 1.5 * middle) << "seed " << seed;
    }
  }
}

TEST(Backoff, IsTheSameForTheSameSeed) { EXPECT_EQ(Backoff(3, 42), Backoff(3, 42)); }

TEST(Backoff, SpreadsNeighbouringSeeds) {
  std::set<absl::Duration> waits;
  for (uint64_t seed = 0; seed < 100; ++seed) waits.insert(Backoff(1, seed));
  EXPECT_EQ(waits.size(), 100u);
}

TEST(Backoff, NeverExceedsItsCapHoweverManyAttempts) {
  const BackoffOptions options{.base = absl::Seconds(1), .cap = absl::Seconds(10), .jitter = 0};
  EXPECT_EQ(Backoff(4, 1, options), absl::Seconds(8));
  EXPECT_EQ(Backoff(5, 1, options), absl::Seconds(10));
  EXPECT_EQ(Backoff(1'000'000, 1, options), absl::Seconds(10));
}

}  // namespace
}  // namespace headwater
