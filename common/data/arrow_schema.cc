#include "common/data/arrow_schema.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {

std::shared_ptr<arrow::DataType> ToArrow(const ColumnType& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return arrow::boolean();
    case TypeKind::kByte:
      return arrow::int8();
    case TypeKind::kShort:
      return arrow::int16();
    case TypeKind::kInteger:
      return arrow::int32();
    case TypeKind::kLong:
      return arrow::int64();
    case TypeKind::kFloat:
      return arrow::float32();
    case TypeKind::kDouble:
      return arrow::float64();
    case TypeKind::kDecimal:
      return arrow::decimal128(type.precision, type.scale);
    case TypeKind::kString:
      return arrow::utf8();
    case TypeKind::kBinary:
      return arrow::binary();
    case TypeKind::kDate:
      return arrow::date32();
    case TypeKind::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case TypeKind::kTimestampNtz:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
  }
  return arrow::null();
}

std::shared_ptr<arrow::Schema> ToArrow(const Schema& schema) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const Column& column : schema.columns) {
    fields.push_back(arrow::field(column.name, ToArrow(column.type), column.nullable));
  }
  return arrow::schema(std::move(fields));
}

absl::StatusOr<ColumnType> FromArrow(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return ColumnType{TypeKind::kBoolean};
    case arrow::Type::INT8:
      return ColumnType{TypeKind::kByte};
    case arrow::Type::INT16:
      return ColumnType{TypeKind::kShort};
    case arrow::Type::INT32:
      return ColumnType{TypeKind::kInteger};
    case arrow::Type::INT64:
      return ColumnType{TypeKind::kLong};
    case arrow::Type::FLOAT:
      return ColumnType{TypeKind::kFloat};
    case arrow::Type::DOUBLE:
      return ColumnType{TypeKind::kDouble};
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      if (decimal.scale() < 0 || decimal.scale() > decimal.precision()) break;
      return ColumnType{TypeKind::kDecimal, decimal.precision(), decimal.scale()};
    }
    case arrow::Type::STRING:
      return ColumnType{TypeKind::kString};
    case arrow::Type::BINARY:
      return ColumnType{TypeKind::kBinary};
    case arrow::Type::DATE32:
      return ColumnType{TypeKind::kDate};
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      if (timestamp.unit() != arrow::TimeUnit::MICRO) break;
      return ColumnType{timestamp.timezone().empty() ? TypeKind::kTimestampNtz
                                                     : TypeKind::kTimestamp};
    }
    default:
      break;
  }
  return absl::UnimplementedError(
      absl::StrCat("no column type for Arrow type '", type.ToString(), "'"));
}

absl::StatusOr<Schema> FromArrow(const arrow::Schema& schema) {
  Schema result;
  for (const std::shared_ptr<arrow::Field>& field : schema.fields()) {
    absl::StatusOr<ColumnType> type = FromArrow(*field->type());
    if (!type.ok()) {
      return Annotate(type.status(), absl::StrCat("column '", field->name(), "'"));
    }
    result.columns.push_back(Column{field->name(), *type, field->nullable()});
  }
  return result;
}

arrow::MemoryPool* ArrowPool() {
#ifdef HEADWATER_SANITIZED
  return arrow::system_memory_pool();
#else
  // Where Arrow has it: batches are freed by other threads than those that made them, and mimalloc,
  // the default, then keeps half as much again (bench/RESULTS.md).
  static arrow::MemoryPool* const pool = [] {
    arrow::MemoryPool* jemalloc = nullptr;
    return arrow::jemalloc_memory_pool(&jemalloc).ok() ? jemalloc : arrow::default_memory_pool();
  }();
  return pool;
#endif
}

absl::Status FromArrow(const arrow::Status& status, absl::string_view doing) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(doing, ": ", status.message());
  if (status.IsOutOfMemory() || status.IsCapacityError()) {
    return absl::ResourceExhaustedError(message);
  }
  if (status.IsInvalid() || status.IsTypeError()) return absl::InvalidArgumentError(message);
  return absl::InternalError(message);
}

}  // namespace headwater
