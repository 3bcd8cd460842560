// Builds the Arrow batches of a reader, column by column. Shared by all adapters.
#ifndef HEADWATER_WORKER_SOURCE_BATCH_BUILDER_H_
#define HEADWATER_WORKER_SOURCE_BATCH_BUILDER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/row_batch.h"
#include "common/data/schema.h"

namespace arrow {
class ArrayBuilder;
class Schema;
}  // namespace arrow

namespace headwater {

// Rows that wait to become a batch. The caller appends one value to every column, then calls
// EndRow(). Values are in the column's storage form: integers widened to int64 (dates in days,
// timestamps in microseconds), decimals unscaled. Requires, for each append: the column has that
// kind, and an integer fits its width. Confined to one thread.
class BatchBuilder {
 public:
  explicit BatchBuilder(const Schema& schema);
  ~BatchBuilder();

  void AppendNull(int column);
  void AppendBool(int column, bool value);
  void AppendInteger(int column, int64_t value);  // Integers, dates and timestamps.
  void AppendDouble(int column, double value);    // Floats too.
  void AppendDecimal(int column, __int128 unscaled);
  void AppendBytes(int column, absl::string_view value);  // Strings and binary.

  void EndRow() { ++rows_; }
  int64_t rows() const { return rows_; }
  // Bytes of the values that wait, nearly: what ReadOptions::batch_bytes is compared with.
  int64_t size_bytes() const { return variable_bytes_ + rows_ * fixed_bytes_; }

  // The rows so far as a batch; the builder is empty afterwards. RESOURCE_EXHAUSTED: no memory.
  // INTERNAL: columns of different length, a fault of the caller.
  absl::StatusOr<std::unique_ptr<RowBatch>> Finish();

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<TypeKind> kinds_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  int64_t rows_ = 0;
  int64_t fixed_bytes_ = 0;  // Per row.
  int64_t variable_bytes_ = 0;
  bool failed_ = false;  // An append ran out of memory; Finish() says so.
};

// Appends `text`, as a server prints it, to `column`. Returns false, and appends nothing, if it is
// not exactly a value of `type`: the caller knows which row to name.
bool AppendText(BatchBuilder& batch, int column, const ColumnType& type, absl::string_view text);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_BATCH_BUILDER_H_
