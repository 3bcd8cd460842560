#include "worker/stage/taken_rows.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>

#include <utility>

#include "common/base/status.h"
#include "common/data/arrow_schema.h"

namespace headwater {

absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> TakeRows(const arrow::RecordBatch& rows,
                                                             const std::vector<int32_t>& wanted) {
  const arrow::Int32Array indices(static_cast<int64_t>(wanted.size()), arrow::Buffer::Wrap(wanted));
  arrow::compute::ExecContext context(ArrowPool());
  context.set_use_threads(false);
  arrow::ArrayVector columns;
  for (const std::shared_ptr<arrow::Array>& column : rows.columns()) {
    auto taken = arrow::compute::Take(*column, indices,
                                      arrow::compute::TakeOptions::NoBoundsCheck(), &context);
    RETURN_IF_ERROR(FromArrow(taken.status(), "dividing rows"));
    columns.push_back(*std::move(taken));
  }
  return arrow::RecordBatch::Make(rows.schema(), indices.length(), std::move(columns));
}

}  // namespace headwater
