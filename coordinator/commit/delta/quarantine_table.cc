#include "coordinator/commit/delta/quarantine_table.h"

#include <algorithm>
#include <utility>

#include "common/base/failpoint.h"
#include "common/base/status.h"
#include "common/data/bad_row.h"
#include "coordinator/commit/delta/delta_log.h"

namespace headwater {
namespace {

// The part of a replacement that goes to the quarantine, as if it were a table's own.
Replacement PartOf(const Replacement& replacement) {
  Replacement part = replacement;
  part.partition_by = Unit{};
  part.server_column = "server_source";
  part.compacted.clear();  // Rows of theirs are not here.
  part.manifest.keyed.reset();
  part.manifest.schema = QuarantineSchema();
  for (StagedPiece& piece : part.manifest.pieces) {
    piece.fingerprint = Fingerprint{piece.bad_rows, {}};
    piece.files = std::exchange(piece.bad_files, {});
    piece.bad_rows = 0;
  }
  return part;
}

std::vector<Replacement> PartsOf(const std::vector<Replacement>& replacements) {
  std::vector<Replacement> parts;
  for (const Replacement& replacement : replacements) parts.push_back(PartOf(replacement));
  return parts;
}

bool HasBadRows(const Replacement& replacement) {
  const std::vector<StagedPiece>& pieces = replacement.manifest.pieces;
  return std::any_of(pieces.begin(), pieces.end(),
                     [](const StagedPiece& piece) { return piece.bad_rows > 0; });
}

}  // namespace

absl::Status QuarantineTable::Inspect(TableContents& contents) {
  const absl::StatusOr<TableContents> found = committer_->Inspect();
  if (absl::IsAlreadyExists(found.status())) return absl::OkStatus();  // Whoever needs it is told.
  RETURN_IF_ERROR(found.status());
  contents.last_sequence = std::max(contents.last_sequence, found->last_sequence);
  contents.max_fence = std::max(contents.max_fence, found->max_fence);
  return absl::OkStatus();
}

absl::StatusOr<bool> QuarantineTable::IsNeeded(const std::vector<Replacement>& replacements) const {
  if (std::any_of(replacements.begin(), replacements.end(), HasBadRows)) return true;
  // Rows of an earlier reading may have to go. A table's first version, or a checkpoint after it:
  // a look at every commit of every table has to be cheap.
  for (const std::string& key : {VersionKey(0), std::string(kLastCheckpointKey)}) {
    ASSIGN_OR_RETURN(const std::optional<int64_t> size, store_->SizeOf(key));
    if (size.has_value()) return true;
  }
  return false;
}

absl::Status QuarantineTable::Check(const std::vector<Replacement>& replacements,
                                    std::vector<absl::Status>& statuses) {
  ASSIGN_OR_RETURN(const bool needed, IsNeeded(replacements));
  if (!needed) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<absl::Status> here, committer_->Check(PartsOf(replacements)));
  for (size_t i = 0; i < statuses.size(); ++i) statuses[i].Update(here[i]);
  return absl::OkStatus();
}

absl::Status QuarantineTable::FindLost(const std::vector<PublishedPiece>& pieces,
                                       std::vector<PublishedPiece>& lost) {
  std::vector<PublishedPiece> asked;
  for (const PublishedPiece& piece : pieces) {
    if (piece.bad_rows == 0) continue;
    asked.push_back({piece.dataset, piece.extent, piece.fence, piece.bad_rows});
  }
  if (asked.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<PublishedPiece> here, committer_->FindLost(asked));
  for (const PublishedPiece& piece : here) {
    const bool known = std::any_of(lost.begin(), lost.end(), [&](const PublishedPiece& other) {
      return other.dataset == piece.dataset && other.extent == piece.extent;
    });
    if (!known) lost.push_back(piece);
  }
  return absl::OkStatus();
}

absl::Status QuarantineTable::Commit(const Intent& intent) {
  ASSIGN_OR_RETURN(const bool needed, IsNeeded(intent.replacements));
  if (!needed) return absl::OkStatus();
  const Intent part{QuarantineName(intent.table), intent.sequence, intent.hash,
                    PartsOf(intent.replacements)};
  RETURN_IF_ERROR(committer_->Commit(part).status());
  return Failpoint("delta.after_quarantine");
}

}  // namespace headwater
