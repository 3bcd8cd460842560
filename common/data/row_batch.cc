#include "common/data/row_batch.h"

#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include <utility>

namespace headwater {

RowBatch::RowBatch(std::shared_ptr<arrow::RecordBatch> batch, std::vector<BadRow> bad_rows,
                   int64_t truncated_values)
    : batch_(std::move(batch)),
      rows_(batch_->num_rows()),
      size_bytes_(arrow::util::TotalBufferSize(*batch_)),
      bad_rows_(std::move(bad_rows)),
      truncated_values_(truncated_values) {
  for (const BadRow& row : bad_rows_) size_bytes_ += row.size_bytes();
}

RowBatch::RowBatch(const RowBatch& other, std::shared_ptr<arrow::RecordBatch> batch)
    : RowBatch(other) {
  size_bytes_ += arrow::util::TotalBufferSize(*batch) - arrow::util::TotalBufferSize(*batch_);
  batch_ = std::move(batch);
}

}  // namespace headwater
