#include "common/data/schema.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace headwater {
namespace {

constexpr int kMaxPrecision = 38;  // Of Delta and of Arrow's decimal128.

constexpr std::array<std::pair<TypeKind, absl::string_view>, 12> kNames = {{
    {TypeKind::kBoolean, "boolean"},
    {TypeKind::kByte, "byte"},
    {TypeKind::kShort, "short"},
    {TypeKind::kInteger, "integer"},
    {TypeKind::kLong, "long"},
    {TypeKind::kFloat, "float"},
    {TypeKind::kDouble, "double"},
    {TypeKind::kString, "string"},
    {TypeKind::kBinary, "binary"},
    {TypeKind::kDate, "date"},
    {TypeKind::kTimestamp, "timestamp"},
    {TypeKind::kTimestampNtz, "timestamp_ntz"},
}};

}  // namespace

int Schema::Find(absl::string_view name) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

Schema SourceColumns(const Schema& schema, const std::vector<std::string>& partitions) {
  Schema source;
  for (const Column& column : schema.columns) {
    const bool ours =
        column.system != SystemColumn::kNone ||
        std::find(partitions.begin(), partitions.end(), column.name) != partitions.end();
    if (!ours) source.columns.push_back(column);
  }
  return source;
}

std::string TypeToString(const ColumnType& type) {
  if (type.kind == TypeKind::kDecimal) {
    return absl::StrCat("decimal(", type.precision, ",", type.scale, ")");
  }
  for (const auto& [kind, name] : kNames) {
    if (kind == type.kind) return std::string(name);
  }
  return "unknown";
}

absl::StatusOr<ColumnType> ParseType(absl::string_view text) {
  for (const auto& [kind, name] : kNames) {
    if (name == text) return ColumnType{kind};
  }
  absl::string_view inner = text;
  if (absl::ConsumePrefix(&inner, "decimal(") && absl::ConsumeSuffix(&inner, ")")) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(inner, ',');
    ColumnType type{TypeKind::kDecimal};
    if (absl::SimpleAtoi(parts.first, &type.precision) &&
        absl::SimpleAtoi(parts.second, &type.scale) && type.precision >= 1 &&
        type.precision <= kMaxPrecision && type.scale >= 0 && type.scale <= type.precision) {
      return type;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("not a column type: '", text,
                   "'; expected a Delta primitive such as long, string or decimal(18,6)"));
}

}  // namespace headwater
