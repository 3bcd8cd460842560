#include "worker/stage/batch_check.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "absl/strings/str_cat.h"
#include "common/data/arrow_schema.h"

namespace headwater {
namespace {

// Empty: the column is as expected.
std::string Unfit(const arrow::Array& array, const Column& expected) {
  if (!array.type()->Equals(*ToArrow(expected.type))) {
    return absl::StrCat("comes as ", array.type()->ToString(), ", expected ",
                        TypeToString(expected.type));
  }
  if (!expected.nullable && array.null_count() != 0) return "is NOT NULL and has a NULL";
  if (expected.type.kind == TypeKind::kString &&
      !static_cast<const arrow::StringArray&>(array).ValidateUTF8().ok()) {
    return "has a text that is not UTF-8";
  }
  return "";
}

}  // namespace

absl::Status CheckBatch(const arrow::RecordBatch& rows, const Schema& expected,
                        const DatasetId& dataset) {
  const std::vector<Column>& columns = expected.columns;
  if (rows.num_columns() != static_cast<int>(columns.size())) {
    return absl::InvalidArgumentError(absl::StrCat(ToString(dataset), ": a batch has ",
                                                   rows.num_columns(), " columns, expected ",
                                                   columns.size()));
  }
  for (int i = 0; i < rows.num_columns(); ++i) {
    const Column& column = columns[static_cast<size_t>(i)];
    const std::string unfit = Unfit(*rows.column(i), column);
    if (unfit.empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(ToString(dataset), ": column '", column.name, "' ", unfit));
  }
  return absl::OkStatus();
}

}  // namespace headwater
