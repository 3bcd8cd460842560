// ClusterState to bytes and back. Field by field: what is missing here is lost at the next restart,
// so the test compares a restored state's own snapshot with the first.
#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "common/model/write_proto.h"
#include "coordinator/state/cluster_state.h"
#include "coordinator/state/progress.h"
#include "coordinator/state/run_snapshot.h"

namespace headwater {
namespace {

Extent TakeExtent(const v1::Extent& extent) {
  Extent out;
  if (extent.has_range()) out.range = Range{extent.range().from(), extent.range().to()};
  out.outside = extent.outside();
  return out;
}

}  // namespace

// The one friend of ClusterState.
class SnapshotCodec {
 public:
  static v1::LedgerSnapshot Encode(const ClusterState& state);
  static absl::Status Decode(const v1::LedgerSnapshot& snapshot, ClusterState& state);

 private:
  static void EncodeDataset(const DatasetState& dataset, v1::DatasetSnapshot* out);
  static absl::StatusOr<DatasetState> DecodeDataset(const v1::DatasetSnapshot& snapshot);
};

void SnapshotCodec::EncodeDataset(const DatasetState& dataset, v1::DatasetSnapshot* out) {
  *out->mutable_spec() = ToProto(dataset.spec);
  out->set_digest(dataset.digest);
  if (dataset.probe.has_value()) *out->mutable_probe() = ToProto(*dataset.probe);
  out->set_probe_sequence(dataset.probe_sequence);
  if (dataset.domain.has_value()) {
    out->set_begin(dataset.domain->from);
    out->set_end(dataset.domain->to);
  }
  out->set_settled_to(dataset.settled_to);
  out->set_first_load_settled(dataset.first_load_settled);
  for (const auto& [from, piece] : dataset.coverage.pieces())
    *out->add_pieces() = ToSnapshot(piece);
  if (dataset.outside.has_value()) *out->mutable_outside() = ToSnapshot(*dataset.outside);
  out->set_outside_need(dataset.outside_need);
  if (dataset.joined_from.has_value()) out->set_joined_from(*dataset.joined_from);
  PutNeeds(dataset.needs, out->mutable_needs());
  for (const Blocked& blocked : dataset.blocked) {
    v1::BlockedSnapshot* entry = out->add_blocked();
    *entry->mutable_extent() = ToProto(blocked.extent);
    entry->set_attempts(blocked.attempts);
    entry->set_deaths(blocked.deaths);
    entry->set_quarantined(blocked.quarantined);
    *entry->mutable_not_before() = ToTimestamp(blocked.not_before);
    *entry->mutable_failure() = ToProto(blocked.failure);
  }
  v1::ReadHistorySnapshot* history = out->mutable_history();
  history->set_seconds(dataset.history.seconds);
  history->set_rows(dataset.history.rows);
  history->set_bytes(dataset.history.bytes);
  history->set_width(dataset.history.width);
  for (const auto& [fence, claim] : dataset.claims) {
    v1::ClaimSnapshot* entry = out->add_claims();
    entry->set_fence(fence);
    *entry->mutable_extent() = ToProto(claim.extent);
    for (int64_t cut : claim.cuts) entry->add_cuts(cut);
    entry->set_task_id(claim.task_id);
    if (claim.manifest.has_value()) *entry->mutable_manifest() = ToProto(*claim.manifest);
    entry->set_shown_clock_us(absl::ToUnixMicros(claim.shown.clock));
    entry->set_shown_limit(claim.shown.limit);
    entry->set_shown_seen_us(absl::ToUnixMicros(claim.shown.seen));
    if (claim.shown.oldest_transaction.has_value()) {
      entry->set_oldest_transaction_us(absl::ToUnixMicros(*claim.shown.oldest_transaction));
    }
    entry->set_outside_end(claim.outside_end);
    entry->set_connections(claim.connections);
    entry->set_compaction(claim.compaction);
    entry->set_input_files(claim.input_files);
    entry->set_differing(claim.differing);
    entry->set_histories(claim.histories);
    entry->set_whole(claim.whole);
    *entry->mutable_granted() = ToTimestamp(claim.granted);
  }
  out->set_compaction_from(dataset.compaction_from);
  out->set_compaction_failures(dataset.compaction_failures);
  if (dataset.compaction_not_before != absl::InfinitePast())
    *out->mutable_compaction_not_before() = ToTimestamp(dataset.compaction_not_before);
  out->set_table_rows(dataset.table_rows);
  out->set_adopted(dataset.adopted);
  if (dataset.last_loaded != absl::InfinitePast())
    *out->mutable_last_loaded() = ToTimestamp(dataset.last_loaded);
}

v1::LedgerSnapshot SnapshotCodec::Encode(const ClusterState& state) {
  v1::LedgerSnapshot snapshot;
  snapshot.set_term(state.term_);
  snapshot.set_config_digest(state.config_digest_);
  for (const auto& [id, dataset] : state.datasets_) EncodeDataset(dataset, snapshot.add_datasets());
  for (const auto& [id, run] : state.runs_) *snapshot.add_runs() = ToSnapshot(run);
  if (state.runs_archived_ != absl::InfinitePast())
    *snapshot.mutable_runs_archived() = ToTimestamp(state.runs_archived_);
  for (const v1::Planned& plan : state.plans_) *snapshot.add_plans() = plan;
  for (const auto& [name, table] : state.tables_) {
    v1::TableSnapshot* entry = snapshot.add_tables();
    entry->set_table(name);
    entry->set_last_sequence(table.last_sequence);
    if (table.intended.has_value()) *entry->mutable_intended() = *table.intended;
    if (table.published_version >= 0) entry->set_published_version(table.published_version);
    entry->set_published_sequence(table.published_sequence);
    if (table.collected != absl::InfinitePast())
      *entry->mutable_collected() = ToTimestamp(table.collected);
    if (table.removed_before != absl::InfinitePast())
      *entry->mutable_removed_before() = ToTimestamp(table.removed_before);
    if (!table.columns.columns.empty()) *entry->mutable_columns() = ToProto(table.columns);
    for (const auto& [spec_version, columns] : table.written) {
      v1::WrittenSnapshot* written = entry->add_written();
      written->set_spec_version(spec_version);
      *written->mutable_columns() = ToProto(columns);
    }
  }
  return snapshot;
}

absl::StatusOr<DatasetState> SnapshotCodec::DecodeDataset(const v1::DatasetSnapshot& snapshot) {
  DatasetState dataset;
  ASSIGN_OR_RETURN(const DatasetSpec spec, FromProto(snapshot.spec()));
  if (snapshot.has_probe()) {
    ASSIGN_OR_RETURN(dataset.probe, FromProto(snapshot.probe()));
  }
  dataset.TakeSpec(spec, snapshot.digest());
  dataset.probe_sequence = snapshot.probe_sequence();
  if (snapshot.has_begin() && snapshot.has_end())
    dataset.domain = Range{snapshot.begin(), snapshot.end()};
  dataset.settled_to = snapshot.settled_to();
  dataset.first_load_settled = snapshot.first_load_settled();
  if (snapshot.has_compaction_from()) dataset.compaction_from = snapshot.compaction_from();
  dataset.compaction_failures = static_cast<int>(snapshot.compaction_failures());
  if (snapshot.has_compaction_not_before())
    dataset.compaction_not_before = TimeOf(snapshot.compaction_not_before());
  for (const v1::PieceSnapshot& piece : snapshot.pieces()) {
    ASSIGN_OR_RETURN(Piece restored, FromSnapshot(piece));
    dataset.coverage.Put(std::move(restored));
  }
  if (snapshot.has_outside()) dataset.outside = FromSnapshot(snapshot.outside());
  dataset.outside_need = snapshot.outside_need();
  if (snapshot.has_joined_from()) dataset.joined_from = snapshot.joined_from();
  dataset.needs = TakeNeeds(snapshot.needs());
  for (const v1::BlockedSnapshot& entry : snapshot.blocked()) {
    ASSIGN_OR_RETURN(Failure failure, FromProto(entry.failure()));
    dataset.blocked.push_back({TakeExtent(entry.extent()), entry.attempts(), entry.deaths(),
                               entry.quarantined(), TimeOf(entry.not_before()),
                               std::move(failure)});
  }
  const v1::ReadHistorySnapshot& history = snapshot.history();
  dataset.history = {history.seconds(), history.rows(), history.bytes(), history.width()};
  for (const v1::ClaimSnapshot& entry : snapshot.claims()) {
    Claim claim;
    claim.fence = entry.fence();
    claim.extent = TakeExtent(entry.extent());
    claim.cuts.assign(entry.cuts().begin(), entry.cuts().end());
    claim.task_id = entry.task_id();
    if (entry.has_manifest()) {
      ASSIGN_OR_RETURN(claim.manifest, FromProto(entry.manifest()));
    }
    claim.shown.clock = absl::FromUnixMicros(entry.shown_clock_us());
    claim.shown.limit = entry.shown_limit();
    claim.shown.seen = absl::FromUnixMicros(entry.shown_seen_us());
    if (entry.oldest_transaction_us() != 0) {
      claim.shown.oldest_transaction = absl::FromUnixMicros(entry.oldest_transaction_us());
    }
    claim.outside_end = entry.outside_end();
    claim.compaction = entry.compaction();
    claim.input_files = entry.input_files();
    claim.differing = entry.differing();
    claim.histories = entry.histories();
    claim.whole = entry.whole();
    claim.granted = TimeOf(entry.granted());
    claim.connections = claim.reads() ? std::max(1, entry.connections()) : 0;
    dataset.claims.emplace(claim.fence, std::move(claim));
  }
  dataset.table_rows = snapshot.table_rows();
  dataset.adopted = snapshot.adopted();
  if (snapshot.has_last_loaded()) dataset.last_loaded = TimeOf(snapshot.last_loaded());
  return dataset;
}

absl::Status SnapshotCodec::Decode(const v1::LedgerSnapshot& snapshot, ClusterState& state) {
  state.term_ = snapshot.term();
  state.config_digest_ = snapshot.config_digest();
  for (const v1::DatasetSnapshot& entry : snapshot.datasets()) {
    ASSIGN_OR_RETURN(DatasetState dataset, DecodeDataset(entry));
    const DatasetId id = dataset.spec.id;
    for (const auto& [fence, claim] : dataset.claims) {
      state.claims_.emplace(fence, id);
      if (claim.manifest.has_value()) state.staged_[id.table].insert(fence);
    }
    state.datasets_.emplace(id, std::move(dataset));
  }
  for (const v1::RunSnapshot& entry : snapshot.runs()) {
    ASSIGN_OR_RETURN(RunState run, FromSnapshot(entry));
    if (!run.ended.has_value()) {
      state.live_runs_.insert(run.id);
      for (const auto& [id, demand] : run.demands) state.datasets_.at(id).live_runs.insert(run.id);
    } else {
      state.ended_demands_ += static_cast<int64_t>(run.demands.size());
    }
    state.runs_.emplace(run.id, std::move(run));
  }
  if (snapshot.has_runs_archived()) state.runs_archived_ = TimeOf(snapshot.runs_archived());
  state.plans_.assign(snapshot.plans().begin(), snapshot.plans().end());
  for (const v1::TableSnapshot& entry : snapshot.tables()) {
    TableState& table = state.tables_[entry.table()];
    table.last_sequence = entry.last_sequence();
    if (entry.has_intended()) table.intended = entry.intended();
    if (entry.has_published_version()) table.published_version = entry.published_version();
    table.published_sequence = entry.published_sequence();
    if (entry.has_collected()) table.collected = TimeOf(entry.collected());
    if (entry.has_removed_before()) table.removed_before = TimeOf(entry.removed_before());
    ASSIGN_OR_RETURN(table.columns, FromProto(entry.columns()));
    for (const v1::WrittenSnapshot& written : entry.written()) {
      ASSIGN_OR_RETURN(table.written[written.spec_version()], FromProto(written.columns()));
    }
  }
  return absl::OkStatus();
}

std::string ClusterState::Serialize() const {
  return SnapshotCodec::Encode(*this).SerializeAsString();
}

absl::StatusOr<std::unique_ptr<ClusterState>> ClusterState::Restore(int64_t sequence,
                                                                    absl::string_view bytes) {
  v1::LedgerSnapshot snapshot;
  if (!snapshot.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("the ledger's snapshot cannot be read");
  }
  auto state = std::make_unique<ClusterState>();
  RETURN_IF_ERROR(
      Annotate(SnapshotCodec::Decode(snapshot, *state), "reading the ledger's snapshot"));
  state->last_sequence_ = sequence;
  return state;
}

}  // namespace headwater
