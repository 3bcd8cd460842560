// Which runs that have ended the ledger need not keep any longer. Pure.
#ifndef HEADWATER_COORDINATOR_STATE_OLD_RUNS_H_
#define HEADWATER_COORDINATOR_STATE_OLD_RUNS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace headwater {

class ClusterState;

// What of ended runs stays in memory, and in each snapshot, however young it is: a demand takes
// about 750 bytes of memory and 20 of a snapshot (or 1.2 KiB and 100, in a run of its own), and all
// of them are looked at when some are to go.
struct RunLimits {
  int64_t runs = 10'000;
  int64_t demands = 50'000;
};

// So many runs of which something can be tried again stay, the newest, however old they are.
inline constexpr size_t kMaxKeptForRetry = 50;
// What goes at once: one file, put together within a step of the core. A run is never divided.
inline constexpr int64_t kMaxDemandsAtOnce = 5'000;

struct OldRuns {
  std::vector<std::string> ids;  // The one that ended first comes first.
  bool more = false;             // These are as many as go at once, and others are to go too.
};

// True when more ended runs are kept than `limits` allow.
bool HasTooManyRuns(const ClusterState& state, const RunLimits& limits);

// Those that ended before `before`, and of the others the oldest, until a quarter of what `limits`
// allow is free again where they were exceeded. Not among them: runs that live; the newest ended
// run of each dataset, whose failures `status` shows and to which whoever asked for it may come
// back; and runs that have left something unfinished which no later run has taken on, as `retry`
// would (kMaxKeptForRetry of them).
OldRuns FindOldRuns(const ClusterState& state, absl::Time before, const RunLimits& limits);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_OLD_RUNS_H_
