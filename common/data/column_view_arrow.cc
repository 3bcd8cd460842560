#include "common/data/column_view_arrow.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/data/arrow_schema.h"

namespace headwater {
namespace {

ColumnView ViewOf(const arrow::ArrayData& data, const ColumnType& type) {
  ColumnView view;
  view.type = type;
  view.bit_offset = data.offset;
  if (data.GetNullCount() != 0) view.validity = data.buffers[0]->data();
  const uint8_t* values = data.buffers[1] == nullptr ? nullptr : data.buffers[1]->data();
  if (type.kind == TypeKind::kString || type.kind == TypeKind::kBinary) {
    view.offsets = reinterpret_cast<const int32_t*>(values) + data.offset;
    view.values = data.buffers[2] == nullptr ? nullptr : data.buffers[2]->data();
  } else if (type.kind == TypeKind::kBoolean) {
    view.values = values;
  } else {
    const int width = static_cast<const arrow::FixedWidthType&>(*data.type).bit_width() / 8;
    view.values = values == nullptr ? nullptr : values + data.offset * width;
  }
  return view;
}

}  // namespace

ColumnViews::ColumnViews(Schema schema) : schema_(std::move(schema)) {
  for (const Column& column : schema_.columns) types_.push_back(ToArrow(column.type));
}

absl::Status ColumnViews::Take(const arrow::RecordBatch& rows, absl::string_view doing) {
  views_.clear();
  if (rows.num_columns() != static_cast<int>(schema_.columns.size())) {
    return absl::InvalidArgumentError(absl::StrCat(doing, ": expected ", schema_.columns.size(),
                                                   " columns, found ", rows.num_columns()));
  }
  for (int i = 0; i < rows.num_columns(); ++i) {
    const auto at = static_cast<size_t>(i);
    const Column& column = schema_.columns[at];
    const arrow::ArrayData& data = *rows.column_data(i);
    if (!data.type->Equals(*types_[at])) {
      return absl::InvalidArgumentError(absl::StrCat(doing, ": column '", column.name,
                                                     "' is expected as ", types_[at]->ToString(),
                                                     ", found ", data.type->ToString()));
    }
    views_.push_back(ViewOf(data, column.type));
  }
  return absl::OkStatus();
}

}  // namespace headwater
