// Runs one task from offer to outcome: opens the source, pumps its batches into a staging writer,
// and says which side failed. Leases and the session are not its business.
#ifndef HEADWATER_WORKER_MICROBATCH_RUNNER_H_
#define HEADWATER_WORKER_MICROBATCH_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"
#include "worker/source/source_reader.h"
#include "worker/stage/file_compactor.h"
#include "worker/stage/staging_writer.h"
#include "worker/task_host.h"

namespace headwater {

// How a writer is made: OpenStagingWriter of worker/registry.h, or a test's own.
using StagingFactory =
    std::function<absl::StatusOr<std::unique_ptr<StagingWriter>>(const StagingOptions&)>;

struct RunTaskOptions {
  absl::Time loaded_at;             // Value of _hw_loaded_at.
  int64_t batch_bytes = 4 << 20;    // Of one batch; three are in memory at most.
  int64_t memory_bytes = 64 << 20;  // For rows that wait in open files.
};

// Moves every batch from `reader` to `writer` and finishes it. A stop request cancels the reader at
// once. Errors: those of Next(), Write() and Finish(); CANCELLED after a stop request.
absl::StatusOr<Manifest> Pump(SourceReader& reader, StagingWriter& writer, std::stop_token stop);

// Runs `task` to its end and never throws. The outcome's failure kind is kSource when the source
// refused, broke or sent what does not decode, else kTask (staging, or a contradiction within the
// task); its status keeps the code. After a stop request it is kTask with CANCELLED, whatever
// failed first: nobody waits for the answer. A failed task leaves no files behind.
//
// Where the task may use several connections and the source divides, the parts share the memory
// (staged_parts.h).
//
// Requires: `source` is used by nobody else meanwhile. Blocks; uses one more thread to read ahead,
// for each part.
Outcome RunTask(const DatasetSpec& dataset, const TaskSpec& task, Source& source,
                const StagingFactory& open_writer, const RunTaskOptions& options,
                std::stop_token stop, const ProgressCallback& progress);

// How files are put together: CompactTarget of worker/registry.h, or a test's own.
using FileCompaction =
    std::function<absl::StatusOr<Manifest>(const CompactionOptions&, std::stop_token)>;

// As RunTask(), for a task with inputs. Its failures are of kind kTask. Blocks; uses no other
// thread.
Outcome RunCompaction(const DatasetSpec& dataset, const TaskSpec& task,
                      const FileCompaction& compact, std::stop_token stop,
                      const ProgressCallback& progress);

}  // namespace headwater

#endif  // HEADWATER_WORKER_MICROBATCH_RUNNER_H_
