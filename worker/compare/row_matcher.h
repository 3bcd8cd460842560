// Says of few rows in which of them a table and its source differ.
#ifndef HEADWATER_WORKER_COMPARE_ROW_MATCHER_H_
#define HEADWATER_WORKER_COMPARE_ROW_MATCHER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/fingerprint.h"
#include "common/data/row_batch.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"

namespace arrow {
class RecordBatch;
}  // namespace arrow

namespace headwater {

class ColumnsHasher;

// Holds all rows of the table that it is given in memory. Confined to one thread.
class RowMatcher {
 public:
  // For rows with `columns`, of which no two have the same values in `unique`. Without `unique` a
  // row is known by all that it has, so one that changed is two: one that is missing, and one that
  // should not be there. Two rows are the same if they are in `compared`.
  static absl::StatusOr<RowMatcher> Create(const DatasetSpec& dataset, const Schema& columns,
                                           const std::vector<std::string>& unique,
                                           const Schema& compared);
  // For rows of a keyed table: known by its key, and the same where what it compares is.
  static absl::StatusOr<RowMatcher> CreateKeyed(const DatasetSpec& dataset, const Schema& columns);
  RowMatcher(RowMatcher&&) noexcept;
  RowMatcher& operator=(RowMatcher&&) noexcept;
  ~RowMatcher();

  // First all of the table's rows, then the source's.
  absl::Status AddTable(const RowBatch& rows);
  absl::Status AddSource(const RowBatch& rows);

  // Those that differ go to `manifest.differences`, as far as there is room, and are counted there.
  void Finish(Manifest& manifest);

  // Of all rows that were added.
  const Fingerprint& table() const { return table_; }
  const Fingerprint& source() const { return source_; }

 private:
  struct TableRow {
    Hash128 content;
    int32_t batch = 0;
    int64_t row = 0;
  };
  struct Pending {
    Hash128 key;
    std::string text;  // Of the first ones only.
  };

  struct HashOfHash {
    size_t operator()(const Hash128& key) const { return key.low; }
  };

  RowMatcher();
  absl::Status Hash(const RowBatch& rows);

  DatasetSpec naming_;  // Whose key names rows.
  bool has_key_ = false;
  std::unique_ptr<ColumnsHasher> keys_, contents_;
  std::vector<Hash128> key_hashes_, content_hashes_;  // Of the batch at hand.
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  std::unordered_multimap<Hash128, TableRow, HashOfHash> unmatched_;  // By key.
  std::vector<Pending> pending_;  // Rows of the source without an equal one in the table.
  Fingerprint table_, source_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_COMPARE_ROW_MATCHER_H_
