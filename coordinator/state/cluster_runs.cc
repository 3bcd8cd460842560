// How runs begin and end.
#include <utility>
#include <vector>

#include "coordinator/state/cluster_state.h"
#include "coordinator/state/trusted.h"

namespace headwater {
void ClusterState::ApplyRunStarted(const v1::RunStarted& event, absl::Time at) {
  RunState run;
  run.id = event.run_id();
  run.idempotency_key = event.idempotency_key();
  run.kind = event.kind();
  run.by_person = event.by_person();
  run.pace = PaceOf(event.pace());
  run.retry_of = event.retry_of();
  run.started = at;
  for (const v1::Demand& wanted : event.demands()) {
    DatasetState& dataset = datasets_.at(IdOf(wanted.dataset()));
    DemandState demand;
    demand.demand = wanted;
    if (wanted.mode() == v1::BACKFILL_MODE_FAILED) ListFailed(dataset, demand.demand);
    // No probe has to say what there is.
    if (wanted.histories()) demand.phase = DemandPhase::kActive;
    run.demands.emplace(IdOf(wanted.dataset()), std::move(demand));
    dataset.live_runs.insert(run.id);
    // A run that a person starts tries everything once more, at once.
    if (run.by_person) dataset.blocked.clear();
  }
  live_runs_.insert(run.id);
  runs_.insert_or_assign(run.id, std::move(run));
}

void ClusterState::ApplyDemandsFailed(const v1::DemandsFailed& event) {
  const DatasetId id = IdOf(event.dataset());
  for (const std::string& run_id : event.run_ids()) {
    const auto run = runs_.find(run_id);
    if (run == runs_.end()) continue;
    const auto demand = run->second.demands.find(id);
    if (demand == run->second.demands.end() || demand->second.ended()) continue;
    demand->second.LeaveUnfinished();
    demand->second.phase = DemandPhase::kFailed;
    demand->second.compacting.clear();
    demand->second.problems.push_back({"", 0, Trusted(event.failure())});
  }
}

void ClusterState::ApplyRunCancelled(const v1::RunCancelled& event) {
  RunState& run = runs_.at(event.run_id());
  run.cancelled = true;
  for (auto& [id, demand] : run.demands) {
    if (demand.ended()) continue;
    demand.LeaveUnfinished();
    demand.phase = DemandPhase::kCancelled;
    demand.compacting.clear();
    if (ReadsAgain(demand.demand.mode())) WithdrawNeeds(datasets_.at(id), demand);
  }
}

// What a cancelled backfill alone wanted to be read again nobody does any more: it is no staler
// than before, and the next run need not read it. What probes have shown, the next one shows again.
void ClusterState::WithdrawNeeds(DatasetState& dataset, const DemandState& cancelled) {
  for (const SequenceMap::Entry& entry : cancelled.remaining.entries())
    dataset.needs.DropUpTo(entry.range, entry.sequence);
  for (const std::string& run_id : dataset.live_runs) {
    const DemandState& demand = runs_.at(run_id).demands.at(dataset.spec.id);
    if (demand.ended()) continue;
    for (const SequenceMap::Entry& entry : demand.remaining.entries())
      dataset.needs.Raise(entry.range, entry.sequence);
  }
}

RangeSet ClusterState::BackfilledOf(const DatasetState& dataset) const {
  RangeSet ranges;
  for (const std::string& run_id : dataset.live_runs) {
    const RunState& run = runs_.at(run_id);
    const DemandState& demand = run.demands.at(dataset.spec.id);
    if (IsTick(run.kind, demand.demand) || demand.ended()) continue;
    for (const SequenceMap::Entry& entry : demand.remaining.entries()) ranges.Add(entry.range);
  }
  return ranges;
}

void ClusterState::ApplyRunEnded(const v1::RunEnded& event, absl::Time at) {
  RunState& run = runs_.at(event.run_id());
  run.ended = at;
  run.failed = event.failed();
  live_runs_.erase(run.id);
  ended_demands_ += static_cast<int64_t>(run.demands.size());
  for (auto& [id, demand] : run.demands) {
    demand.compacting.clear();
    demand.EndWhenComplete();  // It ended before there was compaction.
    demand.remaining = SequenceMap();
    datasets_.at(id).live_runs.erase(run.id);
  }
}

void ClusterState::ApplyRunsArchived(const v1::RunsArchived& event, absl::Time at) {
  if (!event.more()) runs_archived_ = at;
  for (const std::string& id : event.run_ids()) {
    const auto run = runs_.find(id);
    if (run == runs_.end() || !run->second.ended.has_value()) continue;
    ended_demands_ -= static_cast<int64_t>(run->second.demands.size());
    runs_.erase(run);
  }
}

}  // namespace headwater
