// What somebody wants to see of the runs that have ended, and what the ledger has of it.
#ifndef HEADWATER_COORDINATOR_RUN_QUERY_H_
#define HEADWATER_COORDINATOR_RUN_QUERY_H_

#include <optional>
#include <set>

#include "absl/time/time.h"
#include "common/model/dataset_spec.h"
#include "coordinator/state/cluster_state.h"
#include "headwater/v1/admin.pb.h"
#include "headwater/v1/history.pb.h"

namespace headwater {

inline constexpr int kMaxShownRuns = 1'000;
inline constexpr size_t kMaxShownBytes = 32 << 20;  // An answer fits a message.

struct RunQuery {
  absl::Time from = absl::InfinitePast();  // That ended then or later, and before `to`.
  absl::Time to = absl::InfiniteFuture();
  int limit = 20;                                    // So many of the newest.
  std::optional<std::set<DatasetId>> datasets = {};  // Of each run only these; none: all.
};

// INVALID_ARGUMENT: a limit that is none, or an empty window. `request` without its selection.
absl::StatusOr<RunQuery> QueryOf(const v1::GetHistoryRequest& request);

// Leaves of `run` what `query` wants. False: that is nothing.
bool Narrow(const RunQuery& query, v1::EndedRun& run);

// Puts the run that ended last first, and leaves out what is more than the query's limit, or than
// an answer may have.
void Order(const RunQuery& query, v1::GetHistoryResponse& response);

// The ended runs that the ledger has.
v1::GetHistoryResponse FindEndedRuns(const ClusterState& state, const RunQuery& query);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_RUN_QUERY_H_
