#include "worker/task_read.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "worker/piece_checks.h"
#include "worker/source/conforming_reader.h"
#include "worker/source/prefetching_reader.h"
#include "worker/staged_parts.h"

namespace headwater {
namespace {

// Of one batch when several readers share the memory; smaller ones would cost more than they save.
constexpr int64_t kLeastBatchBytes = 512 << 10;

using Readers = std::vector<std::unique_ptr<SourceReader>>;

absl::Status Conform(Readers& readers, const TaskReading& reading, const DatasetSpec& dataset) {
  for (std::unique_ptr<SourceReader>& reader : readers) {
    ASSIGN_OR_RETURN(reader,
                     ConformToTable(std::move(reader), reading.table, reading.policy, dataset));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TakeClock(StagingOptions& staging, const TaskReading& reading) {
  if (!staging.base.has_value() || staging.dataset.write != WriteMode::kVersions ||
      staging.cursor_type != CursorType::kNone) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(staging.read_at, reading.source.Clock(staging.dataset, reading.stop));
  return absl::OkStatus();
}

ReadOptions ReadOptionsOf(const StagingOptions& staging, const TaskReading& reading) {
  ReadOptions read;
  read.batch_bytes = reading.options.batch_bytes;
  read.cursor_type = staging.cursor_type;
  read.domain_end = staging.domain_end;
  read.query_tag = reading.tag;
  if (reading.connections > 1) {
    read.batch_bytes = std::min(read.batch_bytes,
                                std::max(read.batch_bytes / reading.connections, kLeastBatchBytes));
  }
  return read;
}

Staged StageRows(StagingOptions staging, std::unique_ptr<SourceReader> rows,
                 const TaskReading& reading) {
  PrefetchingReader reader(std::move(rows));
  ObservedReader observed(reader, reading.progress);
  staging.stop = reading.stop;
  staging.source_schema = reader.schema();
  absl::StatusOr<std::unique_ptr<StagingWriter>> writer = reading.open_writer(staging);
  if (!writer.ok()) return SidedError{FailureKind::kTask, writer.status()};
  absl::StatusOr<Manifest> manifest = Pump(observed, **writer, reading.stop);
  if (manifest.ok()) return *std::move(manifest);
  return SidedError{observed.failed() ? FailureKind::kSource : FailureKind::kTask,
                    manifest.status()};
}

Staged ReadAndStage(StagingOptions staging, const TaskReading& reading) {
  staging.stop = reading.stop;
  if (absl::Status told = TakeClock(staging, reading); !told.ok())
    return SidedError{FailureKind::kSource, std::move(told)};
  auto opened =
      reading.source.ReadParts(staging.dataset, staging.extent, ReadOptionsOf(staging, reading),
                               reading.connections, reading.stop);
  if (!opened.ok()) return SidedError{FailureKind::kSource, opened.status()};
  if (absl::Status fits = Conform(*opened, reading, staging.dataset); !fits.ok())
    return SidedError{FailureKind::kSource, std::move(fits)};
  if (opened->size() > 1) {
    return StageParts(*std::move(opened), staging, reading.open_writer, reading.stop,
                      reading.progress);
  }
  return StageRows(std::move(staging), std::move(opened->front()), reading);
}

Staged ReadUnlessUnchanged(const StagingOptions& whole, const TaskReading& reading) {
  const PieceChecks::Asking asking{reading.source, reading.table, reading.policy, reading.tag,
                                   reading.stop};
  absl::StatusOr<PieceChecks> checks = PieceChecks::Ask(asking, whole);
  if (!checks.ok()) return SidedError{FailureKind::kSource, checks.status()};
  if (checks->all_unchanged()) return checks->Unread(whole.dataset);
  StagingOptions staging = whole;
  checks->Narrow(staging);
  Staged read = ReadAndStage(std::move(staging), reading);
  if (auto* manifest = std::get_if<Manifest>(&read)) {
    const absl::Status told = checks->Complete(asking, whole, *manifest);
    if (!told.ok()) return SidedError{FailureKind::kSource, told};
  }
  return read;
}

}  // namespace headwater
