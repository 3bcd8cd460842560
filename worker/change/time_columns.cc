#include "worker/change/time_columns.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"
#include "common/data/system_columns.h"
#include "worker/change/keyed_columns.h"

namespace headwater {
namespace {

template <typename Builder, typename Value>
absl::StatusOr<std::shared_ptr<arrow::Array>> Build(
    const std::vector<std::optional<Value>>& values) {
  constexpr absl::string_view kDoing = "making columns of versions";
  Builder builder(ArrowPool());
  for (const std::optional<Value>& value : values) {
    RETURN_IF_ERROR(
        FromArrow(value.has_value() ? builder.Append(*value) : builder.AppendNull(), kDoing));
  }
  std::shared_ptr<arrow::Array> array;
  RETURN_IF_ERROR(FromArrow(builder.Finish(&array), kDoing));
  return array;
}

}  // namespace

TimeColumns TimeColumns::Of(const Schema& schema, const arrow::ArrayVector& columns) {
  const auto column = [&](SystemColumn which) -> const arrow::Array& {
    return *columns[static_cast<size_t>(FindSystemColumn(schema, which))];
  };
  const auto& current = static_cast<const arrow::BooleanArray&>(column(SystemColumn::kIsCurrent));
  TimeColumns times(static_cast<size_t>(current.length()));
  times.valid_from = InstantsOf(column(SystemColumn::kValidFrom));
  times.valid_to = InstantsOf(column(SystemColumn::kValidTo));
  for (int64_t i = 0; i < current.length(); ++i) {
    if (!current.IsNull(i)) times.is_current[static_cast<size_t>(i)] = current.Value(i);
  }
  if (FindSystemColumn(schema, SystemColumn::kConfirmedAt) < 0) return times;
  const auto& texts = static_cast<const arrow::StringArray&>(column(SystemColumn::kConfirmedAt));
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (!texts.IsNull(i)) times.confirmed_at[static_cast<size_t>(i)] = texts.GetString(i);
  }
  return times;
}

void TimeColumns::Set(size_t row, const VersionTimes& times) {
  valid_from[row] = times.valid_from;
  valid_to[row] = times.valid_to;
  is_current[row] = times.is_current;
  confirmed_at[row] = EncodeConfirmed(times.confirmed);
}

absl::Status TimeColumns::Put(const Schema& schema, arrow::ArrayVector& columns) const {
  const auto place = [&](SystemColumn which) {
    return static_cast<size_t>(FindSystemColumn(schema, which));
  };
  const size_t from = place(SystemColumn::kValidFrom), to = place(SystemColumn::kValidTo);
  ASSIGN_OR_RETURN(columns[from], InstantColumn(ToArrow(schema.columns[from].type), valid_from));
  ASSIGN_OR_RETURN(columns[to], InstantColumn(ToArrow(schema.columns[to].type), valid_to));
  ASSIGN_OR_RETURN(columns[place(SystemColumn::kIsCurrent)],
                   Build<arrow::BooleanBuilder>(is_current));
  if (FindSystemColumn(schema, SystemColumn::kConfirmedAt) < 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(columns[place(SystemColumn::kConfirmedAt)],
                   Build<arrow::StringBuilder>(confirmed_at));
  return absl::OkStatus();
}

}  // namespace headwater
