// Rows on their way through a worker: an Arrow record batch behind a forward declaration, so that
// headers which only pass it on stay light.
#ifndef HEADWATER_COMMON_DATA_ROW_BATCH_H_
#define HEADWATER_COMMON_DATA_ROW_BATCH_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "common/data/bad_row.h"

namespace arrow {
class RecordBatch;
}  // namespace arrow

namespace headwater {

// Immutable once made; may outlive its reader.
class RowBatch {
 public:
  explicit RowBatch(std::shared_ptr<arrow::RecordBatch> batch, std::vector<BadRow> bad_rows = {},
                    int64_t truncated_values = 0);
  // The rows of `other` in other columns; all else as there.
  RowBatch(const RowBatch& other, std::shared_ptr<arrow::RecordBatch> batch);

  const std::shared_ptr<arrow::RecordBatch>& arrow() const { return batch_; }
  int64_t rows() const { return rows_; }
  // Rows of the source that are not in arrow(), since a column cannot hold one of their values.
  const std::vector<BadRow>& bad_rows() const { return bad_rows_; }
  // Values in arrow() that were cut to microseconds, as the dataset asks for.
  int64_t truncated_values() const { return truncated_values_; }
  // Memory that the batch keeps alive, in bytes (buffers shared with other batches count in full).
  int64_t size_bytes() const { return size_bytes_; }

 private:
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t rows_;
  int64_t size_bytes_;
  std::vector<BadRow> bad_rows_;
  int64_t truncated_values_;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_ROW_BATCH_H_
