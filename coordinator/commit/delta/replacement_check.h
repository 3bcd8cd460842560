// Whether one staged attempt can become part of a Delta table as it is now, and what it does to the
// table's files.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_REPLACEMENT_CHECK_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_REPLACEMENT_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/storage/object_store.h"
#include "coordinator/commit/committer.h"
#include "coordinator/commit/delta/delta_actions.h"
#include "coordinator/commit/delta/delta_snapshot.h"
#include "coordinator/commit/delta/piece_index.h"

namespace headwater {

// A table as it is now. Views: all outlive it.
struct TableFiles {
  const DeltaSnapshot& snapshot;
  const PieceIndex& index;  // Of the snapshot.
  const ObjectStore& store;
  bool is_quarantine = false;  // There a piece that was abandoned may lie across another.
};

// All that TableCommitter::Check() says of one replacement, but for its columns.
absl::Status CheckReplacement(const TableFiles& table, const Replacement& replacement);

// Adds to `actions` what the replacement removes and adds, at `now_ms`. Requires: it was checked.
// INTERNAL: a piece that is said to be unchanged is only part of a published one.
absl::Status PutReplacement(const TableFiles& table, const Replacement& replacement, int64_t now_ms,
                            DeltaVersion& actions);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_REPLACEMENT_CHECK_H_
