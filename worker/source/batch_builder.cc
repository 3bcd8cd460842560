#include "worker/source/batch_builder.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/data/arrow_schema.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr int64_t kFirstRows = 256;
constexpr int64_t kFirstBytes = 4096;
// Offsets are 32 bits.
constexpr int64_t kMaxVariableBytes = std::numeric_limits<int32_t>::max();

int64_t WithSlack(int64_t last) { return last + last / 8; }

absl::Status NoMemory() { return absl::ResourceExhaustedError("no memory for a batch of rows"); }

}  // namespace

BatchBuilder::BatchBuilder(const Schema& schema, bool truncate_fine_time)
    : schema_(ToArrow(schema)), truncate_fine_time_(truncate_fine_time) {
  columns_.resize(schema.columns.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const TypeKind kind = schema.columns[i].type.kind;
    Buffers& at = columns_[i];
    at.type = schema_->field(static_cast<int>(i))->type();
    at.variable = kind == TypeKind::kString || kind == TypeKind::kBinary;
    if (!at.variable && kind != TypeKind::kBoolean) {
      at.width = static_cast<const arrow::FixedWidthType&>(*at.type).bit_width() / 8;
    }
    fixed_bytes_ += at.variable ? static_cast<int64_t>(sizeof(int32_t)) : std::max(at.width, 1);
  }
}

BatchBuilder::~BatchBuilder() = default;

bool BatchBuilder::Resize(std::shared_ptr<arrow::ResizableBuffer>& buffer, int64_t bytes) {
  if (buffer == nullptr) {
    auto made = arrow::AllocateResizableBuffer(bytes, ArrowPool());
    failed_ |= !made.ok();
    if (made.ok()) buffer = *std::move(made);
  } else {
    failed_ |= !buffer->Resize(bytes, /*shrink_to_fit=*/false).ok();
  }
  return !failed_;
}

bool BatchBuilder::GrowRows(Buffers& at) {
  const int64_t capacity = std::max({kFirstRows, 2 * at.capacity, WithSlack(at.last_rows)});
  if (at.variable) {
    const auto offset_bytes = static_cast<int64_t>(sizeof(int32_t));
    if (!Resize(at.offset_buffer, (capacity + 1) * offset_bytes)) return false;
    at.offsets = reinterpret_cast<int32_t*>(at.offset_buffer->mutable_data());
    if (at.rows == 0) at.offsets[0] = 0;
  } else {
    const int64_t bytes = at.width == 0 ? arrow::bit_util::BytesForBits(capacity)
                                        : capacity * static_cast<int64_t>(at.width);
    if (!Resize(at.value_buffer, bytes)) return false;
    at.values = at.value_buffer->mutable_data();
  }
  if (at.validity != nullptr) {
    if (!Resize(at.validity_buffer, arrow::bit_util::BytesForBits(capacity))) return false;
    at.validity = at.validity_buffer->mutable_data();
  }
  at.capacity = capacity;
  return true;
}

bool BatchBuilder::GrowBytes(Buffers& at, int64_t more) {
  if (at.bytes + more > kMaxVariableBytes) {
    failed_ = true;
    return false;
  }
  const int64_t wanted =
      std::max({at.bytes + more, 2 * at.byte_capacity, WithSlack(at.last_bytes), kFirstBytes});
  const int64_t capacity = std::min(wanted, kMaxVariableBytes);
  if (!Resize(at.value_buffer, capacity)) return false;
  at.values = at.value_buffer->mutable_data();
  at.byte_capacity = capacity;
  return true;
}

bool BatchBuilder::AddValidity(Buffers& at) {
  if (!Resize(at.validity_buffer, arrow::bit_util::BytesForBits(at.capacity))) return false;
  at.validity = at.validity_buffer->mutable_data();
  arrow::bit_util::SetBitsTo(at.validity, 0, at.rows, true);
  return true;
}

void BatchBuilder::DropRow() {
  truncated_in_row_ = 0;
  for (Buffers& at : columns_) {
    if (at.rows <= rows_) continue;
    if (at.validity != nullptr) {
      for (int64_t row = rows_; row < at.rows; ++row) {
        at.nulls -= arrow::bit_util::GetBit(at.validity, row) ? 0 : 1;
      }
    }
    if (at.offsets != nullptr) {
      variable_bytes_ -= at.bytes - at.offsets[rows_];
      at.bytes = at.offsets[rows_];
    }
    at.rows = rows_;
  }
}

std::shared_ptr<arrow::Array> BatchBuilder::FinishColumn(Buffers& at) {
  const bool null_free = at.nulls == 0;
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  const auto take = [&](std::shared_ptr<arrow::ResizableBuffer>& buffer, int64_t bytes) {
    // A last batch may be far smaller than what was reserved for it.
    const bool shrink = buffer != nullptr && bytes < buffer->capacity() / 4 * 3;
    failed_ |= buffer != nullptr && !buffer->Resize(bytes, shrink).ok();
    return std::shared_ptr<arrow::Buffer>(std::exchange(buffer, nullptr));
  };
  auto validity = take(at.validity_buffer, arrow::bit_util::BytesForBits(at.rows));
  buffers.push_back(null_free ? nullptr : std::move(validity));
  if (at.variable) {
    buffers.push_back(take(at.offset_buffer, (at.rows + 1) * int64_t{sizeof(int32_t)}));
    if (at.value_buffer == nullptr) Resize(at.value_buffer, 0);  // Arrow wants one.
    buffers.push_back(take(at.value_buffer, at.bytes));
  } else {
    buffers.push_back(take(at.value_buffer, at.width == 0
                                                ? arrow::bit_util::BytesForBits(at.rows)
                                                : at.rows * static_cast<int64_t>(at.width)));
  }
  auto array = arrow::MakeArray(
      arrow::ArrayData::Make(at.type, at.rows, std::move(buffers), null_free ? 0 : at.nulls));
  at.last_rows = std::exchange(at.rows, 0);
  at.last_bytes = std::exchange(at.bytes, 0);
  at.capacity = at.byte_capacity = at.nulls = 0;
  at.values = at.validity = nullptr;
  at.offsets = nullptr;
  return array;
}

absl::StatusOr<std::unique_ptr<RowBatch>> BatchBuilder::Finish() {
  if (failed_) return NoMemory();
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (size_t i = 0; i < columns_.size(); ++i) {
    Buffers& at = columns_[i];
    if (at.rows != rows_) {
      return absl::InternalError(
          absl::StrCat("column ", i, " has ", at.rows, " values; expected ", rows_));
    }
    if (at.capacity == 0 && !GrowRows(at))
      return NoMemory();  // Arrow wants buffers of no rows too.
    arrays.push_back(FinishColumn(at));
  }
  if (failed_) return NoMemory();
  auto batch =
      std::make_unique<RowBatch>(arrow::RecordBatch::Make(schema_, rows_, std::move(arrays)),
                                 std::exchange(bad_rows_, {}), std::exchange(truncated_values_, 0));
  rows_ = 0;
  bad_bytes_ = 0;
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
      bool finer = false;
      const std::optional<int64_t> value = ParseCursor(cursor, text, &finer);
      return value.has_value() && batch.AppendTime(column, *value, finer);
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
