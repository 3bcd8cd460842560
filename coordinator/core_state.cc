// What people change of what is recorded: `state set`, `state reset`, `state import`.
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "coordinator/core_impl.h"
#include "coordinator/describe.h"
#include "coordinator/state/progress.h"
#include "coordinator/state/segments.h"

namespace headwater {
namespace {

const char* NameOf(StateChangeRequested::Kind kind) {
  switch (kind) {
    case StateChangeRequested::Kind::kStale:
      return "state set --as stale";
    case StateChangeRequested::Kind::kFresh:
      return "state set --as fresh";
    case StateChangeRequested::Kind::kReset:
      return "state reset";
    case StateChangeRequested::Kind::kImport:
      return "state import";
  }
  return "";
}

// Whether what is imported would meet what is under way in the table.
absl::Status CheckImport(const ClusterState& state, const DatasetState& dataset,
                         const StateChangeRequested& input) {
  const std::string& name = dataset.spec.id.table;
  const auto survey = input.surveys.find(name);
  const TableState* table = state.FindTable(name);
  const bool behind = table != nullptr && survey != input.surveys.end() &&
                      survey->second.version < table->published_version;
  if (survey == input.surveys.end() || behind || (table != nullptr && table->intended.has_value()))
    return absl::FailedPreconditionError(
        absl::StrCat("table ", name, ": it is being published to; try again"));
  if (dataset.claims.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(ToString(dataset.spec.id), ": it is being loaded; wait for that, or cancel it"));
}

// Names what is, and what is to be done to it.
void AddToBasis(const DatasetState& dataset, const v1::DatasetProgress& progress,
                std::string& basis) {
  absl::StrAppend(&basis, ToString(dataset.spec.id), "\n", ProgressOf(dataset).SerializeAsString(),
                  "\n", progress.SerializeAsString());
}

}  // namespace

absl::StatusOr<ChangedProgress> Core::Impl::ChangeOf(const StateChangeRequested& input,
                                                     const DemandRequest& request) const {
  const DatasetState* dataset = state->FindDataset(request.dataset);
  if (dataset == nullptr)
    return absl::NotFoundError(absl::StrCat("no such dataset: ", ToString(request.dataset)));
  const bool open = !request.from.has_value() && !request.from_value.has_value() &&
                    !request.to.has_value() && !request.to_value.has_value();
  switch (input.kind) {
    case StateChangeRequested::Kind::kReset:
      return ResetProgress(*dataset);
    case StateChangeRequested::Kind::kImport: {
      RETURN_IF_ERROR(CheckImport(*state, *dataset, input));
      const auto imported = input.imported.find(request.dataset);
      if (imported == input.imported.end())
        return ChangedProgress{ProgressOf(*dataset), {"not in the file"}};
      return ImportProgress(*dataset, input.surveys.at(request.dataset.table), imported->second,
                            state->last_sequence());
    }
    case StateChangeRequested::Kind::kStale:
    case StateChangeRequested::Kind::kFresh:
      break;
  }
  if (!dataset->domain.has_value() || !dataset->calendar.has_value()) {
    if (!open)
      return ChangedProgress{ProgressOf(*dataset),
                             {"its source has not been asked yet, so nobody knows what the window "
                              "means: run it once"}};
    const Range all = dataset->coverage.Hull().value_or(Range{});
    return MarkProgress(*dataset, all, true, input.kind == StateChangeRequested::Kind::kFresh);
  }
  const Range window = BackfillRange(*dataset, DemandProto(request));
  return MarkProgress(*dataset, window, open, input.kind == StateChangeRequested::Kind::kFresh);
}

void Core::Impl::On(const StateChangeRequested& input) {
  AnswerStateChange answer;
  answer.call = input.call;
  std::vector<std::pair<DatasetId, v1::DatasetProgress>> changes;
  std::string basis = NameOf(input.kind);
  for (const DemandRequest& request : input.datasets) {
    absl::StatusOr<ChangedProgress> changed = ChangeOf(input, request);
    if (changed.ok())
      answer.status = CheckProgress(changed->progress, state->last_sequence());
    else
      answer.status = changed.status();
    if (!answer.status.ok()) {
      answer.status = Annotate(answer.status, ToString(request.dataset));
      return Send(std::move(answer));
    }
    const DatasetState& dataset = *state->FindDataset(request.dataset);
    DatasetState after = dataset;
    SetProgress(changed->progress, state->last_sequence() + 1, after);
    v1::ChangedDataset* shown = answer.result.add_datasets();
    *shown->mutable_dataset() = RefOf(request.dataset);
    for (v1::StateSegment& segment : SegmentsOf(dataset)) *shown->add_before() = std::move(segment);
    for (v1::StateSegment& segment : SegmentsOf(after)) *shown->add_after() = std::move(segment);
    for (std::string& note : changed->notes) shown->add_notes(std::move(note));
    AddToBasis(dataset, changed->progress, basis);
    if (ProgressOf(after).SerializeAsString() == ProgressOf(dataset).SerializeAsString()) continue;
    shown->set_changed(true);
    changes.emplace_back(request.dataset, std::move(changed->progress));
  }
  answer.result.set_basis(DigestOf(basis));
  if (!input.basis.empty() && input.basis != answer.result.basis()) {
    answer.status = absl::FailedPreconditionError(
        "the state has changed since it was shown; nothing has been done. Look at it again");
    return Send(std::move(answer));
  }
  if (input.dry_run) return Send(std::move(answer));
  for (auto& [id, progress] : changes) {
    v1::Event event;
    *event.mutable_progress_set()->mutable_dataset() = RefOf(id);
    *event.mutable_progress_set()->mutable_progress() = std::move(progress);
    event.mutable_progress_set()->set_why(NameOf(input.kind));
    event.mutable_progress_set()->set_clear_failures(input.kind ==
                                                     StateChangeRequested::Kind::kReset);
    Emit(std::move(event));
  }
  Send(std::move(answer));
}

v1::GetStateResponse DescribeState(const ClusterState& state,
                                   const std::vector<DatasetId>& datasets) {
  v1::GetStateResponse response;
  response.set_ledger_sequence(state.last_sequence());
  std::set<std::string> tables;
  for (const DatasetId& id : datasets) {
    const DatasetState* dataset = state.FindDataset(id);
    if (dataset == nullptr) continue;
    tables.insert(id.table);
    v1::DatasetRecord* record = response.add_datasets();
    *record->mutable_dataset() = RefOf(id);
    record->set_strategy(StrategyToString(dataset->spec.strategy));
    *record->mutable_progress() = ProgressOf(*dataset);
    for (v1::StateSegment& segment : SegmentsOf(*dataset))
      *record->add_segments() = std::move(segment);
    const bool dated =
        dataset->calendar.has_value() && dataset->calendar->type() != CursorType::kNone;
    if (dated && dataset->first_load_settled)
      record->set_settled_to(dataset->calendar->Format(dataset->settled_to));
    for (const auto& [fence, claim] : dataset->claims) {
      v1::LiveClaim* live = record->add_claims();
      live->set_fence(fence);
      *live->mutable_extent() = ToProto(claim.extent);
      live->set_staged(claim.manifest.has_value());
    }
  }
  for (const std::string& name : tables) {
    const TableState* table = state.FindTable(name);
    if (table == nullptr) continue;
    v1::TableRecord* record = response.add_tables();
    record->set_table(name);
    record->set_published_version(table->published_version);
    record->set_published_sequence(table->published_sequence);
    record->set_intended(table->intended.has_value());
  }
  return response;
}

v1::GetStateResponse Core::DescribeState(const std::vector<DatasetId>& datasets) const {
  return headwater::DescribeState(*impl_->state, datasets);
}

}  // namespace headwater
