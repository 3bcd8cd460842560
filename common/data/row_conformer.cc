#include "common/data/row_conformer.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"

namespace headwater {
namespace {

absl::StatusOr<std::shared_ptr<arrow::Array>> Nulls(const Column& column,
                                                    const std::shared_ptr<arrow::DataType>& type,
                                                    int64_t rows) {
  auto nulls = arrow::MakeArrayOfNull(type, rows, ArrowPool());
  RETURN_IF_ERROR(FromArrow(nulls.status(), absl::StrCat("making column '", column.name, "'")));
  return *std::move(nulls);
}

absl::StatusOr<std::shared_ptr<arrow::Array>> Cast(const Column& column,
                                                   const std::shared_ptr<arrow::DataType>& type,
                                                   const arrow::Array& values) {
  arrow::compute::ExecContext context(ArrowPool());
  context.set_use_threads(false);
  auto cast = arrow::compute::Cast(values, type, arrow::compute::CastOptions::Safe(), &context);
  RETURN_IF_ERROR(FromArrow(cast.status(), absl::StrCat("converting column '", column.name, "' to ",
                                                        TypeToString(column.type))));
  return *std::move(cast);
}

}  // namespace

RowConformer::RowConformer(const Schema& from, const Schema& to)
    : to_(to), arrow_schema_(ToArrow(to)) {
  for (const Column& column : to.columns) from_.push_back(from.Find(column.name));
}

absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> RowConformer::Conform(
    const arrow::RecordBatch& rows) const {
  arrow::ArrayVector columns;
  for (size_t i = 0; i < from_.size(); ++i) {
    const Column& column = to_.columns[i];
    const std::shared_ptr<arrow::DataType>& type =
        arrow_schema_->field(static_cast<int>(i))->type();
    if (from_[i] < 0) {
      ASSIGN_OR_RETURN(columns.emplace_back(), Nulls(column, type, rows.num_rows()));
      continue;
    }
    const std::shared_ptr<arrow::Array>& values = rows.column(from_[i]);
    if (values->type()->Equals(*type)) {
      columns.push_back(values);
      continue;
    }
    ASSIGN_OR_RETURN(columns.emplace_back(), Cast(column, type, *values));
  }
  return arrow::RecordBatch::Make(arrow_schema_, rows.num_rows(), std::move(columns));
}

}  // namespace headwater
