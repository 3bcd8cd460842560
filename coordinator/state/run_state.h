// Runs and their demands: what people and schedules asked for, and how far it is met.
#ifndef HEADWATER_COORDINATOR_STATE_RUN_STATE_H_
#define HEADWATER_COORDINATOR_STATE_RUN_STATE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/data/range_set.h"
#include "common/model/task.h"
#include "headwater/v1/ledger.pb.h"

namespace headwater {

enum class DemandPhase {
  kWaitingForProbe,
  kActive,  // Its ranges are known; some are not met yet.
  kDone,
  kFailed,  // Something of it is quarantined, or no probe succeeded.
  kCancelled,
};

// What went wrong, for the run's summary.
struct DemandProblem {
  std::string extent;  // Human-readable; empty: the whole dataset.
  int attempts = 0;
  Failure failure;
};

// A wish for coverage of one dataset. It never runs by itself: the scheduler turns the union of all
// demands into claims.
struct DemandState {
  v1::Demand demand;
  DemandPhase phase = DemandPhase::kWaitingForProbe;
  SequenceMap remaining;  // What is not met: a claim meets it with a fence not below the number.
  int64_t outside_remaining = 0;  // Likewise for the outside rows; 0: met.
  std::vector<Range> compacting;  // Settled pieces to be put together; ascending, disjoint.

  int64_t done = 0, unchanged = 0, failed = 0;  // Microbatches.
  int64_t rows_read = 0, rows_written = 0;
  int64_t bytes_read = 0, bytes_written = 0;
  int64_t pieces_written = 0;
  int64_t bad_rows = 0;  // Written to tables' quarantines, not counted in rows_written.
  int64_t truncated_values = 0;
  int64_t compacted_units = 0, compacted_files = 0, compacted_into = 0;  // Files before and after.
  std::vector<std::string> rewritten;   // Pieces that replaced others, at most kMaxListed.
  std::vector<std::string> notices;     // What people should know; nothing is wrong.
  std::vector<DemandProblem> problems;  // At most kMaxListed.

  bool ended() const {
    return phase != DemandPhase::kWaitingForProbe && phase != DemandPhase::kActive;
  }
  bool met() const { return remaining.empty() && outside_remaining == 0; }
  // Ends it when it is active and nothing of it is left.
  void EndWhenComplete() {
    if (phase != DemandPhase::kActive || !met() || !compacting.empty()) return;
    phase = failed > 0 ? DemandPhase::kFailed : DemandPhase::kDone;
  }
};

inline constexpr int kMaxListed = 20;

struct RunState {
  std::string id;
  std::string idempotency_key;
  v1::RunKind kind = v1::RUN_KIND_INCREMENTAL;
  bool by_person = true;
  absl::Time started;
  std::optional<absl::Time> ended;
  bool failed = false;
  bool cancelled = false;
  std::map<DatasetId, DemandState> demands;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_RUN_STATE_H_
