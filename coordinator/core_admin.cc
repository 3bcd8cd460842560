// What people ask: runs, plans, verifications.
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

constexpr int kPiecesPerVerification = 64;
constexpr int kVerificationRetries = 3;

v1::Demand DemandProto(const DemandRequest& request) {
  v1::Demand demand;
  *demand.mutable_dataset() = RefOf(request.dataset);
  demand.set_mode(request.mode);
  if (request.from.has_value()) demand.set_from_us(absl::ToUnixMicros(*request.from));
  if (request.to.has_value()) demand.set_to_us(absl::ToUnixMicros(*request.to));
  if (request.from_value.has_value()) demand.set_from_value(*request.from_value);
  if (request.to_value.has_value()) demand.set_to_value(*request.to_value);
  for (const std::string& column : request.columns) demand.add_columns(column);
  return demand;
}

// What of an ended run's demand is to be tried again; none: it came to its end.
std::optional<v1::Demand> RetryOf(const DemandState& ended) {
  if (ended.never_probed) return ended.demand;
  if (ended.unfinished.empty() && !ended.unfinished_outside) return std::nullopt;
  v1::Demand demand;
  *demand.mutable_dataset() = ended.demand.dataset();
  demand.set_mode(v1::BACKFILL_MODE_LISTED);
  for (const Range& range : ended.unfinished.ranges()) *demand.add_ranges() = ToProto(range);
  demand.set_outside(ended.unfinished_outside);
  return demand;
}

}  // namespace

absl::Status Core::Impl::FillRetry(const RunSubmitted& input, v1::RunStarted* started) const {
  const RunState* tried = state->FindRun(input.retry_of);
  if (tried == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("no such run: ", input.retry_of, "; the last ", kMaxEndedRuns, " are known"));
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
  if (input.kind == v1::RUN_KIND_RETRY) {
    if (const absl::Status status = FillRetry(input, started); !status.ok())
      return Send(AnswerRun{input.call, status, "", false});
  }
  for (const DemandRequest& request : input.demands) {
    if (input.by_person) GateOf(request.dataset.server).TryNow();
    if (input.kind == v1::RUN_KIND_RETRY) continue;
    if (state->FindDataset(request.dataset) == nullptr) {
      Send(AnswerRun{
          input.call,
          absl::NotFoundError(absl::StrCat("no such dataset: ", ToString(request.dataset))), "",
          false});
      return;
    }
    *started->add_demands() = DemandProto(request);
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

void Core::Impl::On(const PlanRequested& input) {
  PlanCall& plan = plans[input.call];
  plan.request = input;
  for (const DemandRequest& request : input.demands) {
    if (state->FindDataset(request.dataset) == nullptr) continue;
    GateOf(request.dataset.server).TryNow();
    plan.waiting.insert(request.dataset);
    agenda.WantProbe(request.dataset);
  }
}

void Core::Impl::AnswerPlanned(const DatasetId& id, const ProbeResult& result,
                               const std::vector<std::string>& notices,
                               const std::set<CallId>& calls) {
  for (CallId call : calls) {
    const auto it = plans.find(call);
    if (it == plans.end() || it->second.waiting.erase(id) == 0) continue;
    DatasetState copy = *state->FindDataset(id);
    copy.TakeProbe(result, state->last_sequence() + 1);
    DemandState demand;
    for (const DemandRequest& request : it->second.request.demands) {
      if (request.dataset == id) demand.demand = DemandProto(request);
    }
    if (demand.demand.mode() == v1::BACKFILL_MODE_FAILED) {
      ListFailed(copy, demand.demand);
      copy.blocked.clear();  // As a person's run does.
    }
    ActivateDemand(copy, demand, it->second.request.kind, state->last_sequence() + 1,
                   {state->BackfilledOf(copy), state->FindTable(id.table)});
    v1::PlannedDataset& planned = it->second.results[id] =
        DescribePlan(copy, demand, it->second.request.pace);
    for (const std::string& notice : notices) planned.add_warnings(notice);
  }
}

void Core::Impl::AnswerPlanFailed(const DatasetId& id, const Failure& failure,
                                  const std::set<CallId>& calls) {
  for (CallId call : calls) {
    const auto it = plans.find(call);
    if (it == plans.end() || it->second.waiting.erase(id) == 0) continue;
    v1::PlannedDataset& planned = it->second.results[id];
    *planned.mutable_dataset() = RefOf(id);
    planned.set_why("cannot be planned");
    *planned.mutable_problem()->mutable_dataset() = RefOf(id);
    planned.mutable_problem()->set_message(std::string(failure.status.message()));
    planned.mutable_problem()->set_code(static_cast<int32_t>(failure.status.code()));
  }
}

void Core::Impl::FinishPlans() {
  for (auto it = plans.begin(); it != plans.end();) {
    if (!it->second.waiting.empty()) {
      ++it;
      continue;
    }
    AnswerPlan answer{it->first, {}};
    for (auto& [id, planned] : it->second.results) *answer.plan.add_datasets() = std::move(planned);
    Send(std::move(answer));
    it = plans.erase(it);
  }
}

void Core::Impl::On(const VerifyRequested& input) {
  VerifyCall& verify = verifications[input.call];
  verify.started = now;
  for (const DatasetId& id : input.datasets) {
    const DatasetState* dataset = state->FindDataset(id);
    if (dataset == nullptr) continue;
    *verify.results[id].mutable_dataset() = RefOf(id);
    verify.unasked.insert(id.table);
    const auto table = state->tables().find(id.table);
    const auto written =
        table == state->tables().end() ? std::map<std::string, Schema>() : table->second.written;
    for (VerificationTask& task : VerificationsOf(*dataset, written, kPiecesPerVerification)) {
      verify.queued.emplace_back(id, std::move(task));
    }
  }
}

void Core::Impl::TakeVerified(const std::string& task_id, const Manifest* manifest,
                              const Failure* failure) {
  for (auto& [call, verify] : verifications) {
    const auto it = verify.tasks.find(task_id);
    if (it == verify.tasks.end()) continue;
    verify.under_way.erase(task_id);
    const auto [id, task] = it->second;
    verify.tasks.erase(it);
    v1::VerifiedDataset& result = verify.results[id];
    const DatasetState& dataset = *state->FindDataset(id);
    const auto problem = [&, &id = id](const Extent& extent, const std::string& message) {
      v1::Problem* shown = result.add_problems();
      *shown->mutable_dataset() = RefOf(id);
      shown->set_extent(Describe(dataset, extent));
      shown->set_message(message);
    };
    if (failure != nullptr) {
      if (failure->kind == FailureKind::kDrain || ++verify.failures <= kVerificationRetries) {
        verify.queued.emplace_back(id, task);
      } else {
        result.set_failed(true);
        problem(task.extent, std::string(failure->status.message()));
      }
      return;
    }
    for (const StagedPiece& read : manifest->pieces) {
      const Piece* piece =
          read.extent.range.has_value() ? dataset.coverage.Find(*read.extent.range) : nullptr;
      const std::string* spec_version = piece != nullptr ? &piece->spec_version
                                        : dataset.outside.has_value()
                                            ? &dataset.outside->spec_version
                                            : nullptr;
      const Fingerprint* published = piece != nullptr ? &piece->fingerprint
                                     : !read.extent.range.has_value() && dataset.outside.has_value()
                                         ? &dataset.outside->fingerprint
                                         : nullptr;
      if (published == nullptr) continue;  // Replaced while it was being read.
      result.set_pieces(result.pieces() + 1);
      result.set_rows(result.rows() + read.fingerprint.rows);
      if (*published == read.fingerprint) continue;
      if (published->rows == read.fingerprint.rows &&
          !Compares(dataset, *spec_version, *manifest)) {
        v1::Problem* shown = result.add_problems();
        *shown->mutable_dataset() = RefOf(id);
        shown->set_extent(Describe(dataset, read.extent));
        shown->set_warning(absl::StrCat("same count (", read.fingerprint.rows,
                                        " rows), content not compared: it was written with columns "
                                        "that the source does not have any more"));
        continue;
      }
      result.set_different(result.different() + 1);
      problem(read.extent,
              published->rows == read.fingerprint.rows
                  ? absl::StrCat("same count (", read.fingerprint.rows, " rows), different content")
                  : absl::StrCat("the source has ", read.fingerprint.rows, " rows, the table ",
                                 published->rows));
    }
    return;
  }
}

void Core::Impl::FailVerifications(const std::string& server, const Failure& failure) {
  for (auto& [call, verify] : verifications) {
    for (auto it = verify.queued.begin(); it != verify.queued.end();) {
      if (it->first.server != server) {
        ++it;
        continue;
      }
      v1::VerifiedDataset& result = verify.results[it->first];
      if (!result.failed()) {
        *result.add_problems()->mutable_dataset() = RefOf(it->first);
        result.mutable_problems()->rbegin()->set_message(std::string(failure.status.message()));
      }
      result.set_failed(true);
      it = verify.queued.erase(it);
    }
  }
}

void Core::Impl::FinishVerifications() {
  for (auto it = verifications.begin(); it != verifications.end();) {
    VerifyCall& verify = it->second;
    if (!verify.queued.empty() || !verify.under_way.empty() || !verify.unasked.empty()) {
      ++it;
      continue;
    }
    AnswerVerify answer{it->first, {}};
    for (auto& [id, result] : verify.results) *answer.result.add_datasets() = std::move(result);
    answer.result.set_seconds(absl::ToDoubleSeconds(now - verify.started));
    Send(std::move(answer));
    it = verifications.erase(it);
  }
}

}  // namespace headwater
