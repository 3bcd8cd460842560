// Reads the rows that a table has of a dataset, from its data files, as a source's are read.
#ifndef HEADWATER_WORKER_COMPARE_TABLE_READER_H_
#define HEADWATER_WORKER_COMPARE_TABLE_READER_H_

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/key_range_set.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"
#include "worker/source/source_reader.h"

namespace headwater {

struct TableRows {
  DatasetSpec dataset;
  std::vector<StagedFile> files;  // Of `dataset.target_uri`.
  Schema columns;                 // That rows are given, by name; none: the files' own but ours.
  // Only rows whose cursor is in it; none: all. Of keyed tables always only rows that stand for
  // what a source has: current versions, not marked as gone.
  std::optional<Extent> extent;
  CursorType cursor_type = CursorType::kNone;
  int64_t domain_end = 0;
  // Only rows in `within`, or with `outside_of` only the others.
  KeyRangeSet within = {};
  bool outside_of = false;
};

// Opens file by file, as it comes to them. Cancel() takes effect between batches. INTERNAL: a file
// cannot be read. INVALID_ARGUMENT: the target is not a local folder, a value does not fit.
absl::StatusOr<std::unique_ptr<SourceReader>> OpenTableReader(TableRows rows);

// Gives `take` the rows, batch by batch, until there are no more or it fails. CANCELLED: after
// `stop`. Errors: of OpenTableReader() and its reader, and of `take`.
absl::Status ForEachTableBatch(TableRows rows, const std::stop_token& stop,
                               absl::FunctionRef<absl::Status(const RowBatch&)> take);

// The columns that those files have of the source's: of the first one, or of none.
absl::StatusOr<Schema> ColumnsOfFiles(const DatasetSpec& dataset,
                                      const std::vector<StagedFile>& files);

}  // namespace headwater

#endif  // HEADWATER_WORKER_COMPARE_TABLE_READER_H_
