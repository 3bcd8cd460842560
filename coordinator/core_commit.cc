// Publication: staged → checked → intended → committed → published, one group per table at a time.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/backoff.h"
#include "common/base/check.h"
#include "common/base/disposition.h"
#include "common/model/model_proto.h"
#include "coordinator/core_impl.h"

namespace headwater {
namespace {

constexpr size_t kMaxGroup = 1'000;  // Manifests in one commit: bounds its size and its time.

constexpr absl::Duration kMaxWait = absl::Seconds(30);

// A replacement's status as that of its attempt: where staged files are gone nobody has to change
// anything, the next attempt stages them anew.
absl::Status OfAttempt(const absl::Status& checked) {
  return absl::IsNotFound(checked) ? absl::AbortedError(checked.message()) : checked;
}

}  // namespace

absl::Status CannotBeWritten(const std::string& table, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat("table ", table, " cannot be written: ", status.message()));
}

Replacement Core::Impl::ReplacementOf(const DatasetState& dataset, const Claim& claim) const {
  Replacement replacement;
  replacement.dataset = dataset.spec.id;
  replacement.fence = claim.fence;
  replacement.partition_by = dataset.spec.partition_by;
  replacement.server_column = dataset.spec.system_columns.server_source;
  if (!claim.histories) replacement.extent = claim.extent;
  replacement.manifest = *claim.manifest;
  replacement.settled_to = dataset.settled_to;
  replacement.whole = claim.whole;
  if (claim.compaction) replacement.compacted = PiecesWithRows(dataset, *claim.extent.range);
  return replacement;
}

Intent Core::Impl::IntentOf(const v1::Intended& intended) const {
  Intent intent;
  intent.table = intended.table();
  intent.sequence = intended.commit_sequence();
  intent.hash = intended.intent_hash();
  for (int64_t fence : intended.fences()) {
    const DatasetState* dataset = state->FindClaim(fence);
    HW_CHECK(dataset != nullptr);
    intent.replacements.push_back(ReplacementOf(*dataset, dataset->claims.at(fence)));
  }
  return intent;
}

void Core::Impl::StartCommits() {
  for (const auto& [table, fences] : state->staged()) {
    TableWork& work = tables[table];
    if (work.phase != TableWork::Phase::kIdle || work.retry_at > now || !work.stopped.ok())
      continue;
    const auto known = state->tables().find(table);
    if (known != state->tables().end() && known->second.intended.has_value()) {
      // An intent whose outcome is not known (after a restart or a failed try): that same one
      // again.
      Intent intent = IntentOf(*known->second.intended);
      work.phase =
          work.unfit.empty() ? TableWork::Phase::kCommitting : TableWork::Phase::kAbandoning;
      work.unfit.empty() ? Send(Commit{std::move(intent), PublishedOf(table)})
                         : Send(AbandonIntent{std::move(intent), PublishedOf(table)});
      continue;
    }
    CheckCommit check{table, {}, PublishedOf(table), {}};
    for (auto it = fences.begin(); it != fences.end() && work.fences.size() < kMaxGroup; ++it) {
      const DatasetState& dataset = *state->FindClaim(*it);
      check.replacements.push_back(ReplacementOf(dataset, dataset.claims.at(*it)));
      work.fences.push_back(*it);
    }
    work.phase = TableWork::Phase::kChecking;
    Send(std::move(check));
  }
}

void Core::Impl::On(const CommitChecked& input) {
  TableWork& work = tables[input.table];
  if (work.phase != TableWork::Phase::kChecking) return;
  work.phase = TableWork::Phase::kIdle;
  const std::vector<int64_t> fences = std::exchange(work.fences, {});
  if (!input.table_status.ok()) {
    const Disposition disposition = DispositionOf(input.table_status.code());
    if (disposition == Disposition::kRetry || disposition == Disposition::kInDoubt) {
      TryTableLater(input.table, fences.empty() ? 0 : fences.front(), input.table_status);
    } else {
      RefuseTable(input.table, input.table_status);
    }
    return;
  }
  HW_CHECK(input.statuses.size() == fences.size());
  if (fences.empty()) return TakeLook(input);
  v1::Event event;
  v1::Intended* intended = event.mutable_intended();
  intended->set_table(input.table);
  const auto known = state->tables().find(input.table);
  intended->set_commit_sequence((known == state->tables().end() ? 0 : known->second.last_sequence) +
                                1);
  for (size_t i = 0; i < fences.size(); ++i) {
    if (CompactionNoLongerFits(fences[i], input.statuses[i])) continue;
    if (input.statuses[i].ok()) {
      intended->add_fences(fences[i]);
    } else if (absl::IsAlreadyExists(input.statuses[i])) {
      RefuseClaim(fences[i], input.statuses[i]);
    } else {
      // If it is the table's files that are gone, the next attempt must not find them unchanged.
      if (absl::IsNotFound(input.statuses[i])) unasked.insert(input.table);
      FailAttempt(fences[i], {FailureKind::kTask, OfAttempt(input.statuses[i])});
    }
  }
  if (intended->fences().empty()) return;
  Intent intent = IntentOf(*intended);
  intent.hash = IntentHash(intent);
  intended->set_intent_hash(intent.hash);
  Emit(std::move(event));
  work.phase = TableWork::Phase::kCommitting;
  Send(Commit{std::move(intent), PublishedOf(input.table)});
}

void Core::Impl::On(const CommitFinished& input) {
  TableWork& work = tables[input.table];
  const auto known = state->tables().find(input.table);
  const bool abandoning = work.phase == TableWork::Phase::kAbandoning;
  if ((work.phase != TableWork::Phase::kCommitting && !abandoning) ||
      known == state->tables().end() || !known->second.intended.has_value() ||
      known->second.intended->commit_sequence() != input.sequence) {
    return;
  }
  work.phase = TableWork::Phase::kIdle;
  if (absl::IsCancelled(
          input.result.status())) {  // Fenced by an empty commit: its ranges are read again.
    v1::Event event;
    event.mutable_abandoned()->set_table(input.table);
    event.mutable_abandoned()->set_commit_sequence(input.sequence);
    event.mutable_abandoned()->set_reason(std::exchange(work.unfit, ""));
    Emit(std::move(event));
    return;
  }
  if (input.result.ok()) {
    work.failures = 0;
    v1::Event event;
    v1::Published* published = event.mutable_published();
    published->set_table(input.table);
    published->set_commit_sequence(input.sequence);
    published->set_version(input.result->version);
    *published->mutable_fences() = known->second.intended->fences();
    for (const int64_t fence : published->fences()) {
      const DatasetState& dataset = *state->FindClaim(fence);
      // Of pieces a listing tells by itself whether it is of those that there are.
      if (dataset.spec.keyed()) bases.erase(dataset.spec.id);
    }
    Emit(std::move(event));
    next_collection.reset();  // It may have been the table's first.
    return;
  }
  const absl::Status& status = input.result.status();
  const Disposition disposition = DispositionOf(status.code());
  if (disposition == Disposition::kDrop ||
      (abandoning && disposition != Disposition::kRetry && disposition != Disposition::kInDoubt)) {
    StopTable(input.table, status);
    return;
  }
  if (disposition == Disposition::kQuarantine || disposition == Disposition::kStop) {
    // It passed every check and cannot be committed all the same: the table has changed since.
    work.unfit = std::string(status.message());
    return;
  }
  // In doubt or passing: the same intent again. Its claims neither expire nor are cancelled.
  TryTableLater(input.table, input.sequence, status);
}

// Each failure from kFailuresToTell on tells the runs that have come since the last one.
void Core::Impl::TryTableLater(const std::string& table, int64_t seed, const absl::Status& status) {
  TableWork& work = tables[table];
  work.retry_at = now + std::min(kMaxWait, Backoff(++work.failures, static_cast<uint64_t>(seed),
                                                   {.base = options.backoff_base}));
  if (!work.told()) return;
  FailDemandsOf(table, CannotBeWritten(table, status));
  Unlooked(table, CannotBeWritten(table, status));
}

// Whatever is staged, this table does not take it: its datasets fail at once, and each says so
// once. Attempts are not counted: the next run asks the table again.
void Core::Impl::RefuseTable(const std::string& table, const absl::Status& status) {
  tables[table].failures = 0;
  FailDemandsOf(table, status);
  Unlooked(table, status);
  std::vector<int64_t> staged;
  for (const auto& [id, dataset] : state->datasets()) {
    if (id.table != table) continue;
    for (const auto& [fence, claim] : dataset.claims) {
      if (claim.manifest.has_value()) staged.push_back(fence);
    }
  }
  for (int64_t fence : staged) Release(fence, std::string(status.message()));
}

// Likewise for the dataset of one claim.
void Core::Impl::RefuseClaim(int64_t fence, const absl::Status& status) {
  const DatasetState& dataset = *state->FindClaim(fence);
  FailDemands(dataset.spec.id, RunsWaitingFor(dataset), {FailureKind::kTask, status});
  Release(fence, std::string(status.message()));
}

void Core::Impl::StopTable(const std::string& table, const absl::Status& status) {
  tables[table].stopped = status;
  FailDemandsOf(table, CannotBeWritten(table, status));
}

std::vector<std::string> Core::Impl::RunsWaitingFor(const DatasetState& dataset) const {
  std::vector<std::string> waiting;
  for (const std::string& run_id : dataset.live_runs) {
    if (!state->FindRun(run_id)->demands.at(dataset.spec.id).ended()) waiting.push_back(run_id);
  }
  return waiting;
}

void Core::Impl::FailDemandsOf(const std::string& table, const absl::Status& status) {
  std::vector<std::pair<DatasetId, std::vector<std::string>>> hit;
  for (const auto& [id, dataset] : state->datasets()) {
    if (id.table == table) hit.emplace_back(id, RunsWaitingFor(dataset));
  }
  for (const auto& [id, run_ids] : hit) FailDemands(id, run_ids, {FailureKind::kTask, status});
}

}  // namespace headwater
