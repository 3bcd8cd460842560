// Writes the rows of a table's live files anew, into fewer files. Rows stay as they are: in the
// columns, partitions and order that the files have them, Headwater's own columns too. What it
// writes stays invisible until the table's log names it, as with any attempt.
#ifndef HEADWATER_WORKER_STAGE_FILE_COMPACTOR_H_
#define HEADWATER_WORKER_STAGE_FILE_COMPACTOR_H_

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"

namespace headwater {

struct CompactionOptions {
  DatasetSpec dataset;
  LeaseRef lease;
  Extent extent;                   // Of the one piece that they become.
  std::vector<StagedFile> inputs;  // Of `dataset.target_uri`, in the order of their rows.
  // Called with the rows and bytes in memory read so far, after each batch. Must not block.
  std::function<void(int64_t rows, int64_t bytes)> progress;
};

// One file or more per partition value that the inputs have, with the fingerprint of all rows as it
// is taken of them now. Needs memory for one row group and a little beside it, however many rows
// there are. No file stays when it fails. CANCELLED: after `stop`. DATA_LOSS: the files of one
// compaction differ in their columns. RESOURCE_EXHAUSTED: the disk is full. INTERNAL: a file cannot
// be read. INVALID_ARGUMENT: the target is not a local folder.
absl::StatusOr<Manifest> CompactFiles(const CompactionOptions& options, std::stop_token stop);

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_FILE_COMPACTOR_H_
