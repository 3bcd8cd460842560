// Looks at every history of a table of strategy scd2 and, if asked to, writes anew the files that
// have broken ones. What is wrong and what is right says version_check.h. No source is asked.
#ifndef HEADWATER_WORKER_CHANGE_HISTORY_MENDER_H_
#define HEADWATER_WORKER_CHANGE_HISTORY_MENDER_H_

#include <cstdint>
#include <functional>
#include <stop_token>

#include "absl/status/statusor.h"
#include "common/data/cursor.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"

namespace headwater {

struct HistoryOptions {
  DatasetSpec dataset;
  LeaseRef lease;
  CursorType cursor_type = CursorType::kNone;
  Schema table_schema;  // The table's columns from sources.
  TableBase base;       // All live files of the dataset.
  // Called with the versions read so far. Must not block.
  std::function<void(int64_t rows)> progress = {};
};

// Of each key whose history is broken, up to kMaxDifferences of them in the order of the files:
// what is wrong and what MendHistories() would do. Stages nothing. The manifest has no pieces.
//   rows_read               versions
//   rows_different          keys whose history is broken
//   keyed->same_rows        the other keys
//   keyed->changed_rows     versions that get other times,
//   keyed->deleted_rows     and those that go
// About 130 bytes a version are in memory. CANCELLED: after `stop`. INTERNAL: a file cannot be
// read. INVALID_ARGUMENT: the dataset's columns are not there, or the target is not a local folder.
absl::StatusOr<Manifest> CheckHistories(const HistoryOptions& options, const std::stop_token& stop);

// The same counts, and the files in `keyed` that replace those with versions to change. A second
// time there are none. A version without a begin, where nothing else tells it, stays as it is, and
// its key broken. No file stays when it fails. Errors: also those of writing.
absl::StatusOr<Manifest> MendHistories(const HistoryOptions& options, const std::stop_token& stop);

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_HISTORY_MENDER_H_
