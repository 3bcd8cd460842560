// Rows of MariaDB's binary protocol, from bytes to Arrow columns. Knows no server and no socket.
// https://mariadb.com/kb/en/resultset-row/#binary-resultset-row
//
//   row    = 0x00, bits of NULL: (columns + 9) / 8 bytes, column i at bit i + 2, { field }
//   field  = bytes of a fixed shape, or length and bytes; nothing where the column is NULL
//   length = uint8 up to 0xFA | 0xFC uint16 | 0xFD uint24 | 0xFE uint64    little endian
#ifndef HEADWATER_WORKER_SOURCE_MARIADB_ROW_DECODER_H_
#define HEADWATER_WORKER_SOURCE_MARIADB_ROW_DECODER_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/schema.h"
#include "worker/source/bad_row_rules.h"
#include "worker/source/mariadb/row_field.h"
#include "worker/source/wire_rows.h"

namespace headwater {

// Confined to one thread. The first error is final.
class RowDecoder {
 public:
  // `shapes` has one entry per column of `schema`, for which there is an appender (AppenderOf).
  RowDecoder(const Schema& schema, std::vector<RowShape> shapes, BadRowRules rules);

  // Finds the fields of the row with which `bytes` begin, and returns how many bytes it has. What
  // lies behind it is not looked at: the client library tells where a row begins and where its
  // buffer ends. DATA_LOSS: the bytes are not a row of these columns.
  absl::StatusOr<size_t> Take(absl::string_view bytes);

  // Decodes the row that was taken, whose bytes must still be there. Errors: as of
  // WireRows::Append().
  absl::Status Append() { return rows_.Append(); }

  // The rows appended since the last call of batch().Finish().
  BatchBuilder& batch() { return rows_.batch(); }

 private:
  // Null where `at` has no whole field of column `i` before `end`; else behind it.
  const char* TakeField(size_t i, const char* at, const char* end);

  std::vector<size_t> widths_;  // Of each column's shape.
  WireRows rows_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_MARIADB_ROW_DECODER_H_
