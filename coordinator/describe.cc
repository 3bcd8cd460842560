#include "coordinator/describe.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/data/bad_row.h"
#include "common/model/model_proto.h"
#include "coordinator/explain.h"
#include "coordinator/plan/planner.h"

namespace headwater {
namespace {

constexpr int kMaxListedExtents = 1'000;

void SetSilence(const DatasetState& dataset, auto* message) {
  const std::optional<absl::Duration> silent = dataset.SilentFor();
  if (!silent.has_value()) return;
  message->set_silent(true);
  message->set_silent_for(Brief(*silent));
}

v1::RunDataset::State StateOf(DemandPhase phase) {
  switch (phase) {
    case DemandPhase::kWaitingForProbe:
      return v1::RunDataset::STATE_PROBING;
    case DemandPhase::kActive:
      return v1::RunDataset::STATE_RUNNING;
    case DemandPhase::kDone:
      return v1::RunDataset::STATE_DONE;
    case DemandPhase::kFailed:
      return v1::RunDataset::STATE_FAILED;
    case DemandPhase::kCancelled:
      return v1::RunDataset::STATE_CANCELLED;
  }
  return v1::RunDataset::STATE_UNSPECIFIED;
}

void DescribeDemand(const DatasetState& dataset, const DemandState& demand, v1::RunDataset* out) {
  *out->mutable_dataset() = RefOf(dataset.spec.id);
  out->set_state(StateOf(demand.phase));
  out->set_microbatches_done(demand.done);
  out->set_microbatches_unchanged(demand.unchanged);
  out->set_microbatches_failed(demand.failed);
  out->set_rows_read(demand.rows_read);
  out->set_rows_written(demand.rows_written);
  out->set_bytes_read(demand.bytes_read);
  out->set_bytes_written(demand.bytes_written);
  out->set_pieces_written(demand.pieces_written);
  out->set_truncated_values(demand.truncated_values);
  out->set_bad_rows(demand.bad_rows);
  out->set_compacted_units(demand.compacted_units);
  out->set_compacted_files(demand.compacted_files);
  out->set_compacted_into(demand.compacted_into);
  out->set_keyed(dataset.spec.keyed());
  out->set_rows_new(demand.rows_new);
  out->set_rows_changed(demand.rows_changed);
  out->set_rows_same(demand.rows_same);
  out->set_rows_deleted(demand.rows_deleted);
  out->set_rows_duplicate(demand.rows_duplicate);
  out->set_rows_skipped(demand.rows_skipped);
  const std::optional<double> row_bytes = dataset.history.BytesPerRow();
  out->set_bytes_skipped(
      row_bytes.has_value()
          ? static_cast<int64_t>(*row_bytes * static_cast<double>(demand.rows_skipped))
          : -1);
  if (demand.bad_rows > 0) out->set_quarantine(QuarantineName(dataset.spec.target_uri));
  for (const std::string& extent : demand.rewritten) out->add_rewritten(extent);
  SetSilence(dataset, out);
  out->set_bound(BoundText(dataset));
}

// In the order that the design gives: in flight, failed, fresh, stale, missing.
std::string StateText(const DatasetState& dataset) {
  if (!dataset.claims.empty()) return "in flight";
  if (std::any_of(dataset.blocked.begin(), dataset.blocked.end(),
                  [](const Blocked& b) { return b.quarantined; })) {
    return "failed";
  }
  if (!dataset.probe.has_value()) {
    // Healed: what the table has is known, and not yet what its source has.
    const bool found = !dataset.coverage.pieces().empty() || dataset.table_rows > 0;
    return found || dataset.adopted ? "stale" : "never loaded";
  }
  if (!dataset.domain.has_value()) return "no rows";
  if (!dataset.coverage.Missing(*dataset.domain).empty()) {
    return dataset.coverage.pieces().empty() && !dataset.adopted ? "never loaded" : "missing";
  }
  return dataset.needs.empty() && dataset.outside_need == 0 ? "fresh" : "stale";
}

// Why the newest run of a dataset as a whole has failed, for those where it has.
std::map<DatasetId, Failure> LastRefusals(const ClusterState& state) {
  std::map<DatasetId, std::pair<absl::Time, std::optional<Failure>>> newest;
  for (const auto& [run_id, run] : state.runs()) {
    for (const auto& [id, demand] : run.demands) {
      if (!demand.ended()) continue;
      const auto [it, first] = newest.try_emplace(id, run.started, std::nullopt);
      if (!first && it->second.first > run.started) continue;
      it->second = {run.started, std::nullopt};
      for (const DemandProblem& problem : demand.problems) {
        if (problem.extent.empty()) it->second.second = problem.failure;
      }
    }
  }
  std::map<DatasetId, Failure> refusals;
  for (const auto& [id, last] : newest) {
    if (last.second.has_value()) refusals.emplace(id, *last.second);
  }
  return refusals;
}

// How a dataset's server is, apart from what of the dataset is loaded.
void SetCondition(const DatasetState& dataset, const Failure* refusal, v1::DatasetStatus* out) {
  const auto lag = [&]() -> absl::Duration {
    if (!dataset.probe.has_value() || !dataset.probe->replay_time.has_value())
      return absl::ZeroDuration();
    return dataset.probe->source_clock - *dataset.probe->replay_time;
  }();
  const bool behind = lag >= std::max(dataset.spec.settle, absl::Minutes(1));
  if (behind) out->set_behind_for(Brief(lag));
  const bool held_back = std::any_of(dataset.blocked.begin(), dataset.blocked.end(),
                                     [](const Blocked& blocked) { return blocked.quarantined; });
  if (refusal != nullptr && refusal->kind == FailureKind::kSource &&
      refusal->status.code() == absl::StatusCode::kUnavailable) {
    out->set_condition("unreachable");
  } else if (refusal != nullptr || held_back) {
    out->set_condition("failing");
  } else if (!dataset.probe.has_value()) {
    out->set_condition("unknown");
  } else if (behind) {
    out->set_condition("behind");
  } else {
    out->set_condition(out->silent() ? "silent" : "ok");
  }
}

}  // namespace

std::string Brief(absl::Duration duration) {
  if (duration >= absl::Hours(24)) return absl::StrCat(duration / absl::Hours(24), "d");
  if (duration >= absl::Hours(1)) return absl::StrCat(duration / absl::Hours(1), "h");
  if (duration >= absl::Minutes(1)) return absl::StrCat(duration / absl::Minutes(1), "m");
  return absl::StrCat(duration / absl::Seconds(1), "s");
}

std::string DescribeInstant(absl::Time time, const std::string& timezone) {
  constexpr char kFormat[] = "%Y-%m-%d %H:%M:%S";
  absl::TimeZone zone;
  if (timezone == "UTC" || !absl::LoadTimeZone(timezone, &zone))
    return absl::FormatTime(absl::StrCat(kFormat, " UTC"), time, absl::UTCTimeZone());
  return absl::StrCat(absl::FormatTime(kFormat, time, zone), " ", timezone, " (",
                      absl::FormatTime("%H:%M", time, absl::UTCTimeZone()), " UTC)");
}

std::string BoundText(const DatasetState& dataset) {
  if (!dataset.domain.has_value() || dataset.calendar->type() == CursorType::kNone) return "";
  return dataset.calendar->Format(dataset.domain->to - 1);
}

v1::WatchRunResponse DescribeRun(const ClusterState& state, const RunState& run,
                                 const LeaseTable& leases, int64_t workers, absl::Time now) {
  v1::WatchRunResponse response;
  response.set_run_id(run.id);
  response.set_kind(run.kind);
  response.set_ended(run.ended.has_value());
  response.set_failed(run.failed);
  response.set_cancelled(run.cancelled);
  response.set_workers(workers);
  response.set_seconds(absl::ToDoubleSeconds(run.ended.value_or(now) - run.started));
  for (const auto& [id, demand] : run.demands) {
    const DatasetState* dataset = state.FindDataset(id);
    v1::RunDataset* out = response.add_datasets();
    DescribeDemand(*dataset, demand, out);
    int64_t in_flight = 0;
    for (const auto& [ref, lease] : leases.leases()) in_flight += lease.dataset == id ? 1 : 0;
    out->set_in_flight(in_flight);
    for (const std::string& notice : demand.notices) {
      v1::Problem* shown = response.add_problems();
      *shown->mutable_dataset() = RefOf(id);
      shown->set_warning(notice);
    }
    for (const DemandProblem& problem : demand.problems) {
      v1::Problem* shown = response.add_problems();
      *shown->mutable_dataset() = RefOf(id);
      shown->set_extent(problem.extent);
      shown->set_attempts(problem.attempts);
      shown->set_code(static_cast<int32_t>(problem.failure.status.code()));
      shown->set_message(std::string(problem.failure.status.message()));
    }
  }
  return response;
}

v1::GetStatusResponse DescribeStatus(const ClusterState& state, absl::Time now) {
  (void)now;
  v1::GetStatusResponse response;
  response.set_ledger_sequence(state.last_sequence());
  response.set_term(state.term());
  for (const std::string& id : state.live_runs()) response.add_live_runs(id);
  const std::map<DatasetId, Failure> refusals = LastRefusals(state);
  for (const auto& [id, dataset] : state.datasets()) {
    v1::DatasetStatus* out = response.add_datasets();
    *out->mutable_dataset() = RefOf(id);
    out->set_strategy(StrategyToString(dataset.spec.strategy));
    out->set_state(StateText(dataset));
    out->set_pieces(static_cast<int64_t>(dataset.coverage.pieces().size()));
    out->set_rows(dataset.rows() - dataset.bad_rows());
    out->set_in_flight(static_cast<int64_t>(dataset.claims.size()));
    SetSilence(dataset, out);
    out->set_bound(BoundText(dataset));
    const bool ranges =
        dataset.calendar.has_value() && dataset.calendar->type() != CursorType::kNone;
    if (ranges && dataset.domain.has_value())
      out->set_begin(dataset.calendar->Format(dataset.domain->from));
    if (const auto watermark = dataset.Watermark(); ranges && watermark.has_value()) {
      out->set_watermark(dataset.calendar->Format(*watermark));
    }
    const absl::Time through = dataset.CompleteThrough();
    if (through != absl::InfinitePast()) {
      out->set_complete_through(
          absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", through, absl::UTCTimeZone()));
    }
    if (dataset.outside.has_value()) out->set_outside_rows(dataset.outside->fingerprint.rows);
    if (const int64_t bad_rows = dataset.bad_rows(); bad_rows > 0) {
      out->set_bad_rows(bad_rows);
      out->set_quarantine(QuarantineName(dataset.spec.target_uri));
    }
    const auto refusal = refusals.find(id);
    if (refusal != refusals.end())
      out->set_last_error(std::string(refusal->second.status.message()));
    SetCondition(dataset, refusal == refusals.end() ? nullptr : &refusal->second, out);
    if (ranges) {
      *out->mutable_missing() = DescribeRanges(dataset, MissingRanges(dataset));
      *out->mutable_stale() = DescribeRanges(dataset, StaleRanges(dataset));
      if (dataset.first_load_settled)
        out->set_settled_to(dataset.calendar->Format(dataset.settled_to));
    }
    for (const Blocked& blocked : dataset.blocked) {
      if (blocked.quarantined) out->set_quarantined(out->quarantined() + 1);
      out->set_last_error(absl::StrCat(Describe(dataset, blocked.extent), ": ",
                                       std::string(blocked.failure.status.message())));
    }
    if (dataset.last_loaded != absl::InfinitePast()) {
      out->mutable_last_loaded()->set_seconds(absl::ToUnixSeconds(dataset.last_loaded));
    }
  }
  return response;
}

// What is being read of what `demand` wants, and whether that serves it.
void SetConflicts(const DatasetState& dataset, const DemandState& demand, v1::PlannedDataset* out) {
  for (const auto& [fence, claim] : dataset.claims) {
    if (!claim.extent.range.has_value()) continue;
    const auto wanted = demand.remaining.Within(*claim.extent.range);
    if (wanted.empty()) continue;
    const bool serves =
        std::all_of(wanted.begin(), wanted.end(),
                    [&, fence = fence](const auto& w) { return w.sequence <= fence; });
    out->add_conflicts(
        absl::StrCat(Describe(dataset, claim.extent),
                     claim.compaction  ? " is being compacted"
                     : claim.histories ? " has its histories mended"
                                       : " is being read",
                     " (fence ", fence, "): ",
                     claim.compaction || claim.histories ? "this waits for it"
                     : serves                            ? "what it brings is not read twice"
                              : "it began too early for this, which waits for it and reads again"));
  }
}

v1::PlannedDataset DescribePlan(const DatasetState& dataset, const DemandState& demand,
                                const Pace& pace) {
  const DemandPlan plan = PlanDemand(dataset, demand, pace, kMaxListedExtents);
  v1::PlannedDataset out;
  *out.mutable_dataset() = RefOf(dataset.spec.id);
  out.set_strategy(StrategyToString(dataset.spec.strategy));
  out.set_microbatches(plan.microbatches);
  out.set_why(plan.why);
  out.set_estimated_rows(plan.rows);
  out.set_estimated_bytes(plan.bytes);
  out.set_estimated_seconds(plan.seconds);
  for (const PlannedMicrobatch& planned : plan.listed) {
    v1::PlannedMicrobatch* one = out.add_list();
    one->set_extent(Describe(dataset, planned.extent));
    one->set_why(planned.why);
    one->set_rows(planned.rows);
    one->set_bytes(planned.bytes);
    one->set_seconds(planned.seconds);
  }
  SetConflicts(dataset, demand, &out);
  SetSilence(dataset, &out);
  out.set_bound(BoundText(dataset));
  const auto entries = demand.remaining.entries();
  if (!entries.empty() && dataset.calendar->type() != CursorType::kNone) {
    out.set_from(dataset.calendar->Format(entries.front().range.from));
    out.set_to(dataset.calendar->Format(entries.back().range.to));
  }
  if (dataset.probe.has_value() && !dataset.probe->transactions_known) {
    out.add_warnings(
        "open transactions cannot be seen on this server: rows settle after one hour "
        "(transactions_from names the server that a replica follows)");
  }
  if (dataset.probe.has_value()) {
    for (const std::string& notice : dataset.probe->notices) out.add_warnings(notice);
  }
  for (const Blocked& blocked : dataset.blocked) {
    if (blocked.quarantined)
      out.add_warnings(absl::StrCat("quarantined: ", Describe(dataset, blocked.extent)));
  }
  return out;
}

}  // namespace headwater
