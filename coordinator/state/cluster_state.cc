#include "coordinator/state/cluster_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/model/model_proto.h"
#include "common/model/write_proto.h"
#include "coordinator/state/compaction.h"
#include "coordinator/state/progress.h"
#include "coordinator/state/trusted.h"

namespace headwater {

DatasetId IdOf(const v1::DatasetRef& ref) { return {ref.table(), ref.server()}; }

v1::DatasetRef RefOf(const DatasetId& id) {
  v1::DatasetRef ref;
  ref.set_table(id.table);
  ref.set_server(id.server);
  return ref;
}

std::string Describe(const DatasetState& dataset, const Extent& extent) {
  std::string text;
  if (extent.range.has_value()) {
    text = dataset.calendar.has_value()
               ? dataset.calendar->Format(*extent.range)
               : absl::StrCat("[", extent.range->from, ", ", extent.range->to, ")");
  }
  if (extent.outside)
    absl::StrAppend(&text, text.empty() ? "" : " and ", "rows outside (NULL or far-future cursor)");
  return text;
}

const DatasetState* ClusterState::FindDataset(const DatasetId& id) const {
  const auto it = datasets_.find(id);
  return it == datasets_.end() ? nullptr : &it->second;
}

const RunState* ClusterState::FindRun(const std::string& id) const {
  const auto it = runs_.find(id);
  return it == runs_.end() ? nullptr : &it->second;
}

const DatasetState* ClusterState::FindClaim(int64_t fence) const {
  const auto it = claims_.find(fence);
  return it == claims_.end() ? nullptr : FindDataset(it->second);
}

DatasetState* ClusterState::DatasetOfClaim(int64_t fence) {
  const auto it = claims_.find(fence);
  HW_CHECK(it != claims_.end());
  return &datasets_.at(it->second);
}

const Schema& ClusterState::ColumnsOf(const std::string& table) const {
  static const Schema* const kUnknown = new Schema();
  const auto it = tables_.find(table);
  return it == tables_.end() ? *kUnknown : it->second.columns;
}

const v1::Planned* ClusterState::FindPlan(const std::string& id) const {
  const auto it = std::find_if(plans_.begin(), plans_.end(),
                               [&](const v1::Planned& plan) { return plan.plan_id() == id; });
  return it == plans_.end() ? nullptr : &*it;
}

const TableState* ClusterState::FindTable(const std::string& table) const {
  const auto it = tables_.find(table);
  return it == tables_.end() ? nullptr : &it->second;
}

void ClusterState::RaiseTableSequence(const std::string& table, int64_t sequence) {
  TableState& state = tables_[table];
  state.last_sequence = std::max(state.last_sequence, sequence);
}

void ClusterState::Apply(int64_t sequence, const v1::Event& event) {
  HW_CHECK(sequence > last_sequence_);
  last_sequence_ = sequence;
  const absl::Time at = TimeOf(event.at());
  switch (event.kind_case()) {
    case v1::Event::kTermBegan:
      return ApplyTermBegan(event.term_began());
    case v1::Event::kDatasetDefined:
      return ApplyDatasetDefined(event.dataset_defined());
    case v1::Event::kRunStarted:
      return ApplyRunStarted(event.run_started(), at);
    case v1::Event::kProbed:
      return ApplyProbed(sequence, event.probed(), at);
    case v1::Event::kTableColumns:
      return ApplyTableColumns(event.table_columns());
    case v1::Event::kDemandsFailed:
      return ApplyDemandsFailed(event.demands_failed());
    case v1::Event::kGranted:
      return ApplyGranted(sequence, event.granted(), at);
    case v1::Event::kStaged:
      return ApplyStaged(event.staged(), at);
    case v1::Event::kConfirmed:
      return ApplyConfirmed(event.confirmed(), at);
    case v1::Event::kAttemptFailed:
      return ApplyAttemptFailed(event.attempt_failed(), at);
    case v1::Event::kReleased:
      return ApplyReleased(event.released());
    case v1::Event::kIntended:
      return ApplyIntended(event.intended());
    case v1::Event::kPublished:
      return ApplyPublished(event.published(), at);
    case v1::Event::kAbandoned:
      return ApplyAbandoned(event.abandoned(), at);
    case v1::Event::kLost:
      return ApplyLost(event.lost(), sequence);
    case v1::Event::kCompactionDropped:
      return ApplyCompactionDropped(event.compaction_dropped(), at);
    case v1::Event::kPlanned:
      plans_.push_back(event.planned());
      *plans_.back().mutable_at() = event.at();
      if (plans_.size() > kMaxPlans) plans_.pop_front();
      return;
    case v1::Event::kProgressSet:
      return ApplyProgressSet(sequence, event.progress_set());
    case v1::Event::kTableTaken: {
      TableState& table = tables_[event.table_taken().table()];
      table.last_sequence = std::max(table.last_sequence, event.table_taken().commit_sequence());
      return table.TakePublished(event.table_taken().version(),
                                 event.table_taken().commit_sequence());
    }
    case v1::Event::kCollected:
      return tables_[event.collected().table()].TakeCollected(event.collected(), at);
    case v1::Event::kRunCancelled:
      return ApplyRunCancelled(event.run_cancelled());
    case v1::Event::kRunEnded:
      return ApplyRunEnded(event.run_ended(), at);
    case v1::Event::kRunsArchived:
      return ApplyRunsArchived(event.runs_archived(), at);
    case v1::Event::KIND_NOT_SET:
      break;
  }
  HW_CHECK(false && "an event without a kind");
}

void ClusterState::ApplyTermBegan(const v1::TermBegan& event) {
  term_ = event.term();
  config_digest_ = event.config_digest();
}

void ClusterState::ApplyDatasetDefined(const v1::DatasetDefined& event) {
  DatasetSpec spec = Trusted(event.spec());
  const DatasetId id = spec.id;
  datasets_[id].TakeSpec(spec, event.digest());
  ReviewCompactions(datasets_[id]);
}

void ClusterState::ApplyProbed(int64_t sequence, const v1::Probed& event, absl::Time at) {
  DatasetState& dataset = datasets_.at(IdOf(event.dataset()));
  dataset.TakeProbe(Trusted(event.result()), sequence, event.asked_after());
  for (const std::string& run_id : event.run_ids()) {
    const auto run = runs_.find(run_id);
    if (run == runs_.end()) continue;
    const auto demand = run->second.demands.find(dataset.spec.id);
    if (demand == run->second.demands.end() ||
        demand->second.phase != DemandPhase::kWaitingForProbe)
      continue;
    demand->second.notices.assign(event.notices().begin(), event.notices().end());
    // Reviewed below, when it is known what is to be read again.
    if (IsTick(run->second.kind, demand->second.demand) && at >= dataset.compaction_not_before)
      demand->second.compacting = TakeCompactable(dataset);
    ActivateDemand(
        dataset, demand->second, run->second.kind, sequence,
        {BackfilledOf(dataset), FindTable(dataset.spec.id.table), event.asked_after(), at});
  }
  ReviewCompactions(dataset);
}

void ClusterState::ApplyProgressSet(int64_t sequence, const v1::ProgressSet& event) {
  DatasetState& dataset = datasets_.at(IdOf(event.dataset()));
  SetProgress(event.progress(), sequence, dataset);
  if (event.clear_failures()) dataset.blocked.clear();
  ReviewCompactions(dataset);
}

void ClusterState::ApplyTableColumns(const v1::TableColumns& event) {
  tables_[event.table()].columns = Trusted(event.columns());
}

void ClusterState::ApplyGranted(int64_t sequence, const v1::Granted& event, absl::Time at) {
  DatasetState& dataset = datasets_.at(IdOf(event.dataset()));
  Claim claim;
  claim.fence = sequence;
  claim.granted = at;
  claim.extent = Trusted(event.extent());
  claim.cuts.assign(event.cuts().begin(), event.cuts().end());
  claim.task_id = event.task_id();
  claim.compaction = event.compaction();
  claim.input_files = event.input_files();
  claim.differing = event.differing();
  claim.histories = event.histories();
  claim.whole = event.whole();
  claim.connections = claim.reads() ? std::max(1, event.connections()) : 0;
  claim.shown = dataset.Facts();
  claim.outside_end = dataset.OutsideEnd();
  HW_CHECK(!dataset.OverlapsClaim(claim.extent));
  dataset.claims.emplace(sequence, std::move(claim));
  claims_.emplace(sequence, dataset.spec.id);
}

void ClusterState::ApplyStaged(const v1::Staged& event, absl::Time at) {
  DatasetState* dataset = DatasetOfClaim(event.fence());
  Claim& claim = dataset->claims.at(event.fence());
  claim.manifest = Trusted(event.manifest());
  if (claim.extent.range.has_value() && claim.reads()) {
    dataset->history.Take(*claim.extent.range, at - claim.granted, claim.manifest->rows_read,
                          claim.manifest->bytes_read);
  }
  staged_[dataset->spec.id.table].insert(event.fence());
}

void ClusterState::MeetDemands(DatasetState& dataset, const Extent& extent, int64_t fence) {
  for (const std::string& run_id : dataset.live_runs) {
    DemandState& demand = runs_.at(run_id).demands.at(dataset.spec.id);
    if (demand.ended()) continue;
    if (extent.range.has_value()) demand.remaining.DropUpTo(*extent.range, fence);
    if (extent.outside && demand.outside_remaining <= fence) demand.outside_remaining = 0;
    demand.EndWhenComplete();
  }
  ReviewCompactions(dataset);
}

void ClusterState::ApplyLost(const v1::Lost& event, int64_t sequence) {
  DatasetState& dataset = datasets_.at(IdOf(event.dataset()));
  for (const v1::Extent& lost : event.extents()) dataset.Lose(Trusted(lost), sequence);
  // How many rows are left is not known, and all will be read again: none is missed until then.
  if (dataset.coverage.pieces().empty() && !dataset.outside.has_value()) dataset.table_rows = 0;
  ReviewCompactions(dataset);
}

void ClusterState::EndClaim(DatasetState& dataset, int64_t fence) {
  dataset.claims.erase(fence);
  claims_.erase(fence);
  const auto staged = staged_.find(dataset.spec.id.table);
  if (staged == staged_.end()) return;
  staged->second.erase(fence);
  if (staged->second.empty()) staged_.erase(staged);
}

void ClusterState::ApplyConfirmed(const v1::Confirmed& event, absl::Time at) {
  DatasetState* dataset = DatasetOfClaim(event.fence());
  Claim claim = dataset->claims.at(event.fence());
  if (claim.histories) return Mend(*dataset, claim);
  for (const std::string& run_id : dataset->live_runs) {
    DemandState& demand = runs_.at(run_id).demands.at(dataset->spec.id);
    if (demand.phase != DemandPhase::kActive || demand.demand.histories()) continue;
    CountClaim(demand, *dataset, claim, /*changed=*/false);
    demand.rows_read += event.rows_read();
    demand.bytes_read += event.bytes_read();
    demand.rows_skipped += event.rows_skipped();
    demand.rows_duplicate += event.rows_duplicate();
    if (dataset->spec.keyed()) demand.rows_same += event.rows_read() - event.rows_duplicate();
  }
  if (claim.extent.range.has_value()) {
    dataset->history.Take(*claim.extent.range, at - claim.granted, event.rows_read(),
                          event.bytes_read());
  }
  if (event.has_empty_around()) dataset->empty_around = Trusted(event.empty_around());
  for (const v1::StagedPiece& piece : event.checksums()) {
    const auto checksum = ChecksumFromProto(piece.checksum());
    if (checksum.ok()) dataset->TakeChecksum(Trusted(piece.extent()), *checksum);
  }
  dataset->Confirm(claim, at);
  EndClaim(*dataset, event.fence());
  MeetDemands(*dataset, claim.extent, event.fence());
}

void ClusterState::ApplyAttemptFailed(const v1::AttemptFailed& event, absl::Time at) {
  DatasetState* dataset = DatasetOfClaim(event.fence());
  const Claim claim = dataset->claims.at(event.fence());
  if (claim.compaction) {
    EndClaim(*dataset, event.fence());
    return DropCompaction(*dataset, *claim.extent.range, event.failure().message(), at);
  }
  Blocked blocked;
  blocked.extent = claim.extent;
  blocked.failure = Trusted(event.failure());
  const Blocked* before = dataset->FindBlocked(claim.extent);
  blocked.deaths = (before == nullptr ? 0 : before->deaths) +
                   (blocked.failure.kind == FailureKind::kWorkerDeath ? 1 : 0);
  blocked.attempts = event.attempts();
  blocked.quarantined = event.quarantined();
  blocked.not_before = TimeOf(event.not_before());
  dataset->DropBlocked(claim.extent);
  dataset->blocked.push_back(blocked);
  EndClaim(*dataset, event.fence());
  if (!event.quarantined()) return;
  for (const std::string& run_id : dataset->live_runs) {
    DemandState& demand = runs_.at(run_id).demands.at(dataset->spec.id);
    if (demand.phase != DemandPhase::kActive) continue;
    const bool wanted =
        (claim.extent.range.has_value() && !demand.remaining.Within(*claim.extent.range).empty()) ||
        (claim.extent.outside && demand.outside_remaining > 0);
    if (!wanted) continue;
    SetAside(*dataset, blocked, demand);
  }
  MeetDemands(*dataset, claim.extent, INT64_MAX);
}

void ClusterState::ApplyReleased(const v1::Released& event) {
  EndClaim(*DatasetOfClaim(event.fence()), event.fence());
}

void ClusterState::ApplyIntended(const v1::Intended& event) {
  TableState& table = tables_[event.table()];
  table.last_sequence = event.commit_sequence();
  table.intended = event;
}

void ClusterState::ApplyPublished(const v1::Published& event, absl::Time at) {
  TableState& table = tables_[event.table()];
  table.intended.reset();
  table.TakePublished(event.version(), event.commit_sequence());
  for (int64_t fence : event.fences()) {
    DatasetState* dataset = DatasetOfClaim(fence);
    const Claim claim = dataset->claims.at(fence);
    if (claim.compaction) {
      PublishCompaction(*dataset, claim);
      continue;
    }
    if (claim.histories) {
      Mend(*dataset, claim);
      continue;
    }
    for (const std::string& run_id : dataset->live_runs) {
      DemandState& demand = runs_.at(run_id).demands.at(dataset->spec.id);
      if (demand.phase == DemandPhase::kActive && !demand.demand.histories())
        CountClaim(demand, *dataset, claim, /*changed=*/true);
    }
    table.TakeRows(*claim.manifest, event.version() >= 0);
    dataset->Publish(claim, at);
    EndClaim(*dataset, fence);
    MeetDemands(*dataset, claim.extent, fence);
  }
}

void ClusterState::ApplyAbandoned(const v1::Abandoned& event, absl::Time at) {
  TableState& table = tables_[event.table()];
  HW_CHECK(table.intended.has_value());
  for (int64_t fence : table.intended->fences()) {  // The ranges are read again.
    DatasetState* dataset = DatasetOfClaim(fence);
    const Claim claim = dataset->claims.at(fence);
    EndClaim(*dataset, fence);
    if (claim.compaction) DropCompaction(*dataset, *claim.extent.range, event.reason(), at);
  }
  table.intended.reset();
}

}  // namespace headwater
