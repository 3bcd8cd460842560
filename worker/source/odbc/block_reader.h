// Reads an extent through any ODBC driver whose fetches can be trusted, block by block
// (block_fetcher.h). We make batches of what was fetched, while a thread of its own fetches more.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_BLOCK_READER_H_
#define HEADWATER_WORKER_SOURCE_ODBC_BLOCK_READER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/source/ahead.h"
#include "worker/source/bad_row_rules.h"
#include "worker/source/batch_builder.h"
#include "worker/source/odbc/block_fetcher.h"
#include "worker/source/odbc/odbc_session.h"
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
  BlockReader(OdbcSession& session, const DatasetSpec& dataset, Selection selection,
              std::unique_ptr<BlockFetcher> fetcher, int64_t batch_bytes);
  absl::StatusOr<std::unique_ptr<RowBatch>> ReadBatch();
  // False at the end.
  absl::StatusOr<bool> NextBlock();
  // The first row behind those, from `row_` on, that fit into the batch.
  size_t EndOfFit() const;
  absl::Status AppendRows(size_t end);
  // Appends rows [row_, end) column by column, up to the first that has one that does not fit: that
  // row becomes `end`. The number of columns if there is none.
  size_t AppendColumns(size_t& end);
  absl::Status BadValue(size_t column, size_t row, absl::string_view what) const;

  OdbcSession& session_;
  const DatasetSpec dataset_;
  const Selection selection_;
  const BadRowRules rules_;
  const int64_t batch_bytes_;
  BatchBuilder batch_;
  std::unique_ptr<Block> block_;  // What is appended, from
  size_t row_ = 0;                // this row on.
  bool done_ = false;
  absl::Status failed_;  // The first error: final.
  std::unique_ptr<BlockFetcher> fetcher_;
  std::unique_ptr<Ahead<Block>> ahead_;  // Last: it uses the fetcher. Null: blocks of one row.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_BLOCK_READER_H_
