// Rows as a wire brings them, a span of bytes per column, on their way into a batch: what the
// decoders of binary protocols share. Knows no server and no socket.
#ifndef HEADWATER_WORKER_SOURCE_WIRE_ROWS_H_
#define HEADWATER_WORKER_SOURCE_WIRE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/data/schema.h"
#include "worker/source/bad_row_rules.h"
#include "worker/source/batch_builder.h"

namespace headwater {

// What a row may take in a batch beyond its bytes on the wire: a decimal of 2 becomes one of 16.
inline constexpr int64_t kExtraBytesPerColumn = 16;

enum class FieldResult {
  kAppended,
  kMalformed,  // Not the wire shape: DATA_LOSS.
  kUnfit,      // A value that the column cannot hold: NaN, infinity, bytes that are not UTF-8.
};

// Appends a field to `column` of `batch`, which is of `type`, or nothing.
using FieldAppender = FieldResult (*)(BatchBuilder& batch, int column, const ColumnType& type,
                                      absl::string_view field);

// What is needed of a protocol besides its framing. The texts are asked for only in rows that do
// not fit, never for NULL, and may get fields of any length.
struct FieldRules {
  absl::string_view protocol;            // For messages; outlives the rows.
  std::vector<FieldAppender> appenders;  // One per column.
  std::function<std::string(size_t column, absl::string_view field)> value;  // Whole.
  std::function<std::string(size_t column, absl::string_view field)> text;  // For a message: short.
};

// Confined to one thread.
class WireRows {
 public:
  WireRows(Schema schema, FieldRules fields, BadRowRules bad_rows);

  // The row at hand, one field per column; data() is null for NULL. The bytes must last until
  // Append() returns.
  std::vector<absl::string_view>& fields() { return fields_; }

  // Appends the row at hand to the batch, or sets it aside.
  // Errors: DATA_LOSS         a field is not of its wire shape.
  //         INVALID_ARGUMENT  a value does not fit its column, and the rules do not let its row be
  //                           set aside: names column, key and value.
  absl::Status Append();

  // How many rows Append() was called for; the row at hand is the next.
  int64_t rows() const { return rows_; }
  const Schema& schema() const { return schema_; }
  BatchBuilder& batch() { return batch_; }

 private:
  absl::Status SetAside(size_t column);
  absl::Status Unfit(size_t column) const;
  absl::Status Malformed(size_t column) const;

  const Schema schema_;
  const FieldRules rules_;
  const BadRowRules bad_rows_;
  std::vector<absl::string_view> fields_;
  int64_t rows_ = 0;
  BatchBuilder batch_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_WIRE_ROWS_H_
