// Rows that were read and are wanted again, once it is known what becomes of each: in memory up to
// a budget, then on disk.
#ifndef HEADWATER_WORKER_CHANGE_ROW_STORE_H_
#define HEADWATER_WORKER_CHANGE_ROW_STORE_H_

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace headwater {

// Confined to one thread.
class RowStore {
 public:
  // What goes to disk is a file in `folder` (made when first needed) without a name, so that
  // nothing of it is left, whatever happens.
  RowStore(std::string folder, std::shared_ptr<arrow::Schema> schema, int64_t memory_bytes);
  ~RowStore();
  RowStore(const RowStore&) = delete;
  RowStore& operator=(const RowStore&) = delete;

  // Requires: columns of the schema, and ForEach() was not called. RESOURCE_EXHAUSTED: the disk is
  // full.
  absl::Status Add(const std::shared_ptr<arrow::RecordBatch>& batch);

  // Gives all rows once more, in the order of Add(): batches with the number of their first row. At
  // most once. The first error of `take` ends it.
  using Take = absl::FunctionRef<absl::Status(int64_t first_row, const arrow::RecordBatch& batch)>;
  absl::Status ForEach(Take take);

  int64_t rows() const { return rows_; }

 private:
  class Spill;

  const std::string folder_;
  const std::shared_ptr<arrow::Schema> schema_;
  const int64_t memory_bytes_;
  arrow::RecordBatchVector kept_;  // Those that came first; the rest is in `spill_`.
  int64_t kept_bytes_ = 0;
  int64_t rows_ = 0;
  std::unique_ptr<Spill> spill_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_ROW_STORE_H_
