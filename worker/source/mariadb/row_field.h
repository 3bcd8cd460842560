// Single fields of MariaDB's binary rows, from their bytes. Pure. All integers are little endian. A
// field of the wrong length is malformed, never guessed at.
// https://mariadb.com/kb/en/resultset-row/#binary-resultset-row
//
//   date    = nothing (0000-00-00) | uint16 year, month, day
//   moment  = date [hour, minute, second [uint32 microsecond]]    zeros at the end are left out
#ifndef HEADWATER_WORKER_SOURCE_MARIADB_ROW_FIELD_H_
#define HEADWATER_WORKER_SOURCE_MARIADB_ROW_FIELD_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/data/schema.h"
#include "worker/source/wire_rows.h"

namespace headwater {

enum class RowShape : uint8_t {
  kInt1,
  kUint1,
  kInt2,
  kUint2,
  kInt4,  // Three bytes too, which travel as four.
  kUint4,
  kInt8,
  kUint8,
  kFloat,
  kDouble,
  kDate,    // Behind a byte that tells its length,
  kMoment,  // and so is this one.
  kText,    // Behind a length: decimals, texts, enums, whatever is printed.
  kBytes,   // Behind a length: blobs, geometry, texts that the server takes for bytes.
};

// Bytes of a fixed shape; 0: its length stands before it.
size_t WidthOf(RowShape shape);

// The appender for a column of `type`; null if fields of this shape cannot be of that type.
FieldAppender AppenderOf(RowShape shape, const ColumnType& type);

// The field as text, whole: what the server would print, or nearly. Bytes that are no text, and
// fields of the wrong length, are in hex; a text that is not UTF-8 stays as it is.
std::string RowFieldValue(RowShape shape, absl::string_view field);

// The field for an error message: short, and never an error itself.
std::string RowFieldText(RowShape shape, absl::string_view field);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_MARIADB_ROW_FIELD_H_
