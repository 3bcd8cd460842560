// What compactions mean for the demands that want them. None of them fails a run: what does not
// come about is left to a later one, with a notice.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "coordinator/state/cluster_state.h"
#include "coordinator/state/compaction.h"

namespace headwater {

void ClusterState::PublishCompaction(DatasetState& dataset, const Claim& claim) {
  const Range range = *claim.extent.range;
  for (const std::string& run_id : dataset.live_runs) {
    DemandState& demand = runs_.at(run_id).demands.at(dataset.spec.id);
    if (std::find(demand.compacting.begin(), demand.compacting.end(), range) ==
        demand.compacting.end()) {
      continue;
    }
    ++demand.compacted_units;
    demand.compacted_files += claim.input_files;
    demand.compacted_into += static_cast<int64_t>(claim.manifest->pieces.front().files.size());
  }
  dataset.PublishCompacted(claim);
  EndClaim(dataset, claim.fence);
  ReviewCompactions(dataset);  // It is one piece now: nobody wants it compacted any more.
}

void ClusterState::ApplyCompactionDropped(const v1::CompactionDropped& event, absl::Time at) {
  DropCompaction(datasets_.at(IdOf(event.dataset())), {event.range().from(), event.range().to()},
                 event.reason(), at);
}

void ClusterState::DropCompaction(DatasetState& dataset, Range range, const std::string& reason,
                                  absl::Time at) {
  NoteCompactionFailed(dataset, at);
  for (const std::string& run_id : dataset.live_runs) {
    DemandState& demand = runs_.at(run_id).demands.at(dataset.spec.id);
    if (std::erase(demand.compacting, range) == 0) continue;
    if (demand.notices.size() < kMaxListed) {
      demand.notices.push_back(
          absl::StrCat("the files of ", Describe(dataset, {range, false}),
                       " stay as small as they are until a later run: ", reason));
    }
    demand.EndWhenComplete();
  }
}

void ClusterState::ReviewCompactions(DatasetState& dataset) {
  for (const std::string& run_id : dataset.live_runs) {
    DemandState& demand = runs_.at(run_id).demands.at(dataset.spec.id);
    std::erase_if(demand.compacting,
                  [&](const Range& range) { return !WantsCompacted(dataset, demand, range); });
    demand.EndWhenComplete();
  }
}

}  // namespace headwater
