// What repairs of histories mean for a dataset and for the demands that want them: nothing is read,
// so nothing becomes fresher, settled or covered by one.
#include "coordinator/state/cluster_state.h"

namespace headwater {

void ClusterState::Mend(DatasetState& dataset, const Claim& claim) {
  for (const std::string& run_id : dataset.live_runs) {
    RunState& run = runs_.at(run_id);
    DemandState& demand = run.demands.at(dataset.spec.id);
    // Those that came later may want mended what this attempt has not seen.
    if (!demand.demand.histories() || demand.ended() || run.started > claim.granted) continue;
    ++demand.done;
    demand.unchanged += claim.manifest.has_value() ? 0 : 1;
    if (claim.manifest.has_value()) {
      const KeyedChange& change = *claim.manifest->keyed;
      demand.rows_changed += change.changed_rows;
      demand.rows_deleted += change.deleted_rows;
      demand.rows_same += change.same_rows;
      demand.rows_written += change.changed_rows;
      demand.bytes_written += claim.manifest->bytes_staged;
    }
    demand.phase = DemandPhase::kDone;
  }
  if (claim.manifest.has_value()) dataset.table_rows = claim.manifest->keyed->table_rows;
  EndClaim(dataset, claim.fence);
}

}  // namespace headwater
