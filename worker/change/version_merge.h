// Brings what was read of one key into its history: which rows of a table of strategy scd2 stay,
// change, go and come. Pure and thread-safe; docs/history.md tells people the same.
#ifndef HEADWATER_WORKER_CHANGE_VERSION_MERGE_H_
#define HEADWATER_WORKER_CHANGE_VERSION_MERGE_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "common/data/fingerprint.h"
#include "worker/change/version.h"

namespace headwater {

// A row of the source, as one read showed it.
struct Observation {
  int64_t at = 0;     // By ranges: the row's last_modified. Whole reads: not looked at.
  Hash128 hash = {};  // As in Version.
  int row = 0;        // The caller's index of the row that was read.
};

// What becomes of a current version whose key a whole read did not show.
enum class HistoryDeletes { kClose, kKeep };

struct MergeOptions {
  HistoryRead read = HistoryRead::kRanges;
  // Whole reads only:
  HistoryDeletes deletes = HistoryDeletes::kClose;
  int64_t read_at = 0;  // The instant of the read; the same for all keys of one read.
};

// Two rows of one call that cannot both be.
struct VersionConflict {
  int64_t at = 0;
  int first_row = 0, second_row = 0;  // Observation::row, first_row the smaller one.
};

struct MergeResult {
  enum class Outcome {
    kMerged,
    // Two different contents of the key at one instant in one call (whole reads: two different rows
    // of one key). The caller refuses with INVALID_ARGUMENT, from `conflict`.
    kConflict,
    // CheckVersions finds problems in the existing versions. The caller refuses, and says to run
    // headwater verify --scd2.
    kBroken,
    // A whole read has to follow the largest instant that there is.
    kNoInstantLeft,
  };
  Outcome outcome = Outcome::kMerged;
  VersionPlan plan = {};  // Empty, without changes, unless kMerged.
  std::optional<VersionConflict> conflict = std::nullopt;  // Of kConflict.
};

// The plan that brings `observations` into `existing`, which both may be in any order and are of
// one key.
//
// By ranges. The history becomes a function of all that was ever observed, whatever the order and
// the cut into calls: sorted by instant, consecutive equal contents are one version (it begins with
// the first, the others confirm it), a version ends where the next begins, and the last is current.
// An instant that is observed again with another content counts as if only the later call had
// been. Without observations nothing changes.
//
// Rows are rewritten as little as possible: each version that comes out takes over the earliest
// existing row of which it has an observation and that no version before it took over; what is not
// taken over is dropped. A version that takes over none is added: with the earliest row of this
// call that shows it, else (a history that a late version splits) as a copy of the existing row
// that had its first instant. So a row keeps its columns that are not tracked for as long as some
// of its observations are left. Which of several rows of equal tracked content these columns come
// from depends on the order of arrival: nothing else does.
//
// Whole reads. Observations are what the read had of the key: one, or none if it was away. Equal
// content changes nothing, and is not recorded as a confirmation. Other content closes the current
// version and opens one with the row of smallest index; a key without a current version opens
// one, whatever it held before. A key that is away closes its current version, or keeps it. All
// of this happens at `read_at`, or one unit after the newest instant of the key's history where
// `read_at` is not after that: source clocks are set back, and no version may be empty.
MergeResult MergeVersions(absl::Span<const Version> existing,
                          absl::Span<const Observation> observations, const MergeOptions& options);

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_VERSION_MERGE_H_
