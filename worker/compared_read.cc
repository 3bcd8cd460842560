#include "worker/compared_read.h"

#include "worker/source/conforming_reader.h"

namespace headwater {

TableRows RowsOf(const StagingOptions& staging, const TableBase& base, const Extent& extent) {
  TableRows rows;
  rows.dataset = staging.dataset;
  rows.files = base.files;
  if (staging.dataset.keyed()) rows.extent = extent;
  rows.cursor_type = staging.cursor_type;
  rows.domain_end = staging.domain_end;
  return rows;
}

ChecksumOptions ChecksumOf(const TaskReading& reading) {
  return {.kind = ChecksumKind::kMd5, .table = reading.table, .policy = reading.policy};
}

absl::StatusOr<DifferingRows> Search(const StagingOptions& staging, const TableRows& table,
                                     const Extent& extent, const TaskReading& reading) {
  DifferingRows nothing;
  nothing.why = "checksum: none";
  if (staging.dataset.checksum == ChecksumKind::kNone) return nothing;
  return FindDifferingRows({.source = reading.source,
                            .dataset = staging.dataset,
                            .extent = extent,
                            .read = ReadOptionsOf(staging, reading),
                            .checksum = ChecksumOf(reading),
                            .table = table,
                            .stop = reading.stop});
}

std::vector<ChainedReader::Opener> SourceReaders(const StagingOptions& staging,
                                                 const Extent& extent,
                                                 const std::vector<std::string>& within,
                                                 const TaskReading& reading) {
  std::vector<ChainedReader::Opener> openers;
  for (const std::string& condition : JoinConditions(within)) {
    ReadOptions read = ReadOptionsOf(staging, reading);
    read.within = condition;
    openers.emplace_back(
        [&staging, &reading, extent, read]() -> absl::StatusOr<std::unique_ptr<SourceReader>> {
          ASSIGN_OR_RETURN(std::unique_ptr<SourceReader> rows,
                           reading.source.Read(staging.dataset, extent, read, reading.stop));
          return ConformToTable(std::move(rows), reading.table, reading.policy, staging.dataset);
        });
  }
  return openers;
}

absl::StatusOr<std::unique_ptr<SourceReader>> OpenSource(const StagingOptions& staging,
                                                         const Extent& extent,
                                                         const DifferingRows& found,
                                                         const TaskReading& reading) {
  if (!found.narrowed) return SourceReaders(staging, extent, {""}, reading).front()();
  return std::make_unique<ChainedReader>(found.columns,
                                         SourceReaders(staging, extent, found.within, reading));
}

absl::Status AddTable(TableRows rows, const DifferingRows& found, const std::stop_token& stop,
                      RowMatcher& matcher) {
  rows.columns = found.columns;
  rows.within = found.ranges;
  return ForEachTableBatch(std::move(rows), stop,
                           [&](const RowBatch& batch) { return matcher.AddTable(batch); });
}

}  // namespace headwater
