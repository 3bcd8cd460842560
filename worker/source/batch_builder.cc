#include "worker/source/batch_builder.h"

#include <arrow/api.h>
#include <arrow/util/decimal.h>

#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/data/arrow_schema.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

// Bytes of one value; for variable types, of its offset.
int64_t FixedBytesOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
    case TypeKind::kByte:
      return 1;
    case TypeKind::kShort:
      return 2;
    case TypeKind::kLong:
    case TypeKind::kDouble:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return 8;
    case TypeKind::kDecimal:
      return 16;
    default:
      return 4;
  }
}

}  // namespace

BatchBuilder::BatchBuilder(const Schema& schema) : schema_(ToArrow(schema)) {
  for (const Column& column : schema.columns) {
    kinds_.push_back(column.type.kind);
    fixed_bytes_ += FixedBytesOf(column.type.kind);
    auto builder = arrow::MakeBuilder(ToArrow(column.type), ArrowPool());
    failed_ = failed_ || !builder.ok();
    builders_.push_back(builder.ok() ? *std::move(builder) : nullptr);
  }
}

BatchBuilder::~BatchBuilder() = default;

void BatchBuilder::AppendNull(int column) { failed_ |= !builders_[column]->AppendNull().ok(); }

void BatchBuilder::AppendBool(int column, bool value) {
  failed_ |= !static_cast<arrow::BooleanBuilder&>(*builders_[column]).Append(value).ok();
}

void BatchBuilder::AppendInteger(int column, int64_t value) {
  arrow::ArrayBuilder& builder = *builders_[column];
  arrow::Status status;
  switch (kinds_[column]) {
    case TypeKind::kByte:
      status = static_cast<arrow::Int8Builder&>(builder).Append(static_cast<int8_t>(value));
      break;
    case TypeKind::kShort:
      status = static_cast<arrow::Int16Builder&>(builder).Append(static_cast<int16_t>(value));
      break;
    case TypeKind::kInteger:
      status = static_cast<arrow::Int32Builder&>(builder).Append(static_cast<int32_t>(value));
      break;
    case TypeKind::kDate:
      status = static_cast<arrow::Date32Builder&>(builder).Append(static_cast<int32_t>(value));
      break;
    case TypeKind::kLong:
      status = static_cast<arrow::Int64Builder&>(builder).Append(value);
      break;
    default:
      status = static_cast<arrow::TimestampBuilder&>(builder).Append(value);
  }
  failed_ |= !status.ok();
}

void BatchBuilder::AppendDouble(int column, double value) {
  arrow::ArrayBuilder& builder = *builders_[column];
  if (kinds_[column] == TypeKind::kFloat) {
    failed_ |= !static_cast<arrow::FloatBuilder&>(builder).Append(static_cast<float>(value)).ok();
  } else {
    failed_ |= !static_cast<arrow::DoubleBuilder&>(builder).Append(value).ok();
  }
}

void BatchBuilder::AppendDecimal(int column, __int128 unscaled) {
  const arrow::Decimal128 value(static_cast<int64_t>(unscaled >> 64),
                                static_cast<uint64_t>(unscaled));
  failed_ |= !static_cast<arrow::Decimal128Builder&>(*builders_[column]).Append(value).ok();
}

void BatchBuilder::AppendBytes(int column, absl::string_view value) {
  variable_bytes_ += static_cast<int64_t>(value.size());
  // StringBuilder derives from BinaryBuilder; both append alike.
  failed_ |= !static_cast<arrow::BinaryBuilder&>(*builders_[column])
                  .Append(value.data(), static_cast<int32_t>(value.size()))
                  .ok();
}

absl::StatusOr<std::unique_ptr<RowBatch>> BatchBuilder::Finish() {
  if (failed_) return absl::ResourceExhaustedError("no memory for a batch of rows");
  std::vector<std::shared_ptr<arrow::Array>> arrays(builders_.size());
  for (size_t i = 0; i < builders_.size(); ++i) {
    if (builders_[i]->length() != rows_) {
      return absl::InternalError(
          absl::StrCat("column ", i, " has ", builders_[i]->length(), " values; expected ", rows_));
    }
    if (const arrow::Status status = builders_[i]->Finish(&arrays[i]); !status.ok()) {
      return absl::ResourceExhaustedError(status.message());
    }
  }
  auto batch =
      std::make_unique<RowBatch>(arrow::RecordBatch::Make(schema_, rows_, std::move(arrays)));
  rows_ = 0;
  variable_bytes_ = 0;
  return batch;
}

bool AppendText(BatchBuilder& batch, int column, const ColumnType& type, absl::string_view text) {
  switch (type.kind) {
    case TypeKind::kBoolean: {
      const bool yes = text == "1" || text == "t" || text == "true";
      if (!yes && text != "0" && text != "f" && text != "false") return false;
      batch.AppendBool(column, yes);
      return true;
    }
    case TypeKind::kByte:
    case TypeKind::kShort:
    case TypeKind::kInteger:
    case TypeKind::kLong: {
      const std::optional<int64_t> value = ParseInteger(text);
      const int bits = type.kind == TypeKind::kByte      ? 8
                       : type.kind == TypeKind::kShort   ? 16
                       : type.kind == TypeKind::kInteger ? 32
                                                         : 64;
      const int64_t limit = std::numeric_limits<int64_t>::max() >> (64 - bits);
      if (!value.has_value() || *value > limit || *value < -limit - 1) return false;
      batch.AppendInteger(column, *value);
      return true;
    }
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      const std::optional<double> value = ParseDouble(text);
      if (!value.has_value()) return false;
      batch.AppendDouble(column, *value);
      return true;
    }
    case TypeKind::kDecimal: {
      const std::optional<__int128> value = ParseDecimal(text, type.precision, type.scale);
      if (!value.has_value()) return false;
      batch.AppendDecimal(column, *value);
      return true;
    }
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz: {
      const CursorType cursor = type.kind == TypeKind::kDate        ? CursorType::kDate
                                : type.kind == TypeKind::kTimestamp ? CursorType::kInstant
                                                                    : CursorType::kWallClock;
      const std::optional<int64_t> value = ParseCursor(cursor, text);
      if (!value.has_value()) return false;
      batch.AppendInteger(column, *value);
      return true;
    }
    case TypeKind::kString:
      if (!IsValidUtf8(text)) return false;
      batch.AppendBytes(column, text);
      return true;
    case TypeKind::kBinary:
      batch.AppendBytes(column, text);
      return true;
  }
  return false;
}

}  // namespace headwater
