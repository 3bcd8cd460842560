// The columns of a record batch as raw memory, for loops over many rows: row_hash.cc,
// row_checksum.cc.
#ifndef HEADWATER_COMMON_DATA_COLUMN_VIEW_ARROW_H_
#define HEADWATER_COMMON_DATA_COLUMN_VIEW_ARROW_H_

#include <arrow/type_fwd.h>
#include <arrow/util/bit_util.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/data/schema.h"

namespace headwater {

inline constexpr int64_t kDecimalBytes = 16;

// One column of one batch: pointers, already moved to the batch's first row. Good as long as the
// batch.
struct ColumnView {
  ColumnType type;
  const uint8_t* validity = nullptr;  // Null: no row is NULL.
  int64_t bit_offset = 0;             // Of the first row, in `validity` and in boolean values.
  const uint8_t* values = nullptr;
  const int32_t* offsets = nullptr;  // Of strings and binary only.

  bool IsNull(int64_t row) const {
    return validity != nullptr && !arrow::bit_util::GetBit(validity, bit_offset + row);
  }
  bool Bit(int64_t row) const { return arrow::bit_util::GetBit(values, bit_offset + row); }
  // The value of a type as wide as T.
  template <typename T>
  T Load(int64_t row) const {
    T value;
    std::memcpy(&value, values + row * static_cast<int64_t>(sizeof(T)), sizeof(T));
    return value;
  }
  // Of strings and binary.
  int64_t SizeOf(int64_t row) const { return offsets[row + 1] - offsets[row]; }
  const uint8_t* BytesOf(int64_t row) const { return values + offsets[row]; }
};

// The views of one schema's batches. Confined to one thread.
class ColumnViews {
 public:
  explicit ColumnViews(Schema schema);

  // Points at `rows`. INVALID_ARGUMENT: it has other columns than the schema; `doing` begins the
  // message.
  absl::Status Take(const arrow::RecordBatch& rows, absl::string_view doing);

  // By column.
  const std::vector<ColumnView>& all() const { return views_; }

 private:
  const Schema schema_;
  std::vector<std::shared_ptr<arrow::DataType>> types_;
  std::vector<ColumnView> views_;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_COLUMN_VIEW_ARROW_H_
