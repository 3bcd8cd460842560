#include "worker/piece_checks.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/data/hash_algorithm.h"
#include "worker/source/checksum_query.h"

namespace headwater {
namespace {

ReadOptions OptionsOf(const PieceChecks::Asking& asking, const StagingOptions& staging) {
  ReadOptions options;
  options.cursor_type = staging.cursor_type;
  options.domain_end = staging.domain_end;
  options.query_tag = asking.query_tag;
  return options;
}

struct SumsTold {
  std::vector<std::optional<ExtentChecksum>> extents;  // None: nothing is told.
  bool rows_give_it = false;
  bool tells = false;
};

absl::StatusOr<SumsTold> SumsOf(const PieceChecks::Asking& asking, const StagingOptions& staging,
                                const std::vector<Extent>& extents) {
  SumsTold sums;
  sums.extents.resize(extents.size());
  const ChecksumKind kind = staging.dataset.checksum;
  const ReadOptions options = OptionsOf(asking, staging);
  if (kind == ChecksumKind::kCounts) {
    const auto counts = asking.source.Counts(staging.dataset, extents, options, asking.stop);
    if (MakesNoChecksum(counts.status())) return sums;
    RETURN_IF_ERROR(counts.status());
    sums.tells = true;
    for (size_t i = 0; i < extents.size(); ++i) {
      sums.extents[i] =
          ExtentChecksum{kind, (*counts)[i].rows,
                         static_cast<uint64_t>((*counts)[i].max_cursor.value_or(0)), "counts"};
    }
    return sums;
  }
  const ChecksumOptions wanted{.kind = kind, .table = asking.table, .policy = asking.policy};
  const auto made = asking.source.Checksums(staging.dataset, extents, options, wanted, asking.stop);
  if (MakesNoChecksum(made.status())) return sums;
  RETURN_IF_ERROR(made.status());
  const std::string spec_version = ColumnsVersionOf(made->columns);
  for (size_t i = 0; i < extents.size(); ++i)
    sums.extents[i] =
        ExtentChecksum{kind, made->extents[i].rows, made->extents[i].sum, spec_version};
  sums.rows_give_it = made->differing.empty();
  sums.tells = true;
  return sums;
}

StagedPiece Unread(const KnownPiece& known) {
  StagedPiece piece;
  piece.extent = known.extent;
  piece.fingerprint = known.fingerprint;
  piece.unchanged = true;
  piece.checksum = known.checksum;
  return piece;
}

}  // namespace

absl::StatusOr<PieceChecks> PieceChecks::Ask(const Asking& asking, const StagingOptions& staging) {
  PieceChecks checks;
  for (Extent& extent : PiecesOf(staging.extent, staging.cuts)) {
    PieceState& piece = checks.pieces_.emplace_back();
    piece.extent = extent;
    for (const KnownPiece& known : staging.known) {
      if (known.extent == extent && known.checksum.has_value() &&
          known.checksum->kind == staging.dataset.checksum) {
        piece.known = &known;
      }
    }
  }
  RETURN_IF_ERROR(checks.Sum(asking, staging));
  return checks;
}

absl::StatusOr<std::vector<std::optional<ExtentChecksum>>> PieceChecks::Sums(
    const Asking& asking, const StagingOptions& staging, const std::vector<Extent>& extents) {
  ASSIGN_OR_RETURN(SumsTold sums, SumsOf(asking, staging, extents));
  return std::move(sums.extents);
}

absl::Status PieceChecks::SumThose(const Asking& asking, const StagingOptions& staging,
                                   const std::vector<PieceState*>& pieces) {
  std::vector<Extent> extents;
  for (const PieceState* piece : pieces) extents.push_back(piece->extent);
  // Also of none: it is told whether there are sums, and of what.
  ASSIGN_OR_RETURN(const SumsTold sums, SumsOf(asking, staging, extents));
  tells_ = sums.tells;
  rows_give_it_ = sums.rows_give_it;
  for (size_t i = 0; i < pieces.size(); ++i) {
    PieceState& piece = *pieces[i];
    piece.before = sums.extents[i];
    piece.unchanged =
        piece.known != nullptr && piece.before.has_value() && piece.before == piece.known->checksum;
  }
  return absl::OkStatus();
}

// Where rows that are read give the checksum, only what may be found unchanged is asked for.
absl::Status PieceChecks::Sum(const Asking& asking, const StagingOptions& staging) {
  std::vector<PieceState*> known, others;
  for (PieceState& piece : pieces_) (piece.known != nullptr ? known : others).push_back(&piece);
  RETURN_IF_ERROR(SumThose(asking, staging, known));
  if (!tells_ || rows_give_it_ || others.empty()) return absl::OkStatus();
  return SumThose(asking, staging, others);
}

bool PieceChecks::all_unchanged() const {
  return std::all_of(pieces_.begin(), pieces_.end(),
                     [](const PieceState& piece) { return piece.unchanged; });
}

Manifest PieceChecks::Unread(const DatasetSpec& dataset) const {
  Manifest manifest;
  if (dataset.keyed()) manifest.keyed.emplace();
  manifest.spec_version = pieces_.front().known->spec_version;
  for (const PieceState& piece : pieces_) {
    manifest.pieces.push_back(headwater::Unread(*piece.known));
    manifest.rows_skipped += piece.known->fingerprint.rows;
  }
  return manifest;
}

void PieceChecks::Narrow(StagingOptions& staging) const {
  staging.checksums = rows_give_it_;
  Extent extent;
  std::vector<int64_t> cuts;
  for (const PieceState& piece : pieces_) {
    if (!piece.extent.range.has_value()) {
      extent.outside = !piece.unchanged;
      continue;
    }
    // What lies between two pieces that have to be read is read with them.
    if (piece.unchanged) continue;
    if (!extent.range.has_value()) extent.range = piece.extent.range;
    extent.range->to = piece.extent.range->to;
  }
  for (const int64_t cut : staging.cuts) {
    if (extent.range.has_value() && cut > extent.range->from && cut < extent.range->to)
      cuts.push_back(cut);
  }
  staging.extent = extent;
  staging.cuts = std::move(cuts);
}

absl::Status PieceChecks::Complete(const Asking& asking, const StagingOptions& whole,
                                   Manifest& manifest) {
  std::vector<StagedPiece> pieces;
  std::vector<Extent> read;
  size_t next = 0;
  for (const PieceState& piece : pieces_) {
    if (next < manifest.pieces.size() && manifest.pieces[next].extent == piece.extent) {
      pieces.push_back(std::move(manifest.pieces[next++]));
      read.push_back(piece.extent);
      continue;
    }
    pieces.push_back(headwater::Unread(*piece.known));
    manifest.rows_skipped += piece.known->fingerprint.rows;
  }
  manifest.pieces = std::move(pieces);
  if (rows_give_it_ || !tells_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const SumsTold after, SumsOf(asking, whole, read));
  size_t summed = 0;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    StagedPiece& piece = manifest.pieces[i];
    if (summed >= read.size() || !(read[summed] == piece.extent)) continue;
    const std::optional<ExtentChecksum>& made = after.extents[summed++];
    if (made.has_value() && made == pieces_[i].before && made->rows == piece.fingerprint.rows)
      piece.checksum = made;
  }
  return absl::OkStatus();
}

}  // namespace headwater
