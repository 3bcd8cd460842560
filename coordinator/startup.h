// What a coordinator does before it begins a term: it takes in its log, and looks at its tables.
#ifndef HEADWATER_COORDINATOR_STARTUP_H_
#define HEADWATER_COORDINATOR_STARTUP_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/dataset_spec.h"
#include "coordinator/commit/committer.h"
#include "coordinator/ledger/event_log.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

struct ReplayedState {
  std::unique_ptr<ClusterState> state;
  int64_t snapshot_sequence = 0;  // Where the replay began.
};

// The state after the log's last event: its newest snapshot, and every event since. Also what a
// `status` without a coordinator shows. DATA_LOSS: the snapshot or an event is damaged. A snapshot
// that does not restore is not fatal: the one before it does, or all events where there is none.
absl::StatusOr<ReplayedState> ReplayLog(EventLog& log);

// One event of the log, applied. DATA_LOSS: it is not one that this version knows.
absl::Status ApplyEvent(int64_t sequence, absl::string_view payload, ClusterState& state);

// Reads each configured table that the ledger has not published to yet, and has the state continue
// the table's own count of commits. When the log is new it also starts above every fence in them.
// Tables that cannot be read are warned about; one that is not ours refuses the runs that want it.
// Errors: the log's.
absl::Status StartAboveTables(const std::vector<DatasetSpec>& datasets,
                              CommitterFactory& committers, EventLog& log, ClusterState& state);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STARTUP_H_
