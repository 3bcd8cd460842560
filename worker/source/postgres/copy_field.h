// Single fields of PostgreSQL's binary COPY format, from their bytes. Pure. All integers are big
// endian. A field of the wrong length is malformed, never guessed at.
//
// NUMERIC is a base-10000 number: int16 count of digits, int16 weight (the first digit counts
// 10000^weight), uint16 sign (0x0000 +, 0x4000 -, 0xC000 NaN, 0xD000 infinity, 0xF000 -infinity),
// uint16 display scale, then the digits, each an int16 from 0 to 9999. 12345.678 with scale 3:
//   00 03  00 01  00 00  00 03   00 01  09 29  1a 7c     1 * 10000 + 2345 + 6780 / 10000
#ifndef HEADWATER_WORKER_SOURCE_POSTGRES_COPY_FIELD_H_
#define HEADWATER_WORKER_SOURCE_POSTGRES_COPY_FIELD_H_

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "common/data/schema.h"
#include "worker/source/batch_builder.h"
#include "worker/source/postgres/postgres_type.h"
#include "worker/source/wire_rows.h"

namespace headwater {

// Requires: at least the integer's bytes. Inline: called for each field of a stream.
template <typename T>
T BigEndian(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
}
inline int16_t BigEndian16(const char* bytes) { return BigEndian<int16_t>(bytes); }
inline int32_t BigEndian32(const char* bytes) { return BigEndian<int32_t>(bytes); }
inline int64_t BigEndian64(const char* bytes) { return BigEndian<int64_t>(bytes); }

FieldAppender AppenderOf(WireShape shape);

// The unscaled value of a NUMERIC field at `scale`.
FieldResult NumericFrom(absl::string_view field, int precision, int scale, __int128& unscaled);

// The field as text, whole: what the server would print, or nearly. Bytes that are no text, and
// fields of the wrong length, are in hex; a text that is not UTF-8 stays as it is.
std::string FieldValue(WireShape shape, const ColumnType& type, absl::string_view field);

// The field for an error message: short, and never an error itself.
std::string FieldText(WireShape shape, const ColumnType& type, absl::string_view field);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_POSTGRES_COPY_FIELD_H_
