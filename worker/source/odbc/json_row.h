// One row of SQLite as a JSON array of scalars: the shape in which sqlite_reader.h fetches.
// SQLite's json_array() shows each value's storage class (42, 4.2, "42", null), which no typed
// fetch does.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_JSON_ROW_H_
#define HEADWATER_WORKER_SOURCE_ODBC_JSON_ROW_H_

#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace headwater {

struct JsonValue {
  enum class Kind { kNull, kInteger, kReal, kText };
  Kind kind = Kind::kNull;
  absl::string_view text;  // The number's characters, or the text without quotes and escapes.
};

// Thread-compatible; holds the memory of texts that had escapes.
class JsonRow {
 public:
  // Appends the values of `json`, `[1,"a",null]`, to `values`. They point into `json` and into this
  // object, until Clear(). False: not such an array.
  bool Append(absl::string_view json, std::vector<JsonValue>& values);

  void Clear() { unescaped_.clear(); }

 private:
  std::deque<std::string> unescaped_;  // Whose elements do not move.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_JSON_ROW_H_
