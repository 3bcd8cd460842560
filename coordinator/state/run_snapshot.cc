#include "coordinator/state/run_snapshot.h"

#include <utility>

#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

void PutNeeds(const SequenceMap& needs, google::protobuf::RepeatedPtrField<v1::NeedSnapshot>* out) {
  for (const SequenceMap::Entry& entry : needs.entries()) {
    v1::NeedSnapshot* need = out->Add();
    *need->mutable_range() = ToProto(entry.range);
    need->set_sequence(entry.sequence);
  }
}

SequenceMap TakeNeeds(const google::protobuf::RepeatedPtrField<v1::NeedSnapshot>& needs) {
  SequenceMap map;
  for (const v1::NeedSnapshot& need : needs)
    map.Raise({need.range().from(), need.range().to()}, need.sequence());
  return map;
}

namespace {

v1::DemandSnapshot ToSnapshot(const DemandState& demand) {
  v1::DemandSnapshot entry;
  *entry.mutable_demand() = demand.demand;
  entry.set_phase(static_cast<int32_t>(demand.phase));
  PutNeeds(demand.remaining, entry.mutable_remaining());
  entry.set_outside_remaining(demand.outside_remaining);
  entry.set_done(demand.done);
  entry.set_unchanged(demand.unchanged);
  entry.set_failed(demand.failed);
  entry.set_rows_read(demand.rows_read);
  entry.set_rows_written(demand.rows_written);
  entry.set_bytes_read(demand.bytes_read);
  entry.set_bytes_written(demand.bytes_written);
  entry.set_pieces_written(demand.pieces_written);
  entry.set_bad_rows(demand.bad_rows);
  entry.set_truncated_values(demand.truncated_values);
  for (const Range& range : demand.compacting) *entry.add_compacting() = ToProto(range);
  for (const Range& range : demand.unfinished.ranges()) *entry.add_unfinished() = ToProto(range);
  entry.set_unfinished_outside(demand.unfinished_outside);
  entry.set_never_probed(demand.never_probed);
  entry.set_compacted_units(demand.compacted_units);
  entry.set_compacted_files(demand.compacted_files);
  entry.set_compacted_into(demand.compacted_into);
  for (const std::string& extent : demand.rewritten) entry.add_rewritten(extent);
  for (const std::string& notice : demand.notices) entry.add_notices(notice);
  for (const DemandProblem& problem : demand.problems) {
    v1::ProblemSnapshot* shown = entry.add_problems();
    shown->set_extent(problem.extent);
    shown->set_attempts(problem.attempts);
    *shown->mutable_failure() = ToProto(problem.failure);
  }
  entry.set_rows_new(demand.rows_new);
  entry.set_rows_changed(demand.rows_changed);
  entry.set_rows_same(demand.rows_same);
  entry.set_rows_deleted(demand.rows_deleted);
  entry.set_rows_duplicate(demand.rows_duplicate);
  entry.set_rows_skipped(demand.rows_skipped);
  return entry;
}

absl::StatusOr<DemandState> FromSnapshot(const v1::DemandSnapshot& entry) {
  DemandState demand;
  demand.demand = entry.demand();
  demand.phase = static_cast<DemandPhase>(entry.phase());
  demand.remaining = TakeNeeds(entry.remaining());
  demand.outside_remaining = entry.outside_remaining();
  demand.done = entry.done();
  demand.unchanged = entry.unchanged();
  demand.failed = entry.failed();
  demand.rows_read = entry.rows_read();
  demand.rows_written = entry.rows_written();
  demand.bytes_read = entry.bytes_read();
  demand.bytes_written = entry.bytes_written();
  demand.pieces_written = entry.pieces_written();
  demand.bad_rows = entry.bad_rows();
  demand.truncated_values = entry.truncated_values();
  for (const v1::Range& range : entry.compacting())
    demand.compacting.push_back({range.from(), range.to()});
  for (const v1::Range& range : entry.unfinished())
    demand.unfinished.Add({range.from(), range.to()});
  demand.unfinished_outside = entry.unfinished_outside();
  demand.never_probed = entry.never_probed();
  demand.compacted_units = entry.compacted_units();
  demand.compacted_files = entry.compacted_files();
  demand.compacted_into = entry.compacted_into();
  demand.rewritten.assign(entry.rewritten().begin(), entry.rewritten().end());
  demand.notices.assign(entry.notices().begin(), entry.notices().end());
  for (const v1::ProblemSnapshot& problem : entry.problems()) {
    ASSIGN_OR_RETURN(Failure failure, FromProto(problem.failure()));
    demand.problems.push_back({problem.extent(), problem.attempts(), std::move(failure)});
  }
  demand.rows_new = entry.rows_new();
  demand.rows_changed = entry.rows_changed();
  demand.rows_same = entry.rows_same();
  demand.rows_deleted = entry.rows_deleted();
  demand.rows_duplicate = entry.rows_duplicate();
  demand.rows_skipped = entry.rows_skipped();
  return demand;
}

}  // namespace

v1::RunSnapshot ToSnapshot(const RunState& run) {
  v1::RunSnapshot out;
  out.set_run_id(run.id);
  out.set_idempotency_key(run.idempotency_key);
  out.set_kind(run.kind);
  out.set_by_person(run.by_person);
  *out.mutable_started() = ToTimestamp(run.started);
  if (run.ended.has_value()) *out.mutable_ended() = ToTimestamp(*run.ended);
  out.set_failed(run.failed);
  out.set_cancelled(run.cancelled);
  *out.mutable_pace() = ToProto(run.pace);
  out.set_retry_of(run.retry_of);
  for (const auto& [id, demand] : run.demands) *out.add_demands() = ToSnapshot(demand);
  return out;
}

absl::StatusOr<RunState> FromSnapshot(const v1::RunSnapshot& snapshot) {
  RunState run;
  run.id = snapshot.run_id();
  run.idempotency_key = snapshot.idempotency_key();
  run.kind = snapshot.kind();
  run.by_person = snapshot.by_person();
  run.started = TimeOf(snapshot.started());
  if (snapshot.has_ended()) run.ended = TimeOf(snapshot.ended());
  run.failed = snapshot.failed();
  run.cancelled = snapshot.cancelled();
  run.pace = PaceOf(snapshot.pace());
  run.retry_of = snapshot.retry_of();
  for (const v1::DemandSnapshot& entry : snapshot.demands()) {
    ASSIGN_OR_RETURN(DemandState demand, FromSnapshot(entry));
    run.demands.emplace(IdOf(demand.demand.dataset()), std::move(demand));
  }
  return run;
}

}  // namespace headwater
