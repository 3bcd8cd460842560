#include "worker/table_comparison.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/status.h"
#include "worker/compared_read.h"
#include "worker/differing_rows.h"
#include "worker/source/checksum_query.h"

namespace headwater {
namespace {

// Of more rows than so many, all of which have to be read, it is only told that they differ.
constexpr int64_t kMostMatched = 200'000;

// Rows are counted, and no more.
StagingOptions CountingOf(const StagingOptions& staging, const Extent& extent) {
  StagingOptions counting = staging;
  counting.fingerprints_only = true;
  counting.base.reset();
  counting.known.clear();
  counting.extent = extent;
  if (!(extent == staging.extent)) counting.cuts.clear();
  return counting;
}

// The pieces of one task, compared with the files that they have.
class Comparison {
 public:
  Comparison(const StagingOptions& staging, const TableBase& base, const TaskReading& reading)
      : staging_(staging),
        reading_(reading),
        pieces_(PiecesOf(staging.extent, staging.cuts)),
        table_(RowsOf(staging, base, staging.extent)) {
    all_known_ = std::all_of(pieces_.begin(), pieces_.end(),
                             [&](const Extent& extent) { return KnownOf(extent) != nullptr; });
    alone_ = pieces_.size() == 1 && !all_known_;
  }

  Staged Run() {
    if (absl::Status asked = AskSource(); !asked.ok())
      return SidedError{FailureKind::kSource, std::move(asked)};
    Staged files = CountFiles();
    auto* manifest = std::get_if<Manifest>(&files);
    if (manifest == nullptr) return files;
    manifest_ = std::move(*manifest);
    manifest_.rows_read = manifest_.bytes_read = 0;
    std::optional<Manifest> source;
    if (!rows_give_it_ && (sums_.empty() || !all_known_)) {
      Staged read = ReadAndStage(CountingOf(staging_, staging_.extent), reading_);
      if (auto* error = std::get_if<SidedError>(&read)) return std::move(*error);
      source = std::get<Manifest>(std::move(read));
      manifest_.rows_read = source->rows_read;
      manifest_.bytes_read = source->bytes_read;
    }
    for (size_t i = 0; i < pieces_.size(); ++i) {
      StagedPiece& piece = manifest_.pieces[i];
      piece.files_fingerprint = piece.fingerprint;
      if (source.has_value() && (source->pieces[i].fingerprint == piece.fingerprint ||
                                 piece.fingerprint.rows > kMostMatched)) {
        piece.fingerprint =
            source->pieces[i].fingerprint;  // Of so many rows it is all that is told.
        piece.bad_rows = source->pieces[i].bad_rows;
        continue;
      }
      if (!source.has_value() && IsEqual(i, piece)) {
        manifest_.rows_skipped += piece.fingerprint.rows;
        continue;
      }
      if (std::optional<SidedError> failed = Look(pieces_[i], piece)) return *std::move(failed);
    }
    return std::move(manifest_);
  }

 private:
  // What the source sums of each piece, if it does. Of just one the search sums all parts anyway.
  absl::Status AskSource() {
    if (staging_.dataset.checksum == ChecksumKind::kNone) return absl::OkStatus();
    const auto sums = reading_.source.Checksums(
        staging_.dataset, alone_ ? std::vector<Extent>() : pieces_,
        ReadOptionsOf(staging_, reading_), ChecksumOf(reading_), reading_.stop);
    if (MakesNoChecksum(sums.status())) return absl::OkStatus();
    RETURN_IF_ERROR(sums.status());
    sums_ = sums->extents;
    rows_give_it_ = sums->differing.empty();
    table_.columns = sums->columns;
    return absl::OkStatus();
  }

  Staged CountFiles() {
    if (table_.columns.columns.empty()) table_.columns = reading_.table;
    absl::StatusOr<std::unique_ptr<SourceReader>> rows = OpenTableReader(table_);
    if (!rows.ok()) return SidedError{FailureKind::kTask, rows.status()};
    table_.columns = (*rows)->schema();
    StagingOptions counting = CountingOf(staging_, staging_.extent);
    counting.checksums = rows_give_it_ && !alone_ && !all_known_;
    Staged counted = StageRows(std::move(counting), *std::move(rows), reading_);
    // What could not be read were files, and no source.
    if (auto* error = std::get_if<SidedError>(&counted)) error->kind = FailureKind::kTask;
    return counted;
  }

  const KnownPiece* KnownOf(const Extent& extent) const {
    for (const KnownPiece& known : staging_.known) {
      if (known.extent == extent && known.checksum.has_value() &&
          known.checksum->kind == ChecksumKind::kMd5) {
        return &known;
      }
    }
    return nullptr;
  }

  bool IsEqual(size_t i, const StagedPiece& files) const {
    if (sums_.empty()) return false;
    const RowChecksum& source = sums_[i];
    if (files.checksum.has_value() && files.checksum->rows == source.rows &&
        files.checksum->sum == source.sum) {
      return true;
    }
    // What the source summed when these very rows were read.
    const KnownPiece* known = KnownOf(files.extent);
    return known != nullptr && known->fingerprint == files.fingerprint &&
           known->checksum->rows == source.rows && known->checksum->sum == source.sum;
  }

  // The two differ in the piece, or it cannot be told.
  std::optional<SidedError> Look(const Extent& extent, StagedPiece& piece) {
    DifferingRows found;
    if (rows_give_it_) {
      const auto searched = Search(staging_, OfPiece(extent), extent, reading_);
      if (!searched.ok()) return SidedError{FailureKind::kSource, searched.status()};
      found = *searched;
    }
    if (found.narrowed && found.within.empty()) {  // Equal, as it turns out.
      manifest_.rows_skipped += found.source_rows;
      return std::nullopt;
    }
    if (!found.narrowed) {
      found.columns = table_.columns;
      found.ranges = {};  // All.
    }
    std::optional<RowMatcher> matcher;
    if (found.narrowed || piece.fingerprint.rows <= kMostMatched) {
      absl::StatusOr<RowMatcher> made = MatcherOf(found, extent);
      if (!made.ok()) return SidedError{FailureKind::kTask, made.status()};
      matcher = *std::move(made);
    }
    return Count(extent, found, matcher, piece);
  }

  TableRows OfPiece(const Extent& extent) const {
    TableRows rows = table_;
    rows.extent = extent;
    return rows;
  }

  absl::StatusOr<RowMatcher> MatcherOf(const DifferingRows& found, const Extent& extent) const {
    const std::vector<std::string>& key =
        found.unique.empty() ? staging_.dataset.key_columns : found.unique;
    ASSIGN_OR_RETURN(RowMatcher matcher,
                     RowMatcher::Create(staging_.dataset, found.columns, key, found.columns));
    RETURN_IF_ERROR(AddTable(OfPiece(extent), found, reading_.stop, matcher));
    return matcher;
  }

  // Reads what may differ, and says what the source has of the whole piece.
  std::optional<SidedError> Count(const Extent& extent, const DifferingRows& found,
                                  std::optional<RowMatcher>& matcher, StagedPiece& piece) {
    auto opened = OpenSource(staging_, extent, found, reading_);
    if (!opened.ok()) return SidedError{FailureKind::kSource, opened.status()};
    // Without a table there were no columns to give to rows.
    if (matcher.has_value() && !((*opened)->schema() == found.columns)) matcher.reset();
    auto rows = std::make_unique<MatchedReader>(*std::move(opened),
                                                matcher.has_value() ? &*matcher : nullptr);
    Staged counted = StageRows(CountingOf(staging_, extent), std::move(rows), reading_);
    if (auto* error = std::get_if<SidedError>(&counted)) return std::move(*error);
    const Manifest& read = std::get<Manifest>(counted);
    manifest_.rows_read += read.rows_read;
    manifest_.bytes_read += read.bytes_read;
    if (found.narrowed) {
      manifest_.rows_skipped += std::max<int64_t>(0, found.source_rows - read.rows_read);
      piece.fingerprint.Subtract(matcher->table());
      piece.fingerprint.Add(read.pieces.front().fingerprint);
    } else {
      piece.fingerprint = read.pieces.front().fingerprint;
    }
    piece.bad_rows = read.pieces.front().bad_rows;
    if (matcher.has_value()) matcher->Finish(manifest_);
    return std::nullopt;
  }

  const StagingOptions& staging_;
  const TaskReading& reading_;
  const std::vector<Extent> pieces_;
  TableRows table_;
  bool all_known_ = false;         // A checksum was kept of each piece.
  std::vector<RowChecksum> sums_;  // By piece; empty: the source makes none.
  bool rows_give_it_ = false;      // They are those of rows that were read.
  bool alone_ = false;             // One piece, of which nothing is known.
  Manifest manifest_;
};

}  // namespace

Staged CompareWithFiles(const StagingOptions& staging, const TableBase& base,
                        const TaskReading& reading) {
  if (staging.dataset.keyed()) return ReadDiffering(staging, base, reading);
  return Comparison(staging, base, reading).Run();
}

}  // namespace headwater
