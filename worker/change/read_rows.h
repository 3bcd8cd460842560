// What a keyed write has read of the source, by key.
#ifndef HEADWATER_WORKER_CHANGE_READ_ROWS_H_
#define HEADWATER_WORKER_CHANGE_READ_ROWS_H_

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/fingerprint.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "worker/change/keyed_columns.h"

namespace headwater {

// One row. Its place is its number among all rows that were read.
struct ReadRow {
  Hash128 content;     // Of the compared columns.
  int64_t at = 0;      // Versions by ranges: its cursor.
  int32_t next = -1;   // The next row of the same key, in no order.
  bool wanted = true;  // False: another row of its key is taken instead.
  bool met = false;    // The table has a row of its key.
  bool tied = false;   // Another row has its key and its value of `dedup_by`, and differs.
};

// The smallest and largest value of the key's first column, as far as they tell files apart.
struct KeyBounds {
  std::optional<std::pair<int64_t, int64_t>> numbers;
  std::optional<std::pair<std::string, std::string>> texts;
};

// Confined to one thread. Needs about 60 bytes a row.
class ReadRows {
 public:
  using Keys = absl::flat_hash_map<Hash128, int32_t, KeyHashOfHash>;

  // Of rows with the columns `source`. INVALID_ARGUMENT: as KeySchema(), ComparedSchema(), and a
  // `dedup_by` that is no integer, date or time.
  static absl::StatusOr<std::unique_ptr<ReadRows>> Create(const DatasetSpec& dataset,
                                                          const Schema& source);

  // INVALID_ARGUMENT: a key with a NULL, or two rows of one key (of versions by ranges, and of one
  // instant) without `dedup_by` to choose. Names the key. RESOURCE_EXHAUSTED: more than 2^31 rows.
  absl::Status Add(const arrow::RecordBatch& rows);

  // All rows were added: one that is taken although `dedup_by` does not tell it from another, if
  // there is one. Rows of its key that lost to a third do not matter, in whatever order they came.
  std::optional<int32_t> Tie() const;
  // The error of that row, which is row `i` of `batch`.
  absl::Status TieError(const arrow::RecordBatch& batch, int64_t i) const;

  const Keys& keys() const { return keys_; }  // To the first row of each.
  std::vector<ReadRow>& rows() { return rows_; }
  const Schema& key() const { return key_; }
  const Schema& compared() const { return compared_; }
  const std::string& spec_version() const {
    return spec_version_;
  }  // Of compared(),
     // as the dataset hashes it.
  const KeyBounds& bounds() const { return bounds_; }
  int64_t duplicates() const { return duplicates_; }  // Rows that are not wanted.

 private:
  explicit ReadRows(const DatasetSpec& dataset) : dataset_(dataset) {}
  absl::Status AddRow(const arrow::RecordBatch& batch, int64_t i, const Hash128& key);
  absl::Status Choose(const arrow::RecordBatch& batch, int64_t i, int32_t old_row, int32_t new_row);
  std::string TwoRows(const arrow::RecordBatch& batch, int64_t i) const;
  void Bound(const arrow::RecordBatch& rows);

  const DatasetSpec dataset_;
  Schema key_, compared_;
  std::string spec_version_;
  std::string at_column_;  // Versions by ranges: the cursor. Else empty.
  std::unique_ptr<ColumnsHasher> key_hasher_, content_hasher_;
  Keys keys_;
  std::vector<ReadRow> rows_;
  std::vector<std::optional<int64_t>> ranks_;  // By row, of `dedup_by`.
  KeyBounds bounds_;
  int64_t duplicates_ = 0;
  bool any_tied_ = false;

  // Scratch of Add().
  std::vector<Hash128> key_hashes_, content_hashes_;
  std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>> keys_with_nulls_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_READ_ROWS_H_
