// What the fuzz targets of row decoders share: a column per shape, and what came out of a decoder.
#ifndef HEADWATER_TESTS_FUZZ_DECODED_ROWS_H_
#define HEADWATER_TESTS_FUZZ_DECODED_ROWS_H_

#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/data/row_hash.h"
#include "common/data/schema.h"
#include "common/data/utf8.h"
#include "worker/source/batch_builder.h"

namespace headwater {

// A column `a`, `b` … of each shape's `type`.
template <typename Shape>
Schema SchemaOf(const std::vector<Shape>& shapes) {
  Schema schema;
  for (const Shape& shape : shapes) {
    schema.columns.push_back(
        {std::string(1, static_cast<char>('a' + schema.columns.size())), shape.type, true});
  }
  return schema;
}

// The rows that are `waiting`, and behind them those that were set aside, which only `set_aside`
// allows.
inline std::vector<Hash128> TakeRows(BatchBuilder& waiting, RowHasher& hasher, bool set_aside) {
  const auto batch = waiting.Finish();
  HW_CHECK(batch.ok());
  std::vector<Hash128> rows;
  HW_CHECK(hasher.Hash(**batch, rows).ok());
  for (const BadRow& bad : (*batch)->bad_rows()) {
    HW_CHECK(set_aside && IsValidUtf8(bad.value) && IsValidUtf8(bad.row));
    const absl::StatusOr<Hash128> hash = hasher.HashText(HashedText(bad));
    HW_CHECK(hash.ok());
    rows.push_back(*hash);
  }
  return rows;
}

}  // namespace headwater

#endif  // HEADWATER_TESTS_FUZZ_DECODED_ROWS_H_
