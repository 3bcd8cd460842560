// Compaction: settled pieces become one. The committer lists their files, a worker writes the rows
// of those anew, and the table exchanges one for the other. A run waits for its compactions and is
// never failed by one.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/model_proto.h"
#include "coordinator/core_impl.h"
#include "coordinator/state/compaction.h"

namespace headwater {
namespace {

constexpr size_t kMaxListing = 64;  // Compactions of one effect: bounds the work of the committer.

bool ArePublished(const DatasetState& dataset, const CompactionInput& input) {
  return AreSame(PiecesWithRows(dataset, input.range), input.pieces);
}

// What live demands want of a dataset, each once.
std::vector<Range> WantedOf(const ClusterState& state, const DatasetState& dataset) {
  std::vector<Range> wanted;
  for (const std::string& run_id : dataset.live_runs) {
    const DemandState& demand = state.FindRun(run_id)->demands.at(dataset.spec.id);
    wanted.insert(wanted.end(), demand.compacting.begin(), demand.compacting.end());
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const Range& a, const Range& b) { return a.from < b.from; });
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  return wanted;
}

}  // namespace

std::vector<PublishedPiece> PiecesWithRows(const DatasetState& dataset, Range range) {
  std::vector<PublishedPiece> pieces;
  for (const Piece* piece : dataset.coverage.Overlapping(range)) {
    if (piece->fingerprint.rows == 0) continue;
    pieces.push_back({dataset.spec.id,
                      {piece->range, false},
                      piece->fence,
                      piece->fingerprint.rows - piece->bad_rows,
                      piece->bad_rows});
  }
  return pieces;
}

// The dataset has changed.
void Core::Impl::NoteCompactions(const DatasetId& id) {
  const DatasetState& dataset = *state->FindDataset(id);
  const std::vector<Range> wanted = WantedOf(*state, dataset);
  if (wanted.empty()) {
    to_list.erase(id);
    to_compact.erase(id);
    return;
  }
  to_list.insert(id);
  const auto listed = to_compact.find(id);
  if (listed == to_compact.end()) return;
  std::erase_if(listed->second, [&](const auto& entry) {
    const CompactionInput& input = entry.second;
    return std::find(wanted.begin(), wanted.end(), input.range) == wanted.end() ||
           !ArePublished(dataset, input);
  });
  if (listed->second.empty()) to_compact.erase(listed);
}

bool Core::Impl::MayListFiles(const std::string& table) {
  const TableWork& work = tables[table];
  const TableState* known = state->FindTable(table);
  return work.phase == TableWork::Phase::kIdle && work.retry_at <= now && work.stopped.ok() &&
         !unasked.contains(table) && (known == nullptr || !known->intended.has_value());
}

void Core::Impl::AskFiles() {
  for (auto it = to_list.begin(); it != to_list.end();) {
    const std::string table = it->table;
    TableWork& work = tables[table];
    const bool waits = !MayListFiles(table);
    ListFiles ask{table, PublishedOf(table), {}, {}};
    for (; it != to_list.end() && it->table == table;) {
      const DatasetState& dataset = *state->FindDataset(*it);
      const auto listed = to_compact.find(*it);
      for (const Range& range : waits ? std::vector<Range>() : WantedOf(*state, dataset)) {
        const bool is_known = listed != to_compact.end() && listed->second.contains(range.from);
        if (is_known || !MayCompactNow(dataset, range) || work.listing.size() >= kMaxListing)
          continue;
        work.listing.push_back({dataset.spec.id, range, PiecesWithRows(dataset, range)});
        const std::vector<PublishedPiece>& pieces = work.listing.back().pieces;
        ask.pieces.insert(ask.pieces.end(), pieces.begin(), pieces.end());
      }
      // What could not be asked for now can be when the dataset or its table has changed.
      it = waits || work.listing.size() >= kMaxListing ? std::next(it) : to_list.erase(it);
    }
    if (waits || work.listing.empty()) continue;
    work.phase = TableWork::Phase::kListing;
    Send(std::move(ask));
  }
}

void Core::Impl::On(const FilesListed& input) {
  TableWork& work = tables[input.table];
  if (work.phase != TableWork::Phase::kListing) return;
  work.phase = TableWork::Phase::kIdle;
  TakeBases(input);
  size_t next = 0;
  for (CompactionInput& listed : std::exchange(work.listing, {})) {
    if (!input.status.ok()) {
      DropCompaction(listed, std::string(input.status.message()));
      continue;
    }
    bool whole = true;
    for (size_t i = 0; i < listed.pieces.size(); ++i, ++next) {
      const std::vector<StagedFile>& files = input.files.at(next);
      whole &= !files.empty();
      listed.files.insert(listed.files.end(), files.begin(), files.end());
    }
    const DatasetState& dataset = *state->FindDataset(listed.dataset);
    if (!ArePublished(dataset, listed)) {
      to_list.insert(listed.dataset);
    } else if (!whole) {
      DropCompaction(listed, "files of these rows are gone from the table");
    } else {
      const int64_t from = listed.range.from;
      to_compact[listed.dataset].insert_or_assign(from, std::move(listed));
      NoteCompactions(dataset.spec.id);  // Somebody may have ceased to want it.
    }
  }
}

void Core::Impl::DropCompaction(const CompactionInput& input, const std::string& reason) {
  v1::Event event;
  v1::CompactionDropped* dropped = event.mutable_compaction_dropped();
  *dropped->mutable_dataset() = RefOf(input.dataset);
  *dropped->mutable_range() = ToProto(input.range);
  dropped->set_reason(reason);
  Emit(std::move(event));
}

bool Core::Impl::OfferCompaction() {
  for (const auto& [id, inputs] : to_compact) {
    if (!tables[id.table].stopped.ok() || unasked.contains(id.table)) continue;
    const DatasetState& dataset = *state->FindDataset(id);
    for (const auto& [from, input] : inputs) {
      if (MayCompactNow(dataset, input.range)) return OfferCompaction(CompactionInput(input));
    }
  }
  return false;
}

bool Core::Impl::OfferCompaction(const CompactionInput& input) {
  // The source is not asked, so any worker will do, whatever else its server is busy with.
  if (free_sessions.empty()) return false;
  const SessionId session_id = free_sessions.begin()->second;
  to_compact[input.dataset].erase(input.range.from);  // Asked for again, should it not succeed.
  const DatasetState& dataset = *state->FindDataset(input.dataset);
  const std::string task_id = NewTaskId("compaction");
  v1::Event event;
  v1::Granted* granted = event.mutable_granted();
  *granted->mutable_dataset() = RefOf(input.dataset);
  *granted->mutable_extent() = ToProto(Extent{input.range, false});
  granted->set_task_id(task_id);
  granted->set_compaction(true);
  granted->set_input_files(static_cast<int64_t>(input.files.size()));
  const int64_t fence = Emit(std::move(event));
  MicrobatchTask compaction;
  compaction.extent.range = input.range;
  compaction.cursor_type = dataset.calendar->type();
  compaction.domain_end = dataset.OutsideEnd();
  compaction.connections = 0;
  compaction.inputs = input.files;
  if (const TableState* table = state->FindTable(input.dataset.table); table != nullptr) {
    const std::string& spec_version = CompactedPiece(dataset, input.range).spec_version;
    compaction.hash_algorithm = table->AlgorithmOf(spec_version);
  }
  TaskSpec task;
  for (const std::string& run_id : dataset.live_runs) {
    const std::vector<Range>& wanted = state->FindRun(run_id)->demands.at(input.dataset).compacting;
    if (std::find(wanted.begin(), wanted.end(), input.range) != wanted.end()) task.run_id = run_id;
  }
  task.kind = std::move(compaction);
  Offer(session_id, sessions.at(session_id), dataset, TaskKind::kMicrobatch, {task_id, fence},
        std::move(task), /*backfill=*/true);
  ++dispatch_count;
  return true;
}

absl::Status Core::Impl::CheckCompacted(const DatasetState& dataset, const Claim& claim,
                                        const Manifest& manifest) const {
  const Range range = *claim.extent.range;
  if (!IsCompactable(dataset, range))
    return absl::AbortedError("its pieces are not what they were when they were looked at");
  const Piece whole = CompactedPiece(dataset, range);
  const StagedPiece& staged = manifest.pieces.front();
  if (!staged.unchanged && staged.bad_rows == 0 && manifest.spec_version == whole.spec_version &&
      staged.fingerprint == whole.fingerprint) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      "its files do not hold the rows that were published: expected ", whole.fingerprint.rows,
      " rows with the sum ", HexOf(whole.fingerprint.sum), ", found ", staged.fingerprint.rows,
      " with ", HexOf(staged.fingerprint.sum), ". Run `headwater verify`"));
}

void Core::Impl::FailCompaction(int64_t fence, const Failure& failure) {
  v1::Event event;
  v1::AttemptFailed* failed = event.mutable_attempt_failed();
  failed->set_fence(fence);
  *failed->mutable_failure() = ToProto(failure);
  failed->set_attempts(1);
  *failed->mutable_not_before() = ToTimestamp(now);
  Emit(std::move(event));
}

bool Core::Impl::CompactionNoLongerFits(int64_t fence, const absl::Status& checked) {
  const DatasetState& dataset = *state->FindClaim(fence);
  const Claim& claim = dataset.claims.at(fence);
  if (!claim.compaction) return false;
  const absl::Status status =
      checked.ok() ? CheckCompacted(dataset, claim, *claim.manifest) : checked;
  if (status.ok()) return false;
  FailCompaction(fence, {FailureKind::kTask, status});
  return true;
}

}  // namespace headwater
