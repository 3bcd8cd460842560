#include "coordinator/commit/delta/delta_committer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/bad_row.h"
#include "common/storage/local_store.h"
#include "coordinator/commit/delta/checkpointer.h"
#include "coordinator/commit/delta/delta_log.h"
#include "coordinator/commit/delta/delta_snapshot.h"
#include "coordinator/commit/delta/piece_index.h"
#include "coordinator/commit/delta/quarantine_table.h"
#include "coordinator/commit/delta/replacement_check.h"
#include "coordinator/commit/delta/table_claim.h"
#include "coordinator/commit/delta/table_folder.h"
#include "coordinator/commit/delta/table_shape.h"

namespace headwater {
namespace {

constexpr int kMaxRebases = 100;  // Other writers may win that often, not for ever.
// A transaction of no sequence: its version is the highest fence that the table has seen. It
// outlives the files, and their removes, in every checkpoint.
constexpr char kFenceAppId[] = "headwater/fences";

// Whether an intent is in the table already.
enum class Found { kNo, kPublished, kAbandoned };

class DeltaCommitter final : public TableCommitter {
 public:
  // `quarantine` is null in the committer of a quarantine.
  DeltaCommitter(const TableLocation& location, const DeltaCommitterOptions& options,
                 std::unique_ptr<QuarantineTable> quarantine)
      : quarantine_(std::move(quarantine)),
        location_(location),
        options_(options),
        store_(OpenLocalStore(location.uri)),
        app_id_(AppIdOf(location)),
        checkpointer_(location.table, options.checkpoint_every, options.clock) {}

  absl::StatusOr<TableContents> Inspect() override;
  void Expect(const PublishedTable& published) override {
    published_ = published;
    if (quarantine_ != nullptr) quarantine_->Collected(published.collected_before);
  }
  absl::StatusOr<std::vector<absl::Status>> Check(
      const std::vector<Replacement>& replacements) override;
  absl::StatusOr<std::optional<Schema>> Columns() override;
  absl::StatusOr<std::vector<PublishedPiece>> FindLost(
      const std::vector<PublishedPiece>& pieces) override;
  absl::StatusOr<std::vector<std::vector<StagedFile>>> Files(
      const std::vector<PublishedPiece>& pieces) override;
  absl::StatusOr<std::vector<absl::StatusOr<std::vector<StagedFile>>>> KeyedFiles(
      const std::vector<DatasetId>& datasets) override;
  absl::StatusOr<CommitResult> Commit(const Intent& intent) override;
  absl::Status Abandon(const Intent& intent) override;

 private:
  absl::Status Refresh();
  absl::StatusOr<bool> IsStillThere() const;
  absl::Status RememberHead();
  absl::Status CheckOwner() const { return CheckClaim(location_, published_, snapshot_, *store_); }
  absl::StatusOr<std::vector<absl::Status>> CheckAll(
      const std::vector<Replacement>& replacements) const;
  absl::Status CheckOne(const Replacement& replacement, TableShape& shape) const;
  absl::StatusOr<Found> Look(const Intent& intent, int64_t* version);
  DeltaVersion Begin(const Intent& intent, bool abandoned) const;
  absl::StatusOr<DeltaVersion> ActionsFor(const Intent& intent) const;
  absl::StatusOr<DeltaVersion> Fencing(const Intent& intent) const;

  // Of a quarantine there is no quarantine.
  TableFiles Now() const { return {snapshot_, index_, *store_, quarantine_ == nullptr}; }

  std::unique_ptr<QuarantineTable> quarantine_;
  TableLocation location_;
  DeltaCommitterOptions options_;
  std::unique_ptr<ObjectStore> store_;
  std::string app_id_;
  PublishedTable published_;
  DeltaSnapshot snapshot_;
  std::optional<int64_t> head_bytes_;  // Size of the newest version's file; none: not loaded.
  PieceIndex index_;
  Checkpointer checkpointer_;
};

absl::Status DeltaCommitter::Refresh() {
  ASSIGN_OR_RETURN(const bool still_there, IsStillThere());
  if (still_there) {
    RETURN_IF_ERROR(
        snapshot_.Refresh(*store_, [this](const DeltaVersion& taken) { index_.Apply(taken); }));
  } else {
    head_bytes_.reset();
    ASSIGN_OR_RETURN(snapshot_, DeltaSnapshot::Load(*store_));
    index_.Reset(snapshot_);
    checkpointer_.Loaded(snapshot_.checkpoint());
  }
  return RememberHead();
}

// Whether the folder still holds the version that was loaded last: it may have been moved away, or
// another one put in its place.
absl::StatusOr<bool> DeltaCommitter::IsStillThere() const {
  if (!snapshot_.exists() || !head_bytes_.has_value()) return false;
  ASSIGN_OR_RETURN(const std::optional<int64_t> size,
                   store_->SizeOf(VersionKey(snapshot_.version())));
  return size == head_bytes_;
}

absl::Status DeltaCommitter::RememberHead() {
  if (!snapshot_.exists()) return absl::OkStatus();
  ASSIGN_OR_RETURN(head_bytes_, store_->SizeOf(VersionKey(snapshot_.version())));
  return absl::OkStatus();
}

absl::StatusOr<TableContents> DeltaCommitter::Inspect() {
  RETURN_IF_ERROR(Refresh());
  RETURN_IF_ERROR(CheckOwner());
  TableContents contents;
  contents.exists = snapshot_.exists();
  contents.version = snapshot_.version();
  contents.last_sequence = snapshot_.LastSequence(app_id_);
  contents.max_fence = snapshot_.LastSequence(kFenceAppId);
  for (const auto& [path, add] : snapshot_.files()) {
    if (const std::optional<PieceTags> tags = ParseTags(add); tags.has_value())
      contents.max_fence = std::max(contents.max_fence, tags->fence);
  }
  if (quarantine_ != nullptr) RETURN_IF_ERROR(quarantine_->Inspect(contents));
  return contents;
}

absl::Status DeltaCommitter::CheckOne(const Replacement& replacement, TableShape& shape) const {
  const std::string where =
      absl::StrCat(ToString(replacement.dataset), " into table ", location_.table);
  RETURN_IF_ERROR(Annotate(CheckReplacement(Now(), replacement), where));
  // Last: what a replacement that is refused would have added, the others do not get.
  return Annotate(shape.Take(replacement), where);
}

absl::StatusOr<std::vector<absl::Status>> DeltaCommitter::Check(
    const std::vector<Replacement>& replacements) {
  RETURN_IF_ERROR(Refresh());
  RETURN_IF_ERROR(CheckOwner());
  ASSIGN_OR_RETURN(std::vector<absl::Status> statuses, CheckAll(replacements));
  if (quarantine_ != nullptr) RETURN_IF_ERROR(quarantine_->Check(replacements, statuses));
  return statuses;
}

absl::StatusOr<std::optional<Schema>> DeltaCommitter::Columns() {
  RETURN_IF_ERROR(Refresh());
  RETURN_IF_ERROR(CheckOwner());
  if (!snapshot_.exists()) return std::nullopt;
  ASSIGN_OR_RETURN(const TableShape shape, TableShape::Of(snapshot_));
  return SourceColumns(shape.schema(), shape.partition_columns());
}

absl::StatusOr<std::vector<PublishedPiece>> DeltaCommitter::FindLost(
    const std::vector<PublishedPiece>& pieces) {
  RETURN_IF_ERROR(Refresh());
  RETURN_IF_ERROR(CheckOwner());
  std::vector<PublishedPiece> lost;
  for (const PublishedPiece& piece : pieces) {
    // Files of others in between are refused by Check(), with what can be done.
    if (!index_.IsWhole(piece) && !index_.Untagged(piece.dataset.server)) lost.push_back(piece);
  }
  if (quarantine_ != nullptr) RETURN_IF_ERROR(quarantine_->FindLost(pieces, lost));
  return lost;
}

absl::StatusOr<std::vector<std::vector<StagedFile>>> DeltaCommitter::Files(
    const std::vector<PublishedPiece>& pieces) {
  RETURN_IF_ERROR(Refresh());
  RETURN_IF_ERROR(CheckOwner());
  std::vector<std::vector<StagedFile>> files;
  for (const PublishedPiece& piece : pieces) files.push_back(index_.FilesOf(piece, snapshot_));
  return files;
}

absl::StatusOr<std::vector<absl::StatusOr<std::vector<StagedFile>>>> DeltaCommitter::KeyedFiles(
    const std::vector<DatasetId>& datasets) {
  RETURN_IF_ERROR(Refresh());
  RETURN_IF_ERROR(CheckOwner());
  std::vector<absl::StatusOr<std::vector<StagedFile>>> files;
  for (const DatasetId& dataset : datasets) {
    Replacement none;
    none.dataset = dataset;
    none.manifest.keyed.emplace();
    none.manifest.keyed->table_rows = index_.KeyedRows(dataset.server);
    const absl::Status fits = CheckReplacement(Now(), none);
    if (fits.ok()) {
      files.emplace_back(index_.KeyedFilesOf(dataset.server, snapshot_));
    } else {
      files.emplace_back(
          Annotate(fits, absl::StrCat(ToString(dataset), " into table ", location_.table)));
    }
  }
  return files;
}

absl::StatusOr<std::vector<absl::Status>> DeltaCommitter::CheckAll(
    const std::vector<Replacement>& replacements) const {
  ASSIGN_OR_RETURN(TableShape shape, TableShape::Of(snapshot_));
  std::vector<absl::Status> statuses;
  for (const Replacement& replacement : replacements)
    statuses.push_back(CheckOne(replacement, shape));
  return statuses;
}

absl::StatusOr<Found> DeltaCommitter::Look(const Intent& intent, int64_t* version) {
  const int64_t last = snapshot_.LastSequence(app_id_);
  if (last < intent.sequence) return Found::kNo;
  for (int64_t at = snapshot_.version(); at >= 0; --at) {
    const absl::StatusOr<DeltaVersion> entry = ReadVersion(*store_, at);
    if (absl::IsNotFound(entry.status())) break;  // Older entries have been cleaned up.
    RETURN_IF_ERROR(entry.status());
    if (!entry->commit_info.has_value() || entry->commit_info->app_id != app_id_) continue;
    if (entry->commit_info->sequence > intent.sequence) continue;
    if (entry->commit_info->sequence < intent.sequence) break;
    if (entry->commit_info->intent_hash != intent.hash) {
      return absl::FailedPreconditionError(
          absl::StrCat("table ", location_.table, ": version ", at,
                       " has another commit under our sequence ", intent.sequence,
                       "; the ledger is older than the table (was it restored from a backup?). "
                       "Nothing more is published here: headwater state heal"));
    }
    // Who put it may have died before its name was durable, and the ledger is about to rely on it.
    RETURN_IF_ERROR(store_->Persist(VersionKey(at)));
    *version = at;
    return entry->commit_info->abandoned ? Found::kAbandoned : Found::kPublished;
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "table ", location_.table, ": its last transaction is ", last, ", ours is ", intent.sequence,
      "; the ledger is older than the table (was it restored from a backup?). Nothing more is "
      "published here: headwater state heal"));
}

DeltaVersion DeltaCommitter::Begin(const Intent& intent, bool abandoned) const {
  DeltaVersion actions;
  const int64_t now_ms = absl::ToUnixMillis(options_.clock->Now());
  actions.commit_info =
      DeltaCommitInfo{now_ms, "WRITE", app_id_, intent.sequence, intent.hash, abandoned};
  actions.txns.push_back({app_id_, intent.sequence});
  int64_t max_fence = 0;
  for (const Replacement& replacement : intent.replacements)
    max_fence = std::max(max_fence, replacement.fence);
  if (max_fence > snapshot_.LastSequence(kFenceAppId))
    actions.txns.push_back({kFenceAppId, max_fence});
  return actions;
}

absl::StatusOr<DeltaVersion> DeltaCommitter::ActionsFor(const Intent& intent) const {
  DeltaVersion actions = Begin(intent, false);
  const int64_t now_ms = actions.commit_info->timestamp_ms;
  ASSIGN_OR_RETURN(TableShape shape, TableShape::Of(snapshot_));
  for (const Replacement& replacement : intent.replacements) {
    RETURN_IF_ERROR(shape.Take(replacement));
    RETURN_IF_ERROR(PutReplacement(Now(), replacement, now_ms, actions));
  }
  RETURN_IF_ERROR(shape.Put(snapshot_, location_.ledger_id, now_ms, actions));
  return actions;
}

// The version that fences an intent. A table that is not there yet is made for it, with the
// columns of the first replacement that has any.
absl::StatusOr<DeltaVersion> DeltaCommitter::Fencing(const Intent& intent) const {
  DeltaVersion actions = Begin(intent, true);
  if (snapshot_.exists()) return actions;
  absl::Status status = absl::InvalidArgumentError(
      absl::StrCat("table ", location_.table, ": intent ", intent.sequence,
                   " replaces nothing, so nothing says what columns the table has in which it is "
                   "to be abandoned"));
  for (const Replacement& replacement : intent.replacements) {
    TableShape shape;
    status = shape.Take(replacement);
    if (!status.ok()) continue;
    RETURN_IF_ERROR(
        shape.Put(snapshot_, location_.ledger_id, actions.commit_info->timestamp_ms, actions));
    return actions;
  }
  return status;
}

absl::StatusOr<CommitResult> DeltaCommitter::Commit(const Intent& intent) {
  for (int round = 0; round < kMaxRebases; ++round) {
    RETURN_IF_ERROR(Refresh());
    CommitResult result;
    int64_t version = -1;
    ASSIGN_OR_RETURN(const Found found, Look(intent, &version));
    if (found == Found::kAbandoned) {
      return absl::CancelledError(absl::StrCat("table ", location_.table, ": intent ",
                                               intent.sequence, " was abandoned in version ",
                                               version));
    }
    if (found == Found::kPublished) return CommitResult{version};
    RETURN_IF_ERROR(CheckOwner());
    // Another writer may have changed the table since Check(), and staged files may be gone.
    ASSIGN_OR_RETURN(const std::vector<absl::Status> statuses, CheckAll(intent.replacements));
    for (const absl::Status& status : statuses) RETURN_IF_ERROR(status);
    if (quarantine_ != nullptr) RETURN_IF_ERROR(quarantine_->Commit(intent));
    ASSIGN_OR_RETURN(const DeltaVersion actions, ActionsFor(intent));
    if (actions.adds.empty() && actions.removes.empty()) return result;
    const absl::Status put = PutVersion(*store_, snapshot_.version() + 1, actions);
    if (absl::IsAlreadyExists(put))
      continue;  // Another version came first (or ours, unseen): look again.
    RETURN_IF_ERROR(put);
    snapshot_.Apply(snapshot_.version() + 1, actions);
    index_.Apply(actions);
    head_bytes_.reset();  // The next call loads again, unless this one can be looked at.
    RememberHead().IgnoreError();
    result.version = snapshot_.version();
    checkpointer_.Write(*store_, snapshot_, published_.collected_before);
    return result;
  }
  return absl::AbortedError(absl::StrCat("table ", location_.table, ": other writers won ",
                                         kMaxRebases, " versions in a row"));
}

absl::Status DeltaCommitter::Abandon(const Intent& intent) {
  for (int round = 0; round < kMaxRebases; ++round) {
    RETURN_IF_ERROR(Refresh());
    int64_t version = -1;
    ASSIGN_OR_RETURN(const Found found, Look(intent, &version));
    if (found == Found::kAbandoned) return absl::OkStatus();
    if (found == Found::kPublished) {
      return absl::FailedPreconditionError(absl::StrCat("table ", location_.table, ": intent ",
                                                        intent.sequence,
                                                        " is published in version ", version));
    }
    RETURN_IF_ERROR(CheckOwner());
    ASSIGN_OR_RETURN(const DeltaVersion actions, Fencing(intent));
    absl::Status put = PutVersion(*store_, snapshot_.version() + 1, actions);
    if (!absl::IsAlreadyExists(put)) return put;
  }
  return absl::AbortedError(absl::StrCat("table ", location_.table, ": other writers won ",
                                         kMaxRebases, " versions in a row"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableCommitter>> DeltaCommitterFactory::Open(
    const TableLocation& location) {
  if (absl::StrContains(location.uri, "://") && !absl::StartsWith(location.uri, "file://")) {
    return absl::UnimplementedError(absl::StrCat("table ", location.table, ": ", location.uri,
                                                 ": only local folders are in this version"));
  }
  const TableLocation beside{QuarantineName(location.table), QuarantineName(location.uri),
                             location.ledger_id};
  auto quarantine = std::make_unique<QuarantineTable>(
      std::make_unique<DeltaCommitter>(beside, options_, nullptr), OpenLocalStore(beside.uri));
  return std::unique_ptr<TableCommitter>(
      std::make_unique<DeltaCommitter>(location, options_, std::move(quarantine)));
}

}  // namespace headwater
