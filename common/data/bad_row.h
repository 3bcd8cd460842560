// A row with a value that its column cannot hold, on its way to the table <table>__quarantine. It
// is never loaded in part, with a rounded value, or with NULL in the value's place.
#ifndef HEADWATER_COMMON_DATA_BAD_ROW_H_
#define HEADWATER_COMMON_DATA_BAD_ROW_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/data/schema.h"

namespace headwater {

struct BadRow {
  std::string column;             // The first that does not fit.
  std::string key;                // JSON object of what names the row, as RowJson makes it.
  std::string value;              // As the source shows it; UTF-8.
  std::string reason;             // "expected a decimal(10,2)"
  std::string row;                // JSON object of all its columns.
  std::optional<int64_t> cursor;  // In storage form; none: NULL, or the dataset has no cursor.

  int64_t size_bytes() const {
    return static_cast<int64_t>(column.size() + key.size() + value.size() + reason.size() +
                                row.size());
  }
};

// "column 'price' holds 'NaN' in the row {"id":"5"}: expected a decimal(10,2)"
std::string Describe(const BadRow& row);

// The bytes whose hash the row counts as in a piece's fingerprint. They cover all of its columns: a
// row that changes is read again, also in a column that fits.
std::string HashedText(const BadRow& row);

// A JSON object of column names and values as text:
//   {"id":"5","name":null,"blob":{"hex":"00ff"}}
// Bytes that are not UTF-8 are in hex, so that different values have different texts.
class RowJson {
 public:
  void Add(absl::string_view name, const std::optional<absl::string_view>& value);
  std::string Text() const { return "{" + fields_ + "}"; }

 private:
  std::string fields_;
};

// `text` if it is UTF-8, else its bytes in hex: `x'00ff'`.
std::string ShownText(absl::string_view text);

// Name of the table that takes the bad rows of `table`; its folder is named alike.
std::string QuarantineName(absl::string_view table);
inline constexpr absl::string_view kQuarantineSuffix = "__quarantine";

// The columns of its files, all of text but _hw_loaded_at:
//   column_name, row_key, value, reason, row, _hw_loaded_at, _hw_microbatch
// It is partitioned by server_source.
Schema QuarantineSchema();

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_BAD_ROW_H_
