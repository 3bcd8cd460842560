// Reads an extent through any ODBC driver whose fetches can be trusted: block cursors, bound
// column-wise into buffers that every block reuses (column_cells.h).
#ifndef HEADWATER_WORKER_SOURCE_ODBC_BLOCK_READER_H_
#define HEADWATER_WORKER_SOURCE_ODBC_BLOCK_READER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/source/bad_row_rules.h"
#include "worker/source/batch_builder.h"
#include "worker/source/odbc/column_cells.h"
#include "worker/source/odbc/odbc_session.h"
#include "worker/source/odbc/slices.h"
#include "worker/source/prepared_read.h"
#include "worker/source/source_reader.h"

namespace headwater {

class BlockReader : public SourceReader {
 public:
  // Starts the query. `session` must outlive the reader. `columns` are those of `read.selection`,
  // as the driver describes them; `read.query.expressions` is filled in here.
  static absl::StatusOr<std::unique_ptr<BlockReader>> Open(OdbcSession& session,
                                                           const DatasetSpec& dataset,
                                                           PreparedRead read,
                                                           const std::vector<OdbcColumn>& columns,
                                                           int64_t batch_bytes);
  ~BlockReader() override;

  const Schema& schema() const override { return selection_.schema; }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override;
  void Cancel() override { session_.Cancel(); }

 private:
  BlockReader(OdbcSession& session, const DatasetSpec& dataset, PreparedRead read,
              int64_t batch_bytes);
  absl::Status Start(const std::vector<OdbcColumn>& columns);
  absl::Status Bind(const BlockPlan& plan);
  // Executes the whole query, or its next slice.
  absl::Status Execute();
  absl::StatusOr<std::unique_ptr<RowBatch>> ReadBatch();
  // False at the end of the last slice.
  absl::StatusOr<bool> FetchBlock();
  absl::StatusOr<bool> FetchFromSlice();
  // The first row behind those, from `row_` on, that fit into the batch.
  size_t EndOfFit() const;
  absl::Status AppendRows(size_t end);
  // Appends rows [row_, end) column by column, up to the first that has one that does not fit: that
  // row becomes `end`. The number of columns if there is none.
  size_t AppendColumns(size_t& end);
  // Fetches what did not fit into the cells of rows [row_, end).
  absl::Status FetchCut(size_t end);
  absl::Status BadValue(size_t column, size_t row, absl::string_view what) const;

  OdbcSession& session_;
  const DatasetSpec dataset_;
  const Selection selection_;
  RangeQuery query_;
  const BadRowRules rules_;
  const int64_t batch_bytes_;

  SliceOrder order_;  // Without columns: one statement reads all.
  std::vector<std::unique_ptr<ColumnCells>> order_cells_;
  std::vector<std::string> after_;  // Where the last slice ended.
  int64_t slice_limit_ = 0;         // Rows asked for in this slice,
  int64_t slice_rows_ = 0;          // fetched of it,
  int64_t slice_bytes_ = 0;         // and their bytes.
  bool in_snapshot_ = false;

  std::unique_ptr<OdbcStatement> statement_;
  std::vector<std::unique_ptr<ColumnCells>> cells_;  // One per column of the selection.
  std::vector<size_t> unbound_;                      // In the order in which they are selected.
  std::vector<SQLUSMALLINT> row_status_;
  std::vector<int64_t> row_bytes_;  // Of each row of the block in a batch, at most.
  SQLULEN block_rows_ = 0;          // Fetched; the driver writes it.
  size_t row_ = 0;                  // The next one to append.
  BatchBuilder batch_;
  bool done_ = false;
  absl::Status failed_;  // The first error: final.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_BLOCK_READER_H_
