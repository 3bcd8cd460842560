// Fields of binary protocols as literal bytes, for tests of the decoders.
#ifndef HEADWATER_TESTS_UNIT_WORKER_SOURCE_DECODED_FIELD_H_
#define HEADWATER_TESTS_UNIT_WORKER_SOURCE_DECODED_FIELD_H_

#include <arrow/api.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "worker/source/wire_rows.h"

namespace headwater {

// Of digits in hex, with blanks between them.
inline std::string Bytes(absl::string_view hex) {
  return absl::HexStringToBytes(absl::StrReplaceAll(hex, {{" ", ""}}));
}

// The field in a column of `type`, as Arrow prints the value; else "malformed" or "unfit", or "no
// appender" for a null one.
inline std::string Decoded(FieldAppender append, const ColumnType& type, absl::string_view hex) {
  if (append == nullptr) return "no appender";
  BatchBuilder batch(Schema{{{"v", type, true}}});
  switch (append(batch, 0, type, Bytes(hex))) {
    case FieldResult::kMalformed:
      return "malformed";
    case FieldResult::kUnfit:
      return "unfit";
    case FieldResult::kAppended:
      break;
  }
  batch.EndRow();
  const auto rows = batch.Finish();
  EXPECT_TRUE(rows.ok()) << rows.status();
  const auto value = (*rows)->arrow()->column(0)->GetScalar(0);
  return value.ok() ? (*value)->ToString() : value.status().ToString();
}

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_WORKER_SOURCE_DECODED_FIELD_H_
