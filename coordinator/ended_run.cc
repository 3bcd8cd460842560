#include "coordinator/ended_run.h"

#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

const char* WordOf(v1::RunKind kind) {
  switch (kind) {
    case v1::RUN_KIND_BACKFILL:
      return "backfill";
    case v1::RUN_KIND_RETRY:
      return "retry";
    case v1::RUN_KIND_REPAIR:
      return "repair";
    default:
      return "incremental";
  }
}

const char* WordOf(v1::BackfillMode mode) {
  switch (mode) {
    case v1::BACKFILL_MODE_ALL:
      return "all";
    case v1::BACKFILL_MODE_MISSING:
      return "missing";
    case v1::BACKFILL_MODE_STALE:
      return "stale";
    case v1::BACKFILL_MODE_FAILED:
      return "failed";
    case v1::BACKFILL_MODE_OUTDATED:
      return "outdated";
    case v1::BACKFILL_MODE_LISTED:
      return "listed";
    default:
      return "";
  }
}

const char* WordOf(DemandPhase phase) {
  switch (phase) {
    case DemandPhase::kFailed:
      return "failed";
    case DemandPhase::kCancelled:
      return "cancelled";
    default:
      return "done";
  }
}

// As the archive has instants: it keeps microseconds.
google::protobuf::Timestamp Instant(absl::Time time) {
  return ToTimestamp(absl::FromUnixMicros(absl::ToUnixMicros(time)));
}

void SetAsked(const v1::Demand& demand, v1::EndedDemand* out) {
  *out->mutable_dataset() = demand.dataset();
  out->set_mode(WordOf(demand.mode()));
  if (demand.has_from_us())
    *out->mutable_from() = ToTimestamp(absl::FromUnixMicros(demand.from_us()));
  if (demand.has_to_us()) *out->mutable_to() = ToTimestamp(absl::FromUnixMicros(demand.to_us()));
  if (demand.has_from_value()) out->set_from_value(demand.from_value());
  if (demand.has_to_value()) out->set_to_value(demand.to_value());
}

void SetDone(const DemandState& demand, v1::EndedDemand* out) {
  out->set_microbatches_done(demand.done);
  out->set_microbatches_unchanged(demand.unchanged);
  out->set_microbatches_failed(demand.failed);
  out->set_rows_read(demand.rows_read);
  out->set_rows_written(demand.rows_written);
  out->set_rows_new(demand.rows_new);
  out->set_rows_changed(demand.rows_changed);
  out->set_rows_same(demand.rows_same);
  out->set_rows_deleted(demand.rows_deleted);
  out->set_rows_duplicate(demand.rows_duplicate);
  out->set_rows_skipped(demand.rows_skipped);
  out->set_bad_rows(demand.bad_rows);
  out->set_truncated_values(demand.truncated_values);
  out->set_bytes_read(demand.bytes_read);
  out->set_bytes_written(demand.bytes_written);
  out->set_pieces_written(demand.pieces_written);
  out->set_compacted_units(demand.compacted_units);
  out->set_compacted_files(demand.compacted_files);
  out->set_compacted_into(demand.compacted_into);
  out->mutable_rewritten()->Assign(demand.rewritten.begin(), demand.rewritten.end());
  out->mutable_notices()->Assign(demand.notices.begin(), demand.notices.end());
}

}  // namespace

v1::EndedRun EndedRunOf(const RunState& run) {
  v1::EndedRun out;
  out.set_run_id(run.id);
  out.set_kind(WordOf(run.kind));
  out.set_by_person(run.by_person);
  out.set_retry_of(run.retry_of);
  out.set_idempotency_key(run.idempotency_key);
  *out.mutable_started() = Instant(run.started);
  *out.mutable_ended() = Instant(*run.ended);
  out.set_result(run.cancelled ? "cancelled" : run.failed ? "failed" : "done");
  for (const auto& [id, demand] : run.demands) {
    v1::EndedDemand* one = out.add_datasets();
    SetAsked(demand.demand, one);
    one->set_result(WordOf(demand.phase));
    SetDone(demand, one);
    for (const DemandProblem& problem : demand.problems) {
      v1::EndedProblem* shown = one->add_problems();
      shown->set_extent(problem.extent);
      shown->set_attempts(problem.attempts);
      shown->set_code(static_cast<int32_t>(problem.failure.status.code()));
      shown->set_message(std::string(problem.failure.status.message()));
    }
  }
  return out;
}

}  // namespace headwater
