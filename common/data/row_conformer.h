// Gives rows the columns of a table: those that they lack as NULL, narrower types as wider ones.
#ifndef HEADWATER_COMMON_DATA_ROW_CONFORMER_H_
#define HEADWATER_COMMON_DATA_ROW_CONFORMER_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/data/schema.h"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace headwater {

// Thread-safe.
class RowConformer {
 public:
  // From rows with the columns `from` to rows with `to`, matched by name.
  RowConformer(const Schema& from, const Schema& to);

  // INVALID_ARGUMENT: a value does not fit the other type (names the column).
  absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> Conform(const arrow::RecordBatch& rows) const;

 private:
  Schema to_;
  std::shared_ptr<arrow::Schema> arrow_schema_;
  std::vector<int> from_;  // By column: its index in what is given; -1: that has none.
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_ROW_CONFORMER_H_
