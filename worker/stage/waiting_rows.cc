#include "worker/stage/waiting_rows.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/base/status.h"
#include "common/data/arrow_schema.h"

namespace headwater {
namespace {

constexpr int64_t kNullsLast = std::numeric_limits<int64_t>::max();

template <typename T>
void AppendCursors(const arrow::Array& array, std::vector<int64_t>& cursors) {
  const T* values = array.data()->GetValues<T>(1);
  for (int64_t i = 0; i < array.length(); ++i) {
    cursors.push_back(array.IsNull(i) ? kNullsLast : static_cast<int64_t>(values[i]));
  }
}

// The cursor of each row.
void AppendCursors(const arrow::Array& array, std::vector<int64_t>& cursors) {
  switch (static_cast<const arrow::FixedWidthType&>(*array.type()).bit_width()) {
    case 8:
      return AppendCursors<int8_t>(array, cursors);
    case 16:
      return AppendCursors<int16_t>(array, cursors);
    case 32:
      return AppendCursors<int32_t>(array, cursors);
    default:
      return AppendCursors<int64_t>(array, cursors);
  }
}

}  // namespace

void WaitingRows::Add(std::shared_ptr<arrow::RecordBatch> batch, int64_t size_bytes) {
  if (cursor_column_ >= 0 && ascending_) {
    std::vector<int64_t> cursors;
    cursors.reserve(static_cast<size_t>(batch->num_rows()) + 1);
    cursors.push_back(last_);
    AppendCursors(*batch->column(cursor_column_), cursors);
    ascending_ = std::is_sorted(cursors.begin(), cursors.end());
    last_ = cursors.back();
  }
  rows_ += batch->num_rows();
  size_bytes_ += size_bytes;
  batches_.push_back(std::move(batch));
}

absl::StatusOr<std::shared_ptr<arrow::Array>> WaitingRows::Order(
    const arrow::ChunkedArray& cursor) const {
  std::vector<int64_t> cursors;
  cursors.reserve(static_cast<size_t>(rows_));
  for (const auto& chunk : cursor.chunks()) AppendCursors(*chunk, cursors);
  std::vector<int32_t> order(cursors.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return cursors[static_cast<size_t>(a)] < cursors[static_cast<size_t>(b)];
  });
  const auto rows = static_cast<int64_t>(order.size());
  return std::make_shared<arrow::Int32Array>(rows, arrow::Buffer::FromVector(std::move(order)));
}

absl::StatusOr<std::vector<std::shared_ptr<arrow::ChunkedArray>>> WaitingRows::Take() {
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  const int width = batches_.empty() ? 0 : batches_[0]->num_columns();
  for (int i = 0; i < width; ++i) {
    arrow::ArrayVector chunks;
    for (const auto& batch : batches_) chunks.push_back(batch->column(i));
    columns.push_back(std::make_shared<arrow::ChunkedArray>(std::move(chunks)));
  }
  batches_.clear();
  if (!ascending_) {
    ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> order,
                     Order(*columns[static_cast<size_t>(cursor_column_)]));
    arrow::compute::ExecContext context(ArrowPool());
    context.set_use_threads(false);
    for (auto& column : columns) {  // One after the other, so that memory for one is enough.
      auto whole = arrow::Concatenate(column->chunks(), ArrowPool());
      column.reset();
      RETURN_IF_ERROR(FromArrow(whole.status(), "ordering rows"));
      auto taken = arrow::compute::Take(*std::move(whole), order,
                                        arrow::compute::TakeOptions::NoBoundsCheck(), &context);
      RETURN_IF_ERROR(FromArrow(taken.status(), "ordering rows"));
      column = std::make_shared<arrow::ChunkedArray>(taken->make_array());
    }
  }
  rows_ = size_bytes_ = 0;
  ascending_ = true;
  last_ = std::numeric_limits<int64_t>::min();
  return columns;
}

}  // namespace headwater
