#include "worker/microbatch_runner.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/differing_rows.h"
#include "worker/guarded_task.h"
#include "worker/piece_checks.h"
#include "worker/table_comparison.h"
#include "worker/task_read.h"

namespace headwater {
namespace {

// What was hashed by another algorithm than the dataset's is so again.
DatasetSpec HashedAs(const std::optional<HashAlgorithm>& algorithm, DatasetSpec dataset) {
  dataset.hash_algorithm = algorithm.value_or(dataset.hash_algorithm);
  return dataset;
}

StagingOptions CommonOptions(const DatasetSpec& dataset, const TaskSpec& task,
                             const RunTaskOptions& options) {
  StagingOptions staging;
  staging.dataset = dataset;
  staging.lease = task.lease;
  staging.loaded_at = options.loaded_at;
  staging.memory_bytes = options.memory_bytes;
  return staging;
}

StagingOptions OptionsOf(const DatasetSpec& dataset, const TaskSpec& task,
                         const MicrobatchTask& microbatch, const RunTaskOptions& options) {
  StagingOptions staging = CommonOptions(dataset, task, options);
  staging.extent = microbatch.extent;
  staging.cuts = microbatch.cuts;
  staging.known = microbatch.known;
  staging.cursor_type = microbatch.cursor_type;
  staging.domain_end = microbatch.domain_end;
  if (dataset.keyed()) staging.base = microbatch.base;
  return staging;
}

StagingOptions OptionsOf(const DatasetSpec& dataset, const TaskSpec& task,
                         const VerificationTask& verification, const RunTaskOptions& options) {
  StagingOptions staging =
      CommonOptions(HashedAs(verification.hash_algorithm, dataset), task, options);
  staging.extent = verification.extent;
  staging.cuts = verification.cuts;
  staging.cursor_type = verification.cursor_type;
  staging.domain_end = verification.domain_end;
  staging.fingerprints_only = true;
  staging.known = verification.known;
  if (dataset.keyed()) staging.base = verification.base;
  return staging;
}

// What the source's administrators are told of a task, with what finds it first: where space is
// short, the end is cut. The range is written as `status` shows it.
std::string QueryTag(const DatasetSpec& dataset, const TaskSpec& task, const StagingOptions* read) {
  std::string tag = absl::StrCat("run=", task.run_id.empty() ? task.lease.task_id : task.run_id);
  if (task.lease.fence != 0) absl::StrAppend(&tag, " fence=", task.lease.fence);
  absl::StrAppend(&tag, " dataset=", ToString(dataset.id));
  if (read == nullptr) return absl::StrCat(tag, " probe");
  if (read->extent.range.has_value()) {
    const absl::StatusOr<CursorCalendar> calendar = CalendarOf(dataset, read->cursor_type);
    if (calendar.ok()) absl::StrAppend(&tag, " range=", calendar->Format(*read->extent.range));
  }
  return read->extent.outside ? absl::StrCat(tag, " and=outside") : tag;
}

using Result = decltype(Outcome::result);

Result RunMicrobatch(const DatasetSpec& dataset, const TaskSpec& task,
                     const MicrobatchTask& microbatch, Source& source,
                     const StagingFactory& open_writer, const RunTaskOptions& options,
                     std::stop_token stop, const ProgressCallback& progress) {
  StagingOptions staging = OptionsOf(dataset, task, microbatch, options);
  const std::string tag = QueryTag(dataset, task, &staging);
  const TaskReading reading{.source = source,
                            .open_writer = open_writer,
                            .options = options,
                            .tag = tag,
                            .table = microbatch.table_schema,
                            .policy = dataset.on_schema_change,
                            .connections = microbatch.connections,
                            .stop = stop,
                            .progress = progress};
  Staged read = microbatch.differing && microbatch.base.has_value()
                    ? ReadDiffering(std::move(staging), *microbatch.base, reading)
                : microbatch.checksums ? ReadUnlessUnchanged(staging, reading)
                                       : ReadAndStage(std::move(staging), reading);
  if (auto* error = std::get_if<SidedError>(&read)) return Failure{error->kind, error->status};
  Manifest& manifest = std::get<Manifest>(read);
  if (microbatch.look_around && manifest.rows_read == 0 && manifest.rows_skipped == 0) {
    // Without an answer the next microbatch takes a unit, as ever.
    const absl::StatusOr<Range> empty =
        source.EmptyAround(dataset, *microbatch.extent.range, tag, stop);
    if (empty.ok()) manifest.empty_around = *empty;
  }
  return std::move(manifest);
}

// Just how many rows there are.
absl::StatusOr<Manifest> CountPieces(const StagingOptions& staging, const TaskReading& reading) {
  const std::vector<Extent> pieces = PiecesOf(staging.extent, staging.cuts);
  ASSIGN_OR_RETURN(const std::vector<ExtentCount> counts,
                   reading.source.Counts(staging.dataset, pieces, ReadOptionsOf(staging, reading),
                                         reading.stop));
  Manifest manifest;
  manifest.spec_version = "counts";
  for (size_t i = 0; i < pieces.size(); ++i) {
    StagedPiece& piece = manifest.pieces.emplace_back();
    piece.extent = pieces[i];
    piece.fingerprint.rows = counts[i].rows;
    piece.max_cursor = counts[i].max_cursor;
  }
  return manifest;
}

Result RunVerification(const DatasetSpec& dataset, const TaskSpec& task,
                       const VerificationTask& verification, Source& source,
                       const StagingFactory& open_writer, const RunTaskOptions& options,
                       std::stop_token stop, const ProgressCallback& progress) {
  StagingOptions staging = OptionsOf(dataset, task, verification, options);
  const std::string tag = QueryTag(dataset, task, &staging);
  // What is compared with pieces is given their columns, and no others. It is read over one
  // connection each: verifications leave the server to runs.
  const TaskReading reading{.source = source,
                            .open_writer = open_writer,
                            .options = options,
                            .tag = tag,
                            .table = verification.table_schema,
                            .policy = SchemaPolicy::kIgnore,
                            .connections = 1,
                            .stop = stop,
                            .progress = progress};
  if (verification.counts_only) {
    absl::StatusOr<Manifest> counted = CountPieces(staging, reading);
    if (!counted.ok()) return Failure{FailureKind::kSource, counted.status()};
    return Verification{*std::move(counted)};
  }
  Staged read = verification.base.has_value()
                    ? CompareWithFiles(staging, *verification.base, reading)
                : verification.known.empty() ? ReadAndStage(std::move(staging), reading)
                                             : ReadUnlessUnchanged(staging, reading);
  if (auto* error = std::get_if<SidedError>(&read)) return Failure{error->kind, error->status};
  return Verification{std::move(std::get<Manifest>(read))};
}

// Of a static table before anything of it is read. A source that makes none tells nothing.
absl::Status SumWhole(const PieceChecks::Asking& asking, const DatasetSpec& dataset,
                      ProbeResult& result) {
  StagingOptions whole;
  whole.dataset = dataset;
  ASSIGN_OR_RETURN(auto sums, PieceChecks::Sums(asking, whole, {{Range{0, 1}, false}}));
  result.checksum = std::move(sums.front());
  return absl::OkStatus();
}

// Of those stretches of the tail that have as many rows as were published, and the same maximum.
// What comes between the probe and this moves them, as it would have a moment later.
absl::Status SumTail(const PieceChecks::Asking& asking, const DatasetSpec& dataset,
                     const ProbeTask& probe, ProbeResult& result) {
  std::vector<Extent> extents;
  std::vector<TailCheck*> checks;
  for (TailCheck& check : result.tail) {
    for (const TailCheck& known : probe.known_tail) {
      if (!(known.range == check.range) || known.rows != check.rows ||
          known.max_cursor != check.max_cursor) {
        continue;
      }
      extents.push_back({check.range, false});
      checks.push_back(&check);
    }
  }
  if (extents.empty()) return absl::OkStatus();
  StagingOptions tail;
  tail.dataset = dataset;
  tail.cursor_type = result.cursor_type;
  tail.domain_end = std::numeric_limits<int64_t>::max();
  ASSIGN_OR_RETURN(auto sums, PieceChecks::Sums(asking, tail, extents));
  for (size_t i = 0; i < checks.size(); ++i) checks[i]->checksum = std::move(sums[i]);
  return absl::OkStatus();
}

Result RunProbe(const DatasetSpec& dataset, const TaskSpec& task, ProbeTask probe, Source& source,
                const std::stop_token& stop) {
  probe.query_tag = QueryTag(dataset, task, nullptr);
  absl::StatusOr<ProbeResult> result = source.Probe(dataset, probe, stop);
  if (!result.ok()) return Failure{FailureKind::kSource, result.status()};
  const PieceChecks::Asking asking{source, probe.table_schema, dataset.on_schema_change,
                                   probe.query_tag, stop};
  absl::Status told = probe.checksum ? SumWhole(asking, dataset, *result) : absl::OkStatus();
  if (told.ok()) told = SumTail(asking, dataset, probe, *result);
  if (!told.ok()) return Failure{FailureKind::kSource, told};
  return *std::move(result);
}

Result ResultOf(const DatasetSpec& dataset, const TaskSpec& task, Source& source,
                const StagingFactory& open_writer, const RunTaskOptions& options,
                std::stop_token stop, const ProgressCallback& progress) {
  if (progress) progress(TaskProgress{TaskPhase::kConnecting});
  if (const auto* probe = std::get_if<ProbeTask>(&task.kind))
    return RunProbe(dataset, task, *probe, source, stop);
  if (const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind))
    return RunMicrobatch(dataset, task, *microbatch, source, open_writer, options, stop, progress);
  return RunVerification(dataset, task, std::get<VerificationTask>(task.kind), source, open_writer,
                         options, std::move(stop), progress);
}

}  // namespace

absl::StatusOr<Manifest> Pump(SourceReader& reader, StagingWriter& writer, std::stop_token stop) {
  std::stop_callback cancel(stop, [&] { reader.Cancel(); });
  while (true) {
    ASSIGN_OR_RETURN(std::unique_ptr<RowBatch> batch, reader.Next());
    if (stop.stop_requested()) return absl::CancelledError("stopped before the extent was read");
    if (batch == nullptr) return writer.Finish();
    RETURN_IF_ERROR(writer.Write(*batch));
  }
}

Outcome RunTask(const DatasetSpec& dataset, const TaskSpec& task, Source& source,
                const StagingFactory& open_writer, const RunTaskOptions& options,
                std::stop_token stop, const ProgressCallback& progress) {
  return RunGuarded(dataset, task, stop, [&] {
    return ResultOf(dataset, task, source, open_writer, options, stop, progress);
  });
}

Outcome RunCompaction(const DatasetSpec& dataset, const TaskSpec& task,
                      const FileCompaction& compact, std::stop_token stop,
                      const ProgressCallback& progress) {
  return RunGuarded(dataset, task, stop, [&]() -> Result {
    const auto& microbatch = std::get<MicrobatchTask>(task.kind);
    CompactionOptions options{HashedAs(microbatch.hash_algorithm, dataset),
                              task.lease,
                              microbatch.extent,
                              microbatch.inputs,
                              {}};
    options.progress = [&](int64_t rows, int64_t bytes) {
      if (progress) progress(TaskProgress{TaskPhase::kReading, rows, bytes});
    };
    absl::StatusOr<Manifest> manifest = compact(options, stop);
    if (!manifest.ok()) return Failure{FailureKind::kTask, manifest.status()};
    return *std::move(manifest);
  });
}

}  // namespace headwater
