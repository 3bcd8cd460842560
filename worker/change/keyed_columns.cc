#include "worker/change/keyed_columns.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"
#include "common/data/row_batch.h"

namespace headwater {
namespace {

absl::StatusOr<Column> ColumnNamed(const DatasetSpec& dataset, const Schema& source,
                                   const std::string& name, absl::string_view role) {
  const int at = source.Find(name);
  if (at >= 0) return source.columns[static_cast<size_t>(at)];
  return absl::InvalidArgumentError(absl::StrCat(ToString(dataset.id), ": ", role, " column '",
                                                 name, "' is not among the columns that are read"));
}

template <typename T>
void Append(const arrow::Array& column, std::vector<std::optional<int64_t>>& values) {
  const T* raw = column.data()->GetValues<T>(1);
  const bool nullable = column.null_count() != 0;
  for (int64_t i = 0; i < column.length(); ++i) {
    if (nullable && column.IsNull(i)) {
      values.emplace_back();
    } else {
      values.emplace_back(raw[i]);
    }
  }
}

}  // namespace

absl::StatusOr<Schema> KeySchema(const DatasetSpec& dataset, const Schema& source) {
  Schema key;
  for (const std::string& name : dataset.key_columns) {
    ASSIGN_OR_RETURN(Column column, ColumnNamed(dataset, source, name, "key"));
    if (column.type.kind == TypeKind::kDouble || column.type.kind == TypeKind::kFloat) {
      return absl::InvalidArgumentError(absl::StrCat(
          ToString(dataset.id), ": key column '", name,
          "' is floating point, which does not tell rows apart reliably; choose another key"));
    }
    key.columns.push_back(std::move(column));
  }
  return key;
}

absl::StatusOr<Schema> ComparedSchema(const DatasetSpec& dataset, const Schema& source) {
  Schema compared;
  for (const std::string& name : dataset.compared_columns) {
    ASSIGN_OR_RETURN(Column column, ColumnNamed(dataset, source, name, "compared"));
    compared.columns.push_back(std::move(column));
  }
  if (!compared.columns.empty()) return compared;
  for (const std::string& name : dataset.uncompared_columns)
    RETURN_IF_ERROR(ColumnNamed(dataset, source, name, "excepted").status());
  const bool versions = dataset.write == WriteMode::kVersions;
  for (const Column& column : source.columns) {
    const bool excepted = absl::c_linear_search(dataset.uncompared_columns, column.name) ||
                          (versions && (column.name == dataset.cursor ||
                                        absl::c_linear_search(dataset.key_columns, column.name)));
    if (!excepted) compared.columns.push_back(column);
  }
  if (!compared.columns.empty() || versions) return compared;
  return absl::InvalidArgumentError(
      absl::StrCat(ToString(dataset.id), ": no column is left to compare"));
}

absl::StatusOr<std::unique_ptr<ColumnsHasher>> ColumnsHasher::Create(const Schema& rows,
                                                                     const Schema& columns,
                                                                     HashAlgorithm algorithm) {
  ASSIGN_OR_RETURN(std::unique_ptr<RowHasher> hasher, RowHasher::Create(columns, algorithm));
  return std::unique_ptr<ColumnsHasher>(new ColumnsHasher(rows, columns, std::move(hasher)));
}

absl::Status ColumnsHasher::Hash(const arrow::RecordBatch& rows, std::vector<Hash128>& hashes) {
  hashes.clear();
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> columns, conformer_.Conform(rows));
  return hasher_->Hash(RowBatch(std::move(columns)), hashes);
}

PartitionValues KeyedPartition(const DatasetSpec& dataset) {
  const std::string& column = dataset.system_columns.server_source;
  if (column.empty()) return {};
  return {{column, dataset.id.server}};
}

std::string KeyText(const DatasetSpec& dataset, const arrow::RecordBatch& rows, int64_t row) {
  return absl::StrJoin(dataset.key_columns, ", ", [&](std::string* out, const std::string& name) {
    const auto column = rows.GetColumnByName(name);
    const auto value = column == nullptr ? arrow::Result<std::shared_ptr<arrow::Scalar>>(nullptr)
                                         : column->GetScalar(row);
    absl::StrAppend(out, name, " = ",
                    value.ok() && *value != nullptr ? (*value)->ToString() : "(unknown)");
  });
}

bool IsInstant(TypeKind kind) {
  switch (kind) {
    case TypeKind::kByte:
    case TypeKind::kShort:
    case TypeKind::kInteger:
    case TypeKind::kLong:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return true;
    default:
      return false;
  }
}

std::vector<std::optional<int64_t>> InstantsOf(const arrow::Array& column) {
  std::vector<std::optional<int64_t>> values;
  values.reserve(static_cast<size_t>(column.length()));
  switch (column.type_id()) {
    case arrow::Type::INT8:
      Append<int8_t>(column, values);
      break;
    case arrow::Type::INT16:
      Append<int16_t>(column, values);
      break;
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      Append<int32_t>(column, values);
      break;
    default:
      Append<int64_t>(column, values);
  }
  return values;
}

absl::StatusOr<std::shared_ptr<arrow::Array>> InstantColumn(
    const std::shared_ptr<arrow::DataType>& type,
    const std::vector<std::optional<int64_t>>& values) {
  constexpr absl::string_view kDoing = "making a column of instants";
  arrow::Int64Builder builder(ArrowPool());
  RETURN_IF_ERROR(FromArrow(builder.Reserve(static_cast<int64_t>(values.size())), kDoing));
  for (const std::optional<int64_t>& value : values) {
    value.has_value() ? builder.UnsafeAppend(*value) : builder.UnsafeAppendNull();
  }
  std::shared_ptr<arrow::Array> array;
  RETURN_IF_ERROR(FromArrow(builder.Finish(&array), kDoing));
  arrow::compute::ExecContext context(ArrowPool());
  context.set_use_threads(false);
  const bool date = type->id() == arrow::Type::DATE32;
  const auto through = date ? arrow::int32() : type;
  auto cast = arrow::compute::Cast(*array, through, arrow::compute::CastOptions::Safe(), &context);
  RETURN_IF_ERROR(FromArrow(cast.status(), kDoing));
  if (!date) return *std::move(cast);
  auto viewed = (*cast)->View(type);
  RETURN_IF_ERROR(FromArrow(viewed.status(), kDoing));
  return *std::move(viewed);
}

absl::StatusOr<std::shared_ptr<arrow::Array>> HashColumn(const std::vector<Hash128>& hashes) {
  constexpr absl::string_view kDoing = "making a column of row hashes";
  arrow::BinaryBuilder builder(ArrowPool());
  for (const Hash128& hash : hashes)
    RETURN_IF_ERROR(FromArrow(builder.Append(BytesOf(hash)), kDoing));
  std::shared_ptr<arrow::Array> column;
  RETURN_IF_ERROR(FromArrow(builder.Finish(&column), kDoing));
  return column;
}

std::string BytesOf(const Hash128& hash) {
  std::string bytes;
  for (const uint64_t half : {hash.high, hash.low}) {
    for (int shift = 56; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>((half >> shift) & 0xff));
  }
  return bytes;
}

std::optional<Hash128> HashOfBytes(absl::string_view bytes) {
  constexpr size_t kHalf = sizeof(uint64_t);
  if (bytes.size() != 2 * kHalf) return std::nullopt;
  Hash128 hash;
  for (size_t i = 0; i < bytes.size(); ++i) {
    uint64_t& half = i < kHalf ? hash.high : hash.low;
    half = half << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return hash;
}

}  // namespace headwater
