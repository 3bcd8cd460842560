// Rows of one file that wait to become row groups, put in the order of their cursor.
#ifndef HEADWATER_WORKER_STAGE_WAITING_ROWS_H_
#define HEADWATER_WORKER_STAGE_WAITING_ROWS_H_

#include <arrow/type_fwd.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"

namespace headwater {

// Confined to one thread.
class WaitingRows {
 public:
  // `cursor_column`: where the cursor is among the rows' columns; -1: they have none, and stay as
  // they come. A cursor is an integer, a date or a timestamp.
  explicit WaitingRows(int cursor_column) : cursor_column_(cursor_column) {}

  // `size_bytes` is what the rows keep in memory. Requires: every batch has the same columns.
  void Add(std::shared_ptr<arrow::RecordBatch> batch, int64_t size_bytes);

  bool empty() const { return batches_.empty(); }
  int64_t rows() const { return rows_; }
  int64_t size_bytes() const { return size_bytes_; }

  // Whether they came in the order of their cursor, NULLs last: then what waits may be written at
  // once. Else the more of them wait, the more are in order afterwards.
  bool ascending() const { return ascending_; }

  // Hands out the columns of all rows, ordered by cursor, rows with equal ones as they came; none
  // wait afterwards. Needs memory for one more column beside them. RESOURCE_EXHAUSTED: no memory.
  absl::StatusOr<std::vector<std::shared_ptr<arrow::ChunkedArray>>> Take();

 private:
  absl::StatusOr<std::shared_ptr<arrow::Array>> Order(const arrow::ChunkedArray& cursor) const;

  int cursor_column_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  int64_t rows_ = 0;
  int64_t size_bytes_ = 0;
  bool ascending_ = true;
  int64_t last_ = std::numeric_limits<int64_t>::min();  // Cursor of the row added last.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_WAITING_ROWS_H_
