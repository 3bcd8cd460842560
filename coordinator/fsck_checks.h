// What of the invariants can be seen in the ledger's state and one table's log: the pure part of
// `fsck`.
#ifndef HEADWATER_COORDINATOR_FSCK_CHECKS_H_
#define HEADWATER_COORDINATOR_FSCK_CHECKS_H_

#include <string>

#include "coordinator/commit/committer.h"
#include "coordinator/commit/takeover.h"
#include "coordinator/state/cluster_state.h"
#include "headwater/v1/fsck.pb.h"

namespace headwater {

// One table, and what the ledger had of it when the table looked like that.
struct TableView {
  const ClusterState& state;
  const TableSurvey& survey;
  std::string ledger_id;
  PublishedTable least = {};  // Known to be published before the table was read.
};

// Adds to `out`, whose table is set, every violation and what was counted. Ledger and table are
// compared only where the table is this ledger's, and not behind it.
// Requires: the state has taken in the outcome of the table's last intent.
void CheckTable(const TableView& view, v1::CheckedTable& out);

// What needs no table: pieces and claims of its datasets overlap, or wait for ever.
void CheckLedger(const ClusterState& state, v1::CheckedTable& out);

// The same of one dataset. A log whose events say so cannot be replayed at all, and ends whoever
// tries; a snapshot can.
void CheckProgressOf(const DatasetState& dataset, int64_t last_sequence, v1::CheckedTable& out);

// Adds one. `dataset` may be null: it is of the table as a whole.
v1::Violation& AddViolation(v1::CheckedTable& out, const std::string& invariant,
                            const DatasetId* dataset, const std::string& where);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_FSCK_CHECKS_H_
