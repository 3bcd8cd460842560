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

// How a run's ranges are cut, and how much of it runs at once.
struct Pace {
  Unit every;  // One microbatch covers so much; Kind::kNone: the dataset's unit.
  bool newest_first = false;
  int max_active = 0;      // Microbatches of the run at once; 0: as many as there is room for.
  int max_per_server = 0;  // The same on each server.
};

// A wish for coverage of one dataset. It never runs by itself: the scheduler turns the union of all
// demands into claims.
struct DemandState {
  v1::Demand demand;
  DemandPhase phase = DemandPhase::kWaitingForProbe;
  SequenceMap remaining;  // What is not met: a claim meets it with a fence not below the number.
  int64_t outside_remaining = 0;  // Likewise for the outside rows; 0: met.
  // What has failed of it, or was left when it failed or was cancelled: for `retry`.
  RangeSet unfinished;
  bool unfinished_outside = false;
  bool never_probed = false;      // It ended before it knew what it wanted.
  std::vector<Range> compacting;  // Settled pieces to be put together; ascending, disjoint.

  int64_t done = 0, unchanged = 0, failed = 0;  // Microbatches.
  int64_t rows_read = 0, rows_written = 0;
  int64_t bytes_read = 0, bytes_written = 0;
  int64_t pieces_written = 0;
  int64_t bad_rows = 0;  // Written to tables' quarantines, not counted in rows_written.
  int64_t truncated_values = 0;
  // Of keyed writes, as KeyedChange has them; and rows that a checksum told to be unchanged.
  int64_t rows_new = 0, rows_changed = 0, rows_same = 0, rows_deleted = 0, rows_duplicate = 0;
  int64_t rows_skipped = 0;
  int64_t compacted_units = 0, compacted_files = 0, compacted_into = 0;  // Files before and after.
  std::vector<std::string> rewritten;   // Pieces that replaced others, at most kMaxListed.
  std::vector<std::string> notices;     // What people should know; nothing is wrong.
  std::vector<DemandProblem> problems;  // At most kMaxListed.

  bool ended() const {
    return phase != DemandPhase::kWaitingForProbe && phase != DemandPhase::kActive;
  }
  // Takes what is left over for another run to try.
  void LeaveUnfinished() {
    never_probed |= phase == DemandPhase::kWaitingForProbe;
    for (const SequenceMap::Entry& entry : remaining.entries()) unfinished.Add(entry.range);
    unfinished_outside |= outside_remaining > 0;
  }
  // Whether `retry` finds something to do. Requires: it has ended.
  bool left_unfinished() const {
    if (never_probed) return true;
    if (demand.histories()) return phase != DemandPhase::kDone;
    return !unfinished.empty() || unfinished_outside;
  }
  // Never, where histories are to be mended: ClusterState::Mend() ends that.
  bool met() const { return remaining.empty() && outside_remaining == 0 && !demand.histories(); }
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
  Pace pace;
  std::string retry_of;  // The run that it tries again; empty: none.
  absl::Time started;
  std::optional<absl::Time> ended;
  bool failed = false;
  bool cancelled = false;
  std::map<DatasetId, DemandState> demands;
};

// Whether a demand of a run of this kind wants what is new, as a tick does: it is bound to no
// range.
bool IsTick(v1::RunKind kind, const v1::Demand& demand);
// Whether a backfill of this mode reads again what nothing else says is to be read again.
bool ReadsAgain(v1::BackfillMode mode);

Pace PaceOf(const v1::Pace& pace);  // Requires: it was checked when it came in.
v1::Pace ToProto(const Pace& pace);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_RUN_STATE_H_
