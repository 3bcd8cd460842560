// Builds the Arrow batches of a reader, column by column. Shared by all adapters.
#ifndef HEADWATER_WORKER_SOURCE_BATCH_BUILDER_H_
#define HEADWATER_WORKER_SOURCE_BATCH_BUILDER_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/optimization.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/row_batch.h"
#include "common/data/schema.h"

namespace arrow {
class Array;
class DataType;
class ResizableBuffer;
class Schema;
}  // namespace arrow

namespace headwater {

// Readers end a batch here, however few bytes its rows have.
inline constexpr int64_t kMaxBatchRows = 64 << 10;

// Rows that wait to become a batch. The caller appends one value to every column, then calls
// EndRow(). Values are in the column's storage form: integers widened to int64 (dates in days,
// timestamps in microseconds), decimals unscaled. Requires, for each append: the column has that
// kind, and an integer fits its width. Confined to one thread.
//
// Appends are inline and write into the buffers that become the batch: they are called for each
// value that a worker reads, and Arrow's own builders cost as much there as decoding does.
class BatchBuilder {
 public:
  // `truncate_fine_time`: times finer than a microsecond are cut to it (`on_fine_time: truncate`).
  explicit BatchBuilder(const Schema& schema, bool truncate_fine_time = false);
  ~BatchBuilder();

  void AppendNull(int column) {
    Buffers& at = columns_[static_cast<size_t>(column)];
    if (!HasRoom(at) || (at.validity == nullptr && !AddValidity(at))) return;
    SetBit(at.validity, at.rows, false);
    ++at.nulls;
    if (at.offsets != nullptr) {
      at.offsets[at.rows + 1] = static_cast<int32_t>(at.bytes);
    } else if (at.width == 0) {
      SetBit(at.values, at.rows, false);
    } else {
      std::memset(at.values + at.rows * at.width, 0, static_cast<size_t>(at.width));
    }
    ++at.rows;
  }

  void AppendBool(int column, bool value) {
    Buffers& at = columns_[static_cast<size_t>(column)];
    if (!HasRoom(at)) return;
    SetBit(at.values, at.rows, value);
    EndValue(at);
  }

  void AppendInteger(int column, int64_t value) {  // Integers, dates and timestamps.
    Buffers& at = columns_[static_cast<size_t>(column)];
    if (!HasRoom(at)) return;
    switch (at.width) {  // Little-endian: the low bytes come first.
      case 8:
        Store(at, value);
        break;
      case 4:
        Store(at, static_cast<int32_t>(value));
        break;
      case 2:
        Store(at, static_cast<int16_t>(value));
        break;
      default:
        Store(at, static_cast<int8_t>(value));
    }
    EndValue(at);
  }

  // A timestamp in the microsecond `micros`; `finer`: it had further digits. False, and nothing is
  // appended, where those may not be cut; else each such value is counted.
  bool AppendTime(int column, int64_t micros, bool finer) {
    if (ABSL_PREDICT_FALSE(finer)) {
      if (!truncate_fine_time_) return false;
      ++truncated_in_row_;
    }
    AppendInteger(column, micros);
    return true;
  }

  void AppendDouble(int column, double value) {  // Floats too.
    Buffers& at = columns_[static_cast<size_t>(column)];
    if (!HasRoom(at)) return;
    if (at.width == sizeof(float)) {
      Store(at, static_cast<float>(value));
    } else {
      Store(at, value);
    }
    EndValue(at);
  }

  void AppendDecimal(int column, __int128 unscaled) {
    Buffers& at = columns_[static_cast<size_t>(column)];
    if (!HasRoom(at)) return;
    Store(at, unscaled);
    EndValue(at);
  }

  void AppendBytes(int column, absl::string_view value) {  // Strings and binary.
    Buffers& at = columns_[static_cast<size_t>(column)];
    const auto size = static_cast<int64_t>(value.size());
    if (!HasRoom(at) || (at.bytes + size > at.byte_capacity && !GrowBytes(at, size))) return;
    if (size != 0) std::memcpy(at.values + at.bytes, value.data(), value.size());
    at.bytes += size;
    at.offsets[at.rows + 1] = static_cast<int32_t>(at.bytes);
    variable_bytes_ += size;
    EndValue(at);
  }

  void EndRow() {
    ++rows_;
    truncated_values_ += std::exchange(truncated_in_row_, 0);
  }

  // Takes back what was appended since the last EndRow(), in whichever columns.
  void DropRow();

  // Takes back what was appended since the last EndRow(), and keeps `row` instead: it goes with the
  // batch, beside its rows.
  void SetAside(BadRow row) {
    DropRow();
    bad_bytes_ += row.size_bytes();
    bad_rows_.push_back(std::move(row));
  }

  int64_t rows() const { return rows_; }
  // Neither rows nor bad ones wait.
  bool empty() const { return rows_ == 0 && bad_rows_.empty(); }
  // Bytes of the values that wait, nearly: what ReadOptions::batch_bytes is compared with.
  int64_t size_bytes() const { return variable_bytes_ + rows_ * fixed_bytes_ + bad_bytes_; }

  // The rows so far as a batch; the builder is empty afterwards. RESOURCE_EXHAUSTED: no memory, or
  // more than 2 GiB of text in one column. INTERNAL: columns of different length, a fault of the
  // caller.
  absl::StatusOr<std::unique_ptr<RowBatch>> Finish();

 private:
  struct Buffers {
    std::shared_ptr<arrow::DataType> type;
    int width = 0;  // Bytes of a fixed value; 0: booleans, in bits, and variable types.
    bool variable = false;
    int64_t rows = 0;
    int64_t capacity = 0;  // In rows.
    int64_t bytes = 0;     // Of a variable type's values.
    int64_t byte_capacity = 0;
    int64_t nulls = 0;
    // What the last batch needed: the next one is likely to need as much.
    int64_t last_rows = 0;
    int64_t last_bytes = 0;
    // Into the buffers below.
    uint8_t* values = nullptr;
    int32_t* offsets = nullptr;   // Variable types only; one more than rows.
    uint8_t* validity = nullptr;  // Null: no NULL so far.
    std::shared_ptr<arrow::ResizableBuffer> value_buffer;
    std::shared_ptr<arrow::ResizableBuffer> offset_buffer;
    std::shared_ptr<arrow::ResizableBuffer> validity_buffer;
  };

  static void SetBit(uint8_t* bits, int64_t at, bool value) {
    const int bit = static_cast<int>(at % 8);
    const unsigned kept = bit == 0 ? 0U : bits[at / 8] & ((1U << bit) - 1);
    bits[at / 8] = static_cast<uint8_t>(kept | (value ? 1U << bit : 0U));
  }

  template <typename T>
  static void Store(Buffers& at, T value) {
    std::memcpy(at.values + at.rows * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
  }

  bool HasRoom(Buffers& at) { return ABSL_PREDICT_TRUE(at.rows < at.capacity) || GrowRows(at); }

  static void EndValue(Buffers& at) {
    if (at.validity != nullptr) SetBit(at.validity, at.rows, true);
    ++at.rows;
  }

  // False, and failed_, without memory.
  bool GrowRows(Buffers& at);
  bool GrowBytes(Buffers& at, int64_t more);
  bool AddValidity(Buffers& at);
  bool Resize(std::shared_ptr<arrow::ResizableBuffer>& buffer, int64_t bytes);
  std::shared_ptr<arrow::Array> FinishColumn(Buffers& at);

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<Buffers> columns_;
  int64_t rows_ = 0;
  int64_t fixed_bytes_ = 0;  // Per row.
  int64_t variable_bytes_ = 0;
  std::vector<BadRow> bad_rows_;
  int64_t bad_bytes_ = 0;
  const bool truncate_fine_time_;
  int64_t truncated_values_ = 0;
  int64_t truncated_in_row_ = 0;  // Since the last EndRow(): may be taken back.
  bool failed_ = false;           // An append ran out of memory; Finish() says so.
};

// Appends `text`, as a server prints it, to `column`. Returns false, and appends nothing, if it is
// not exactly a value of `type`: the caller knows which row to name.
bool AppendText(BatchBuilder& batch, int column, const ColumnType& type, absl::string_view text);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_BATCH_BUILDER_H_
