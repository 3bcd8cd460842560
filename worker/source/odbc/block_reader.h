// Reads an extent through any ODBC driver whose fetches can be trusted: block cursors, column-wise
// buffers, values as text that is parsed strictly, so that no driver converts (and rounds) for us.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_BLOCK_READER_H_
#define HEADWATER_WORKER_SOURCE_ODBC_BLOCK_READER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/source/batch_builder.h"
#include "worker/source/odbc/odbc_session.h"
#include "worker/source/range_query.h"
#include "worker/source/selection.h"
#include "worker/source/source_reader.h"

namespace headwater {

class BlockReader : public SourceReader {
 public:
  // Starts the query. `session` must outlive the reader. `query.expressions` is filled in here.
  static absl::StatusOr<std::unique_ptr<BlockReader>> Open(OdbcSession& session,
                                                           const DatasetSpec& dataset,
                                                           Selection selection, RangeQuery query,
                                                           int64_t batch_bytes);
  ~BlockReader() override;

  const Schema& schema() const override { return selection_.schema; }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override;
  void Cancel() override { session_.Cancel(); }

 private:
  // The buffers of one column for a whole block. A value longer than its cell is fetched again.
  struct Cells {
    SQLSMALLINT c_type = SQL_C_CHAR;
    size_t width_bytes = 0;  // Of one cell, with the terminator of text.
    std::vector<char> bytes;
    std::vector<SQLLEN> lengths;
  };

  BlockReader(OdbcSession& session, const DatasetSpec& dataset, Selection selection,
              int64_t batch_bytes);
  absl::Status Start(RangeQuery query);
  absl::Status Bind();
  absl::StatusOr<std::unique_ptr<RowBatch>> ReadBatch();
  absl::StatusOr<bool> FetchBlock();
  // Reads row `row_` of the block into `values_`.
  absl::Status TakeRow();
  absl::Status AppendRow();
  // The whole value of a cell that was too small for it, as UTF-8 or bytes.
  absl::StatusOr<std::string> Refetch(size_t column);
  absl::Status Decode(size_t column, absl::string_view raw, std::string& text) const;
  absl::Status BadValue(size_t column, absl::string_view what) const;

  OdbcSession& session_;
  const DatasetSpec dataset_;
  const Selection selection_;
  const int64_t batch_bytes_;
  std::unique_ptr<OdbcStatement> statement_;
  std::vector<Cells> cells_;
  std::vector<SQLUSMALLINT> row_status_;
  SQLULEN block_rows_ = 0;  // Fetched; the driver writes it.
  SQLULEN row_ = 0;         // The next one to take.
  std::vector<std::string> values_;
  std::vector<bool> is_null_;
  BatchBuilder batch_;
  bool waiting_ = false;  // The row in `values_` did not fit the last batch.
  bool done_ = false;
  absl::Status failed_;  // The first error: final.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_BLOCK_READER_H_
