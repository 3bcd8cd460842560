// Fetches the rows of a query in blocks: block cursors, bound column-wise into buffers that later
// blocks use again (column_cells.h). It knows what drivers ask for: slices (slices.h), values that
// are fetched again because their cells cut them. What the values mean is BlockReader's concern.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_BLOCK_FETCHER_H_
#define HEADWATER_WORKER_SOURCE_ODBC_BLOCK_FETCHER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "worker/source/odbc/column_cells.h"
#include "worker/source/odbc/odbc_session.h"
#include "worker/source/odbc/slices.h"
#include "worker/source/selection.h"

namespace headwater {

// A value that the driver cut and then did not give whole.
struct LostValue {
  size_t row = 0;  // Within the block.
  size_t column = 0;
  absl::Status why;
};

// Rows as the driver fetched them.
struct Block {
  std::vector<std::unique_ptr<ColumnCells>> cells;  // One per column of the selection.
  size_t rows = 0;
  std::vector<int64_t> row_bytes;  // Of each row in a batch, at most.
  std::optional<LostValue> lost;   // The first. Values of later rows may be missing too.
};

class BlockFetcher {
 public:
  // Starts the query. `session` must outlive the fetcher. `columns` are those of `selection`, as
  // the driver describes them; `query.expressions` is filled in here. Blocks take at most a quarter
  // of `batch_bytes`, beside values longer than their cells, of which they hold `batch_bytes`, or
  // one row's.
  static absl::StatusOr<std::unique_ptr<BlockFetcher>> Open(OdbcSession& session,
                                                            const Selection& selection,
                                                            RangeQuery query,
                                                            const std::vector<OdbcColumn>& columns,
                                                            int64_t batch_bytes);
  // Ends the snapshot of a sliced read.
  ~BlockFetcher();

  // Whether each block is one row, as some drivers want it for long values.
  bool one_by_one() const { return plan_.rows == 1; }

  // The next rows, or null at the end. Confined to one thread at a time, as the session is.
  absl::StatusOr<std::unique_ptr<Block>> Next();

  // Takes a block back whose rows have been used. Thread-safe.
  void Reuse(std::unique_ptr<Block> block) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  BlockFetcher(OdbcSession& session, const Selection& selection, RangeQuery query,
               int64_t batch_bytes);
  absl::Status Start(const std::vector<OdbcColumn>& columns);
  // Has order columns that are selected anyway read from there, and binds the others.
  absl::Status BindOrder();
  absl::Status SetBlockSize();
  // Executes the whole query, or its next slice.
  absl::Status Execute();
  absl::StatusOr<bool> FetchFromSlice();
  // Fetches the driver's next rows into `block`. False at the end of the last slice.
  absl::StatusOr<bool> Fetch(Block& block);
  absl::Status NoteSlice(const Block& block);
  std::unique_ptr<Block> FreeBlock() ABSL_LOCKS_EXCLUDED(mutex_);
  void Measure(Block& block) const;
  static bool HasCut(const Block& block);
  // Rows of `cut_` from `cut_row_` on, as many as a block may hold with their values whole.
  absl::StatusOr<std::unique_ptr<Block>> FetchCut();
  // Fetches the values again that their cells cut; `block` begins with row `first` of the cursor's.
  absl::Status Complete(Block& block, size_t first);

  OdbcSession& session_;
  const Selection selection_;
  RangeQuery query_;
  const int64_t batch_bytes_;
  BlockPlan plan_;

  SliceOrder order_;  // Without columns: one statement reads all.
  // Per order column: where its value is among the selection's, or cells of its own.
  std::vector<size_t> order_selected_;
  std::vector<std::unique_ptr<ColumnCells>> order_cells_;
  std::vector<std::string> after_;  // Where the last slice ended.
  int64_t slice_limit_ = 0;         // Rows asked for in this slice,
  int64_t slice_rows_ = 0;          // fetched of it,
  int64_t slice_bytes_ = 0;         // and their bytes.
  bool in_snapshot_ = false;

  std::vector<size_t> unbound_;  // Columns, in the order in which they are selected.
  std::vector<SQLUSMALLINT> row_status_;
  SQLULEN fetched_rows_ = 0;    // The driver writes it.
  std::unique_ptr<Block> cut_;  // What the driver's cursor is on, if some of its values are cut.
  size_t cut_row_ = 0;          // Its first row that has not been handed on.
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Block>> free_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<OdbcStatement> statement_;  // It points into blocks, and goes before them.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_BLOCK_FETCHER_H_
