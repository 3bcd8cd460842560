// Histories of strategy scd2: verifications that look at them, and repairs that mend them. Both
// start from the dataset's live files and ask no source, so they wait for no server.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/backoff.h"
#include "common/base/disposition.h"
#include "common/model/model_proto.h"
#include "coordinator/core_impl.h"

namespace headwater {
namespace {

// What a task about histories is said to be about; none of it is read. Not what is covered: when
// others have removed rows nothing is, and the histories of the rest have to be mended first.
Extent ExtentOf(const DatasetState& dataset) {
  return {dataset.domain.value_or(Range{0, 1}), dataset.outside.has_value()};
}

// A probe has told what there is to know of the dataset's columns.
bool IsKnown(const ClusterState& state, const DatasetState& dataset) {
  return dataset.calendar.has_value() && !state.ColumnsOf(dataset.spec.id.table).columns.empty();
}

}  // namespace

std::vector<std::string> Core::Impl::RunsMending(const DatasetState& dataset) const {
  std::vector<std::string> runs;
  for (const std::string& run_id : dataset.live_runs) {
    const DemandState& demand = state->FindRun(run_id)->demands.at(dataset.spec.id);
    if (demand.demand.histories() && !demand.ended()) runs.push_back(run_id);
  }
  return runs;
}

// The dataset has changed.
void Core::Impl::NoteHistories(const DatasetId& id) {
  if (RunsMending(*state->FindDataset(id)).empty()) {
    mending.erase(id);
  } else {
    mending.try_emplace(id);
  }
}

void Core::Impl::QueueHistories(const DatasetState& dataset, VerifyCall& verify) {
  if (!IsKnown(*state, dataset)) return;
  VerificationTask task;
  task.histories = true;
  task.extent = ExtentOf(dataset);
  task.cursor_type = dataset.calendar->type();
  task.domain_end = dataset.OutsideEnd();
  task.table_schema = state->ColumnsOf(dataset.spec.id.table);
  verify.queued.emplace_back(dataset.spec.id, std::move(task));
}

bool Core::Impl::OfferHistories() {
  if (free_sessions.empty()) return false;
  for (const auto& [id, tries] : mending) {
    const DatasetState& dataset = *state->FindDataset(id);
    // As with every attempt of a keyed table: one at a time.
    if (!tables[id.table].stopped.ok() || unasked.contains(id.table) || !dataset.claims.empty())
      continue;
    if (tries.not_before > now) {
      room_at = std::min(room_at, tries.not_before);
      continue;
    }
    if (!IsKnown(*state, dataset)) {
      FailDemands(id, RunsMending(dataset),
                  {FailureKind::kTask, absl::InvalidArgumentError(absl::StrCat(
                                           ToString(id), ": nothing was loaded yet"))});
      return true;
    }
    if (!HasBase(dataset, ExtentOf(dataset))) continue;
    OfferMending(dataset, RunsMending(dataset).front());
    return true;
  }
  return OfferHistoryCheck();
}

void Core::Impl::OfferMending(const DatasetState& dataset, const std::string& run_id) {
  const SessionId session_id = free_sessions.begin()->second;
  const DatasetId& id = dataset.spec.id;
  const std::string task_id = NewTaskId("histories");
  MicrobatchTask mend;
  mend.histories = true;
  mend.extent = ExtentOf(dataset);
  mend.cursor_type = dataset.calendar->type();
  mend.domain_end = dataset.OutsideEnd();
  mend.connections = 0;
  mend.table_schema = state->ColumnsOf(id.table);
  mend.base = TakeBase(id);
  v1::Event event;
  v1::Granted* granted = event.mutable_granted();
  *granted->mutable_dataset() = RefOf(id);
  *granted->mutable_extent() = ToProto(mend.extent);
  granted->set_task_id(task_id);
  granted->set_histories(true);
  const int64_t fence = Emit(std::move(event));
  TaskSpec task;
  task.run_id = run_id;
  task.kind = std::move(mend);
  Offer(session_id, sessions.at(session_id), dataset, TaskKind::kMicrobatch, {task_id, fence},
        std::move(task), /*backfill=*/true);
  ++dispatch_count;
}

bool Core::Impl::OfferHistoryCheck() {
  for (auto& [call, verify] : verifications) {
    for (auto it = verify.queued.begin(); it != verify.queued.end(); ++it) {
      const DatasetState& dataset = *state->FindDataset(it->first);
      if (!it->second.histories || !TakeVerificationBase(dataset, it->second)) continue;
      const SessionId session_id = free_sessions.begin()->second;
      OfferQueued(session_id, sessions.at(session_id), verify, it);
      ++dispatch_count;
      return true;
    }
  }
  return false;
}

void Core::Impl::TakeHistories(const DatasetState& dataset, const Manifest& manifest,
                               VerifyCall& verify) {
  v1::VerifiedDataset& result = verify.results[dataset.spec.id];
  const int64_t sound = manifest.keyed.has_value() ? manifest.keyed->same_rows : 0;
  result.set_pieces(sound + manifest.rows_different);
  result.set_rows(manifest.rows_read);
  result.set_different(manifest.rows_different);
  AddDifferences(manifest, result);
  if (manifest.rows_different == 0) return;
  VerifyCall::Differing& differing = verify.differing[dataset.spec.id];
  differing.histories = true;
  for (const auto& [from, piece] : dataset.coverage.pieces()) differing.ranges.Add(piece.range);
  differing.outside = dataset.outside.has_value();
}

// Nothing of it is set aside: no other read of the dataset has to wait for histories, nor they for
// what failed to be read.
void Core::Impl::FailMending(int64_t fence, const Failure& failure) {
  const DatasetState& dataset = *state->FindClaim(fence);
  const DatasetId id = dataset.spec.id;
  const Disposition disposition = DispositionOf(failure.status.code());
  const bool retried = disposition == Disposition::kRetry || disposition == Disposition::kInDoubt;
  Release(fence, std::string(failure.status.message()));
  const auto tries = mending.find(id);
  if (disposition == Disposition::kDrop || tries == mending.end()) return;
  if (++tries->second.failures > dataset.spec.retries || !retried)
    return FailDemands(id, RunsMending(dataset), failure);
  tries->second.not_before = now + Backoff(tries->second.failures, static_cast<uint64_t>(fence),
                                           {.base = options.backoff_base});
}

Reason Core::Impl::WhyMendingWaits(const DatasetState& dataset) const {
  if (!dataset.claims.empty())
    return {"claim", "its histories are mended when what is under way has been published"};
  if (const auto tries = mending.find(dataset.spec.id);
      tries != mending.end() && tries->second.not_before > now) {
    return {"backoff", "its histories are mended again after a failure", tries->second.not_before};
  }
  if (sessions.empty()) {
    return {"no_worker", "no worker is connected; start `headwater worker`"};
  }
  return {"next", "it is next"};
}

}  // namespace headwater
