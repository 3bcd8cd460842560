// Plans: what a run would do, told without doing it, and done later just as it was told.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/data/fingerprint.h"
#include "common/model/model_proto.h"
#include "coordinator/core_impl.h"
#include "coordinator/describe.h"

namespace headwater {
namespace {

// What `demand` was found to want, range by range.
v1::Demand ListedOf(const DatasetId& id, const DemandState& demand) {
  RangeSet ranges;
  for (const SequenceMap::Entry& entry : demand.remaining.entries()) ranges.Add(entry.range);
  return ListedDemand(id, ranges, demand.outside_remaining > 0);
}

// A digest of everything on which a plan for these ranges rests: what is loaded there, what is to
// be read again, and how the dataset is configured.
std::string BasisOf(const DatasetState& dataset, const v1::Demand& listed) {
  std::string text = dataset.digest;
  if (listed.histories()) return DigestOf(text);  // Mending is right whatever is read meanwhile.
  RangeSet empty;  // Where one piece without rows ends and the next begins means nothing.
  for (const v1::Range& one : listed.ranges()) {
    const Range range{one.from(), one.to()};
    for (const Piece* piece : dataset.coverage.Overlapping(range)) {
      if (piece->empty()) {
        empty.Add({std::max(piece->range.from, range.from), std::min(piece->range.to, range.to)});
        continue;
      }
      absl::StrAppend(&text, " p", piece->range.from, ":", piece->range.to, ":", piece->fence, ":",
                      piece->fill_seq);
    }
    for (const SequenceMap::Entry& need : dataset.needs.Within(range)) {
      absl::StrAppend(&text, " n", need.range.from, ":", need.range.to, ":", need.sequence);
    }
  }
  for (const Range& range : empty.ranges()) absl::StrAppend(&text, " e", range.from, ":", range.to);
  if (listed.outside() && dataset.outside.has_value()) {
    absl::StrAppend(&text, " o", dataset.outside->fence, ":", dataset.outside->fill_seq);
  }
  return DigestOf(text);
}

}  // namespace

v1::Demand DemandProto(const DemandRequest& request) {
  v1::Demand demand;
  *demand.mutable_dataset() = RefOf(request.dataset);
  demand.set_mode(request.mode);
  if (request.from.has_value()) demand.set_from_us(absl::ToUnixMicros(*request.from));
  if (request.to.has_value()) demand.set_to_us(absl::ToUnixMicros(*request.to));
  if (request.from_value.has_value()) demand.set_from_value(*request.from_value);
  if (request.to_value.has_value()) demand.set_to_value(*request.to_value);
  for (const std::string& column : request.columns) demand.add_columns(column);
  demand.set_force(request.force);
  return demand;
}

v1::Demand ListedDemand(const DatasetId& id, const RangeSet& ranges, bool outside) {
  v1::Demand listed;
  *listed.mutable_dataset() = RefOf(id);
  listed.set_mode(v1::BACKFILL_MODE_LISTED);
  for (const Range& range : ranges.ranges()) *listed.add_ranges() = ToProto(range);
  listed.set_outside(outside);
  return listed;
}

void Core::Impl::RecordPlan(const PlanCall& plan) {
  v1::Event event;
  v1::Planned* planned = event.mutable_planned();
  planned->set_plan_id(plan.request.plan_id);
  *planned->mutable_pace() = ToProto(plan.request.pace);
  for (const v1::Demand& listed : plan.listed) {
    *planned->add_demands() = listed;
    planned->add_bases(BasisOf(*state->FindDataset(IdOf(listed.dataset())), listed));
  }
  Emit(std::move(event));
}

absl::Status Core::Impl::FillPlanned(const RunSubmitted& input, v1::RunStarted* started) const {
  const std::string& plan_id = input.plan_id;
  const v1::Planned* plan = state->FindPlan(plan_id);
  if (plan == nullptr) {
    return absl::NotFoundError(absl::StrCat("no such plan: ", plan_id, "; the last ", kMaxPlans,
                                            " are known. Run `headwater plan` again"));
  }
  for (int i = 0; i < plan->demands_size(); ++i) {
    const DatasetId id = IdOf(plan->demands(i).dataset());
    const bool known = std::any_of(input.demands.begin(), input.demands.end(),
                                   [&](const DemandRequest& one) { return one.dataset == id; });
    if (known && BasisOf(*state->FindDataset(id), plan->demands(i)) == plan->bases(i)) continue;
    const char* why = known ? " is not what it was: some of the planned ranges were read or asked "
                              "for since, or it is configured differently"
                            : " is not configured any more";
    return absl::FailedPreconditionError(
        absl::StrCat("plan ", plan_id, ", made ", DescribeInstant(TimeOf(plan->at()), "UTC"), ": ",
                     ToString(id), why, ". Nothing was started; run `headwater plan` again"));
  }
  *started->mutable_demands() = plan->demands();
  *started->mutable_pace() = plan->pace();
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
                               const std::vector<std::string>& notices, const ProbeWork& work) {
  for (CallId call : work.plans) {
    const auto it = plans.find(call);
    if (it == plans.end() || it->second.waiting.erase(id) == 0) continue;
    DatasetState copy = *state->FindDataset(id);
    copy.TakeProbe(result, state->last_sequence() + 1, work.asked_after);
    DemandState demand;
    for (const DemandRequest& request : it->second.request.demands) {
      if (request.dataset == id) demand.demand = DemandProto(request);
    }
    if (demand.demand.mode() == v1::BACKFILL_MODE_FAILED) {
      ListFailed(copy, demand.demand);
      copy.blocked.clear();  // As a person's run does.
    }
    ActivateDemand(copy, demand, it->second.request.kind, state->last_sequence() + 1,
                   {state->BackfilledOf(copy), state->FindTable(id.table), work.asked_after, now});
    if (!demand.met()) it->second.listed.push_back(ListedOf(id, demand));
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
    if (!it->second.listed.empty() && !it->second.request.plan_id.empty()) {
      RecordPlan(it->second);
      answer.plan.set_plan_id(it->second.request.plan_id);
    }
    for (auto& [id, planned] : it->second.results) *answer.plan.add_datasets() = std::move(planned);
    Send(std::move(answer));
    it = plans.erase(it);
  }
}

}  // namespace headwater
