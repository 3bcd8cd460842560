// The text of single values, as docs/source-checksum.md has it, written into memory that is large
// enough. Pure; no locale, no allocation.
#ifndef HEADWATER_COMMON_DATA_FIELD_TEXT_ARROW_H_
#define HEADWATER_COMMON_DATA_FIELD_TEXT_ARROW_H_

#include <cstdint>

#include "common/data/column_view_arrow.h"

namespace headwater {

// Every value but a string's or binary's is shorter: a timestamp before year 1 is the longest.
inline constexpr int64_t kMaxFixedText = 48;

// Bytes that the value at `row` may take.
inline int64_t MaxTextOf(const ColumnView& column, int64_t row) {
  return column.offsets == nullptr ? kMaxFixedText : kMaxFixedText + 2 * column.SizeOf(row);
}

// Writes the value at `row`, which is not NULL, to `out`; returns the end.
char* PutField(const ColumnView& column, int64_t row, char* out);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_FIELD_TEXT_ARROW_H_
