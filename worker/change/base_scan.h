// Reads of a keyed table's live files what decides: keys, contents, and the columns of the write.
#ifndef HEADWATER_WORKER_CHANGE_BASE_SCAN_H_
#define HEADWATER_WORKER_CHANGE_BASE_SCAN_H_

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/data/fingerprint.h"
#include "common/data/key_range_set.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"
#include "worker/change/read_rows.h"
#include "worker/change/version.h"

namespace headwater {

// One row of the table.
struct BaseRow {
  int file = 0;     // Of the base,
  int64_t row = 0;  // and its place in the file.
  Hash128 key;
  Hash128 content;  // As ReadRow::content.
  // Only where the scan asked for it:
  std::optional<int64_t> cursor;  // None: NULL.
  bool marked = false;            // It has said before that the source has it no more.
  VersionTimes times = {};
  bool has_begin = true;           // False: valid_from is NULL, and 0 in `times`.
  bool has_times = true;           // False: valid_from or is_current is NULL.
  bool confirmed_readable = true;  // As in Version.
  int64_t fence = 0;               // Of the attempt that wrote it; 0: it does not say.
};

struct BaseScan {
  const DatasetSpec& dataset;
  const std::string& folder;          // Of the table.
  const Schema& file_schema;          // FileSchemaOf() of now: what files lack of it is NULL.
  const ReadRows& read;               // Its key, compared columns and spec version.
  bool cursors = false;               // BaseRow::cursor is wanted.
  bool prune = false;                 // Only rows of the keys that were read are wanted,
  const KeyRangeSet* only = nullptr;  // and unless it is null only those that it has.
  bool fences = false;                // BaseRow::fence is wanted.
};

// Gives each row of the files of `base`, file by file, that can be wanted. The hashes that rows
// carry are taken where they were made of the same columns by the same algorithm; else the row is
// hashed anew.
// INTERNAL: a file cannot be read. INVALID_ARGUMENT: its rows have marks (MissingPolicy::kMark)
// that the dataset does not keep any more. CANCELLED: after `stop`. The first error of `take` ends
// it.
absl::Status ScanBase(const BaseScan& scan, const TableBase& base, const std::stop_token& stop,
                      absl::FunctionRef<absl::Status(const BaseRow& row)> take);

// Whether a file's statistics leave room for a key within `bounds`.
bool MayHoldKeys(const StagedFile& file, const std::string& first_key, const KeyBounds& bounds);

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_BASE_SCAN_H_
