#include "worker/stage/piece_tally.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "worker/stage/batch_check.h"

namespace headwater {

PieceTally::PieceTally(const StagingOptions& options, const std::string& folder,
                       PartitionRouter router, std::unique_ptr<RowHasher> hasher,
                       std::unique_ptr<RowChecksummer> checksummer)
    : options_(options),
      spec_version_(SpecVersionOf(options.source_schema, options.dataset.hash_algorithm)),
      router_(std::move(router)),
      hasher_(std::move(hasher)),
      checksummer_(std::move(checksummer)),
      fingerprints_(router_.pieces().size()),
      checksums_(router_.pieces().size()),
      quarantine_(options, folder, router_.pieces().size()) {}

absl::StatusOr<std::unique_ptr<PieceTally>> PieceTally::Create(const StagingOptions& options,
                                                               const std::string& folder) {
  ASSIGN_OR_RETURN(PartitionRouter router, PartitionRouter::Create(options));
  ASSIGN_OR_RETURN(std::unique_ptr<RowHasher> hasher,
                   RowHasher::Create(options.source_schema, options.dataset.hash_algorithm));
  std::unique_ptr<RowChecksummer> checksummer;
  if (options.checksums) {
    ASSIGN_OR_RETURN(checksummer, RowChecksummer::Create(options.source_schema));
  }
  return std::unique_ptr<PieceTally>(new PieceTally(options, folder, std::move(router),
                                                    std::move(hasher), std::move(checksummer)));
}

absl::Status PieceTally::Take(const RowBatch& batch, std::vector<int>& slots) {
  RETURN_IF_ERROR(CheckBatch(*batch.arrow(), options_.source_schema, options_.dataset.id));
  RETURN_IF_ERROR(SetAside(batch.bad_rows()));
  RETURN_IF_ERROR(router_.Route(batch, slots));
  pieces_.clear();
  for (const int slot : slots) pieces_.push_back(router_.slots()[static_cast<size_t>(slot)].piece);
  hashes_.clear();
  RETURN_IF_ERROR(hasher_->Hash(batch, hashes_));
  for (size_t i = 0; i < hashes_.size(); ++i)
    fingerprints_[static_cast<size_t>(pieces_[i])].Add(hashes_[i]);
  if (checksummer_ != nullptr) RETURN_IF_ERROR(checksummer_->AddByPart(batch, pieces_, checksums_));
  rows_read_ += batch.rows();
  bytes_read_ += batch.size_bytes();
  truncated_values_ += batch.truncated_values();
  return absl::OkStatus();
}

// Counts in its piece what does not fit, as if it did: the source counts it too.
absl::Status PieceTally::SetAside(const std::vector<BadRow>& rows) {
  for (const BadRow& row : rows) {
    ASSIGN_OR_RETURN(const int piece, router_.RouteBadRow(row.cursor));
    ASSIGN_OR_RETURN(const Hash128 hash, hasher_->HashText(HashedText(row)));
    fingerprints_[static_cast<size_t>(piece)].Add(hash);
    RETURN_IF_ERROR(quarantine_.Write(static_cast<size_t>(piece), row));
  }
  bad_rows_ += static_cast<int64_t>(rows.size());
  rows_read_ += static_cast<int64_t>(rows.size());
  return absl::OkStatus();
}

absl::Status PieceTally::Finish() {
  std::vector<bool> unchanged(router_.pieces().size());
  for (size_t i = 0; i < unchanged.size(); ++i) unchanged[i] = IsUnchanged(static_cast<int>(i));
  return quarantine_.Finish(unchanged, rows_read_);
}

bool PieceTally::IsUnchanged(int piece) const {
  const auto at = static_cast<size_t>(piece);
  return std::any_of(options_.known.begin(), options_.known.end(), [&](const KnownPiece& known) {
    return known.extent == router_.pieces()[at] && known.spec_version == spec_version_ &&
           known.fingerprint == fingerprints_[at];
  });
}

Manifest PieceTally::Describe(const Schema& file_schema) {
  Manifest manifest;
  manifest.schema = file_schema;
  manifest.rows_read = rows_read_;
  manifest.bytes_read = bytes_read_;
  manifest.truncated_values = truncated_values_;
  manifest.spec_version = spec_version_;
  for (size_t i = 0; i < router_.pieces().size(); ++i) {
    StagedPiece piece;
    piece.extent = router_.pieces()[i];
    piece.fingerprint = fingerprints_[i];
    piece.max_cursor = router_.max_cursor(static_cast<int>(i));
    piece.unchanged = IsUnchanged(static_cast<int>(i));
    // What the source sums is what it has: also what does not fit, and times not cut.
    if (checksummer_ != nullptr && quarantine_.rows(i) == 0 && truncated_values_ == 0) {
      piece.checksum = ExtentChecksum{ChecksumKind::kMd5, checksums_[i].rows, checksums_[i].sum,
                                      ColumnsVersionOf(options_.source_schema)};
    }
    piece.bad_rows = quarantine_.rows(i);
    piece.bad_files = quarantine_.TakeFiles(i);
    for (const StagedFile& file : piece.bad_files) manifest.bytes_staged += file.size_bytes;
    manifest.pieces.push_back(std::move(piece));
  }
  return manifest;
}

}  // namespace headwater
