#include "worker/differing_rows.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/log.h"
#include "common/base/status.h"
#include "common/data/key_range_set.h"
#include "worker/compared_read.h"

namespace headwater {
namespace {

// Whether a row whose key lies in a range does so on both sides.
bool DividesKeys(const DatasetSpec& dataset, const DifferingRows& found) {
  return std::find(dataset.key_columns.begin(), dataset.key_columns.end(), found.ranges.key) !=
         dataset.key_columns.end();
}

// Which rows differ in what is compared, for people.
absl::StatusOr<RowMatcher> KeyedMatcher(const StagingOptions& staging, const TableRows& table,
                                        const DifferingRows& found, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(RowMatcher matcher, RowMatcher::CreateKeyed(staging.dataset, found.columns));
  RETURN_IF_ERROR(AddTable(table, found, stop, matcher));
  return matcher;
}

// Only ranges were read: what is said of whole pieces is what was known of them, and no longer
// their checksum.
void KeepKnown(const StagingOptions& staging, Manifest& manifest) {
  for (StagedPiece& piece : manifest.pieces) {
    for (const KnownPiece& known : staging.known) {
      if (!(known.extent == piece.extent)) continue;
      piece.unchanged = manifest.keyed->empty();
      piece.fingerprint = known.fingerprint;
      piece.checksum = piece.unchanged ? known.checksum : std::nullopt;
    }
  }
}

Staged ReadDifferingByKey(StagingOptions staging, const TableRows& table,
                          const DifferingRows& found, const TaskReading& reading) {
  staging.only = std::make_shared<const KeyRangeSet>(found.ranges);
  std::optional<RowMatcher> matcher;
  if (staging.fingerprints_only) {
    absl::StatusOr<RowMatcher> made = KeyedMatcher(staging, table, found, reading.stop);
    if (!made.ok()) return SidedError{FailureKind::kTask, made.status()};
    matcher = *std::move(made);
  }
  if (absl::Status told = TakeClock(staging, reading); !told.ok())
    return SidedError{FailureKind::kSource, std::move(told)};
  auto opened = OpenSource(staging, staging.extent, found, reading);
  if (!opened.ok()) return SidedError{FailureKind::kSource, opened.status()};
  auto rows = std::make_unique<MatchedReader>(*std::move(opened),
                                              matcher.has_value() ? &*matcher : nullptr);
  Staged staged = StageRows(staging, std::move(rows), reading);
  auto* manifest = std::get_if<Manifest>(&staged);
  if (manifest == nullptr) return staged;
  manifest->rows_skipped = std::max<int64_t>(0, found.source_rows - manifest->rows_read);
  if (matcher.has_value()) {
    matcher->Finish(*manifest);
  } else {
    KeepKnown(staging, *manifest);
  }
  return staged;
}

// Rows of the table that are as the source has them, then those of the source that may not be.
Staged ReadDifferingPieces(const StagingOptions& staging, TableRows rows,
                           const DifferingRows& found, const TaskReading& reading) {
  CountingReader::Counts kept;
  std::vector<ChainedReader::Opener> openers;
  rows.columns = found.columns;
  rows.within = found.ranges;
  rows.outside_of = true;
  openers.emplace_back([&kept, &rows]() -> absl::StatusOr<std::unique_ptr<SourceReader>> {
    ASSIGN_OR_RETURN(std::unique_ptr<SourceReader> reader, OpenTableReader(rows));
    return std::make_unique<CountingReader>(std::move(reader), kept);
  });
  for (ChainedReader::Opener& opener :
       SourceReaders(staging, staging.extent, found.within, reading)) {
    openers.push_back(std::move(opener));
  }
  Staged staged = StageRows(
      staging, std::make_unique<ChainedReader>(found.columns, std::move(openers)), reading);
  if (auto* manifest = std::get_if<Manifest>(&staged)) {
    manifest->rows_read -= kept.rows;
    manifest->bytes_read -= kept.bytes;
    manifest->rows_skipped = kept.rows;
  }
  return staged;
}

}  // namespace

Staged ReadDiffering(StagingOptions staging, const TableBase& base, const TaskReading& reading) {
  const TableRows table = RowsOf(staging, base, staging.extent);
  absl::StatusOr<DifferingRows> found = Search(staging, table, staging.extent, reading);
  if (!found.ok()) return SidedError{FailureKind::kSource, found.status()};
  const bool keyed = staging.dataset.keyed();
  // Files that are not as they were published are replaced also where the source is.
  if (!keyed && !(found->narrowed && found->ranges.ranges.empty())) staging.known.clear();
  if (keyed && found->narrowed && !DividesKeys(staging.dataset, *found)) {
    found->narrowed = false;
    found->why = "no column of the key divides its rows";
  }
  if (found->narrowed) {
    return keyed ? ReadDifferingByKey(std::move(staging), table, *found, reading)
                 : ReadDifferingPieces(staging, table, *found, reading);
  }
  Log(LogLevel::kInfo, "all rows are read to find those that differ",
      {{"dataset", ToString(staging.dataset.id)}, {"why", found->why}});
  return ReadAndStage(std::move(staging), reading);
}

}  // namespace headwater
