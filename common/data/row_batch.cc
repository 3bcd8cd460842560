#include "common/data/row_batch.h"

#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include <utility>

namespace headwater {

RowBatch::RowBatch(std::shared_ptr<arrow::RecordBatch> batch)
    : batch_(std::move(batch)),
      rows_(batch_->num_rows()),
      size_bytes_(arrow::util::TotalBufferSize(*batch_)) {}

RowBatch::RowBatch(const RowBatch& other, std::shared_ptr<arrow::RecordBatch> batch)
    : RowBatch(other) {
  size_bytes_ += arrow::util::TotalBufferSize(*batch) - arrow::util::TotalBufferSize(*batch_);
  batch_ = std::move(batch);
}

}  // namespace headwater
