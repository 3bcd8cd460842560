// Reading for one task: a source's rows into a staging writer, over one connection or several,
// whole or without what checksums tell to be as it was.
#ifndef HEADWATER_WORKER_TASK_READ_H_
#define HEADWATER_WORKER_TASK_READ_H_

#include <memory>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "common/data/schema.h"
#include "common/data/schema_drift.h"
#include "common/model/task.h"
#include "worker/microbatch_runner.h"
#include "worker/observed_reader.h"
#include "worker/source/source_reader.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// What a task reads with, and what rows become in their table. All of it outlives the read.
struct TaskReading {
  Source& source;
  const StagingFactory& open_writer;
  const RunTaskOptions& options;
  const std::string& tag;  // What the source's administrators are told.
  const Schema& table;     // The columns that rows are given; none: they stay as they are read.
  SchemaPolicy policy = SchemaPolicy::kEvolve;
  int connections = 1;
  std::stop_token stop;
  const ProgressCallback& progress;
};

using Staged = std::variant<Manifest, SidedError>;

// How the rows of `staging` are asked for.
ReadOptions ReadOptionsOf(const StagingOptions& staging, const TaskReading& reading);

// A version begins when the read that shows it first began, at the latest: takes the source's clock
// where versions are read whole.
absl::Status TakeClock(StagingOptions& staging, const TaskReading& reading);

// Reads the extent of `staging` and stages it.
Staged ReadAndStage(StagingOptions staging, const TaskReading& reading);

// The same of one reader's rows, whatever it reads.
Staged StageRows(StagingOptions staging, std::unique_ptr<SourceReader> rows,
                 const TaskReading& reading);

// Reads and stages, but for what checksums of the source tell of the pieces that `whole` makes.
Staged ReadUnlessUnchanged(const StagingOptions& whole, const TaskReading& reading);

}  // namespace headwater

#endif  // HEADWATER_WORKER_TASK_READ_H_
