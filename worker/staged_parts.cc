#include "worker/staged_parts.h"

#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/status.h"
#include "worker/source/prefetching_reader.h"
#include "worker/stage/bad_row_tally.h"
#include "worker/stage/merged_manifest.h"

namespace headwater {
namespace {

class Parts {
 public:
  Parts(std::vector<std::unique_ptr<SourceReader>> readers, const StagingOptions& whole,
        const StagingFactory& open_writer, const ProgressCallback& progress)
      : parts_(readers.size()),
        staging_(whole),
        open_writer_(open_writer),
        progress_(progress),
        seen_(readers.size(), TaskProgress{TaskPhase::kReading}) {
    for (size_t i = 0; i < readers.size(); ++i) parts_[i].reader = std::move(readers[i]);
    staging_.memory_bytes /= static_cast<int64_t>(parts_.size());
    staging_.known.clear();
    staging_.bad_rows = std::make_shared<BadRowTally>(whole.dataset.max_bad_rows);
  }

  void RunAll(std::stop_token stop) {
    const std::stop_callback passed_on(stop, [this] { stop_.request_stop(); });
    std::vector<std::thread> threads;
    try {
      threads.reserve(parts_.size());
      for (size_t i = 1; i < parts_.size(); ++i) threads.emplace_back([this, i] { Run(i); });
      Run(0);
    } catch (const std::exception& e) {  // No thread was to be had.
      Fail({FailureKind::kTask, absl::ResourceExhaustedError(e.what())});
    }
    for (std::thread& thread : threads) thread.join();
  }

  std::variant<Manifest, SidedError> Result(const std::vector<KnownPiece>& known) {
    std::optional<SidedError> failure;
    {
      absl::MutexLock lock(&mutex_);
      failure = failure_;
    }
    if (failure.has_value()) return Without(*failure);
    std::vector<Manifest> manifests;
    for (const Part& part : parts_) manifests.push_back(part.manifest);
    absl::StatusOr<Manifest> whole = MergeManifests(manifests, known);
    const absl::Status share =
        whole.ok() ? staging_.bad_rows->CheckShare(whole->rows_read) : whole.status();
    if (!share.ok()) return Without({FailureKind::kTask, share});
    for (size_t i = 0; i < whole->pieces.size(); ++i) {
      if (!whole->pieces[i].unchanged) continue;
      for (Part& part : parts_) {
        const absl::Status removed = part.writer->Remove(part.manifest.pieces[i]);
        if (!removed.ok()) return Without({FailureKind::kTask, removed});
      }
    }
    return *std::move(whole);
  }

 private:
  struct Part {
    std::unique_ptr<SourceReader> reader;
    std::unique_ptr<StagingWriter> writer;
    Manifest manifest;  // Once finished.
    bool finished = false;
  };

  void Run(size_t i) {
    // Also what a thread throws is a failure of the task; thrown further, it would end the process.
    try {
      if (std::optional<SidedError> failure = Stage(i); failure.has_value()) {
        Fail(*std::move(failure));
      }
    } catch (const std::bad_alloc&) {
      Fail({FailureKind::kTask, absl::ResourceExhaustedError("out of memory")});
    } catch (const std::exception& e) {
      Fail({FailureKind::kTask, absl::InternalError(e.what())});
    }
  }

  std::optional<SidedError> Stage(size_t i) {
    Part& part = parts_[i];
    const ProgressCallback progress = [this, i](const TaskProgress& now) { Saw(i, now); };
    PrefetchingReader reader(std::move(part.reader));
    ObservedReader observed(reader, progress);
    StagingOptions staging = staging_;
    staging.source_schema = reader.schema();
    absl::StatusOr<std::unique_ptr<StagingWriter>> writer = open_writer_(staging);
    if (!writer.ok()) return SidedError{FailureKind::kTask, writer.status()};
    part.writer = *std::move(writer);
    absl::StatusOr<Manifest> manifest = Pump(observed, *part.writer, stop_.get_token());
    if (!manifest.ok()) {
      return SidedError{observed.failed() ? FailureKind::kSource : FailureKind::kTask,
                        manifest.status()};
    }
    part.manifest = *std::move(manifest);
    part.finished = true;
    return std::nullopt;
  }

  // Those that fail later fail because they were stopped.
  void Fail(SidedError failure) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      absl::MutexLock lock(&mutex_);
      if (!failure_.has_value()) failure_ = std::move(failure);
    }
    stop_.request_stop();
  }

  void Saw(size_t i, const TaskProgress& now) ABSL_LOCKS_EXCLUDED(mutex_) {
    if (!progress_) return;
    absl::MutexLock lock(&mutex_);
    seen_[i] = now;
    TaskProgress all{TaskPhase::kFinishing};
    for (const TaskProgress& part : seen_) {
      all.phase = std::min(all.phase, part.phase);
      all.rows += part.rows;
      all.bytes += part.bytes;
    }
    progress_(all);
  }

  // Unfinished writers remove their files themselves.
  SidedError Without(SidedError failure) {
    for (Part& part : parts_) {
      if (!part.finished) continue;
      for (const StagedPiece& piece : part.manifest.pieces) {
        (void)part.writer->Remove(piece);  // What stays is a file that nobody names.
      }
    }
    return failure;
  }

  std::vector<Part> parts_;  // Each belongs to its thread while that runs.
  StagingOptions staging_;
  const StagingFactory& open_writer_;
  const ProgressCallback& progress_;
  std::stop_source stop_;
  absl::Mutex mutex_;
  std::vector<TaskProgress> seen_ ABSL_GUARDED_BY(mutex_);
  std::optional<SidedError> failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::variant<Manifest, SidedError> StageParts(std::vector<std::unique_ptr<SourceReader>> readers,
                                              const StagingOptions& staging,
                                              const StagingFactory& open_writer,
                                              std::stop_token stop,
                                              const ProgressCallback& progress) {
  Parts parts(std::move(readers), staging, open_writer, progress);
  parts.RunAll(std::move(stop));
  return parts.Result(staging.known);
}

}  // namespace headwater
