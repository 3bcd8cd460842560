// What people ask: runs. Plans: core_plan.cc, verifications: core_verify.cc.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "coordinator/core_impl.h"
#include "coordinator/describe.h"
#include "coordinator/plan/planner.h"

namespace headwater {
namespace {

// What of an ended run's demand is to be tried again; none: it came to its end.
std::optional<v1::Demand> RetryOf(const DemandState& ended) {
  if (!ended.left_unfinished()) return std::nullopt;
  if (ended.never_probed || ended.demand.histories()) return ended.demand;
  v1::Demand again =
      ListedDemand(IdOf(ended.demand.dataset()), ended.unfinished, ended.unfinished_outside);
  again.set_differing(ended.demand.differing());
  return again;
}

}  // namespace

absl::Status Core::Impl::FillRetry(const RunSubmitted& input, v1::RunStarted* started) const {
  const RunState* tried = state->FindRun(input.retry_of);
  if (tried == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("no such run: ", input.retry_of,
                     "; runs that ended long ago are known to `headwater history` only"));
  }
  if (!tried->ended.has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat("run ", input.retry_of, " has not ended yet; it tries again by itself"));
  }
  started->set_retry_of(input.retry_of);
  *started->mutable_pace() = ToProto(tried->pace);
  for (const DemandRequest& request : input.demands) {
    const auto demand = tried->demands.find(request.dataset);
    if (demand == tried->demands.end()) continue;
    if (const std::optional<v1::Demand> again = RetryOf(demand->second); again.has_value())
      *started->add_demands() = *again;
  }
  return absl::OkStatus();
}

absl::Status Core::Impl::FillDemands(const RunSubmitted& input, v1::RunStarted* started) const {
  for (const DemandRequest& request : input.demands) {
    if (state->FindDataset(request.dataset) == nullptr)
      return absl::NotFoundError(absl::StrCat("no such dataset: ", ToString(request.dataset)));
    *started->add_demands() = DemandProto(request);
  }
  return absl::OkStatus();
}

void Core::Impl::On(const RunSubmitted& input) {
  if (!input.idempotency_key.empty()) {
    for (const auto& [id, run] : state->runs()) {
      if (run.idempotency_key != input.idempotency_key) continue;
      Send(AnswerRun{input.call, absl::OkStatus(), id, true});
      return;
    }
  }
  v1::Event event;
  v1::RunStarted* started = event.mutable_run_started();
  started->set_run_id(input.run_id);
  started->set_idempotency_key(input.idempotency_key);
  started->set_kind(input.kind);
  started->set_by_person(input.by_person);
  *started->mutable_pace() = ToProto(input.pace);
  if (input.kind == v1::RUN_KIND_REPAIR && input.plan_id.empty()) {
    return Send(AnswerRun{input.call,
                          absl::InvalidArgumentError("plan_id: a repair needs the plan of a "
                                                     "verification; run `headwater repair`"),
                          "", false});
  }
  const absl::Status filled = input.kind == v1::RUN_KIND_RETRY ? FillRetry(input, started)
                              : !input.plan_id.empty()         ? FillPlanned(input, started)
                                                               : FillDemands(input, started);
  if (!filled.ok()) return Send(AnswerRun{input.call, filled, "", false});
  for (const v1::Demand& demand : started->demands()) {
    if (input.by_person) GateOf(demand.dataset().server()).TryNow();
  }
  Emit(std::move(event));
  Send(AnswerRun{input.call, absl::OkStatus(), input.run_id, false});
}

void Core::Impl::On(const RunCancelRequested& input) {
  const RunState* run = state->FindRun(input.run_id);
  if (run == nullptr) {
    Send(
        AnswerCancel{input.call, absl::NotFoundError(absl::StrCat("no such run: ", input.run_id))});
    return;
  }
  if (!run->ended.has_value() && !run->cancelled) {
    v1::Event event;
    event.mutable_run_cancelled()->set_run_id(input.run_id);
    Emit(std::move(event));
  }
  Send(AnswerCancel{input.call, absl::OkStatus()});
}

void Core::Impl::EndRuns() {
  // What ends a run touches other runs of its datasets; those have not come further by it.
  for (const std::string& id : std::exchange(runs_to_end, {})) {
    const RunState* run = state->FindRun(id);
    if (run == nullptr || run->ended.has_value()) continue;
    // A demand that has ended stays so: all before this one have.
    auto open = run->demands.lower_bound(open_demands[id]);
    while (open != run->demands.end() && open->second.ended()) ++open;
    if (open != run->demands.end()) {
      open_demands[id] = open->first;
      continue;
    }
    open_demands.erase(id);
    v1::Event event;
    event.mutable_run_ended()->set_run_id(id);
    event.mutable_run_ended()->set_failed(
        std::any_of(run->demands.begin(), run->demands.end(),
                    [](const auto& entry) { return entry.second.phase == DemandPhase::kFailed; }));
    Emit(std::move(event));
    changed_runs.insert(id);
  }
}

void Core::Impl::FailDemands(const DatasetId& id, const std::vector<std::string>& run_ids,
                             const Failure& failure) {
  if (run_ids.empty()) return;
  v1::Event event;
  v1::DemandsFailed* failed = event.mutable_demands_failed();
  *failed->mutable_dataset() = RefOf(id);
  *failed->mutable_failure() = ToProto(failure);
  for (const std::string& run_id : run_ids) failed->add_run_ids(run_id);
  Emit(std::move(event));
}

absl::Status Core::Impl::CheckPolicies(const DatasetState& dataset,
                                       const ProbeResult& result) const {
  const DatasetSpec& spec = dataset.spec;
  ASSIGN_OR_RETURN(const CursorCalendar calendar, CalendarOf(spec, result.cursor_type));
  RETURN_IF_ERROR(Annotate(BeginOf(spec, calendar).status(), ToString(spec.id)));
  if (spec.on_null_cursor == OutsidePolicy::kError && result.null_rows > 0) {
    return absl::InvalidArgumentError(absl::StrCat(ToString(spec.id), ": ", result.null_rows,
                                                   " rows have no value in cursor column ",
                                                   spec.cursor,
                                                   "; expected none (on_null_cursor: error). Mend "
                                                   "them, or set on_null_cursor: load or exclude"));
  }
  if (spec.on_future_cursor == OutsidePolicy::kError && result.future_rows > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToString(spec.id), ": ", result.future_rows,
                     " rows have a value in cursor column ", spec.cursor,
                     " beyond max_ahead; expected none (on_future_cursor: error). Mend them, or "
                     "set on_future_cursor: load or exclude"));
  }
  const std::optional<int64_t> settled = dataset.RegressedFrom(result);
  if (settled.has_value() && !spec.reload_on_regress) {
    return absl::DataLossError(absl::StrCat(
        ToString(spec.id), ": expected rows up to ", calendar.Format(*settled), " in column ",
        spec.cursor, ", which were loaded and had settled; found ",
        result.bound.has_value() ? absl::StrCat("none after ", calendar.Format(*result.bound))
                                 : "none at all",
        " (on_bound_regress: stop). If the source was restored to an earlier state, set "
        "on_bound_regress: reload to read all of it again; else bring its rows back"));
  }
  return absl::OkStatus();
}

}  // namespace headwater
