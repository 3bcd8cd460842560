// Reads an extent of an SQLite file through ODBC. The driver's typed fetches lose values in silence
// ('abc' in an INTEGER column becomes NULL, 1.5 becomes 1, text ends at NUL), and a row of twenty
// columns costs it twenty conversions. So each row is one column, json_array(…), which keeps every
// value's storage class and is three times as fast as columns with typeof() beside them; we parse,
// while a thread of its own fetches what comes next.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_SQLITE_READER_H_
#define HEADWATER_WORKER_SOURCE_ODBC_SQLITE_READER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/source/ahead.h"
#include "worker/source/bad_row_rules.h"
#include "worker/source/batch_builder.h"
#include "worker/source/odbc/json_row.h"
#include "worker/source/odbc/odbc_session.h"
#include "worker/source/range_query.h"
#include "worker/source/selection.h"
#include "worker/source/source_reader.h"

namespace headwater {

class SqliteReader : public SourceReader {
 public:
  // Starts the query. `session` must outlive the reader. `query.expressions` is filled in here.
  static absl::StatusOr<std::unique_ptr<SqliteReader>> Open(OdbcSession& session,
                                                            const DatasetSpec& dataset,
                                                            Selection selection, RangeQuery query,
                                                            int64_t batch_bytes);

  const Schema& schema() const override { return selection_.schema; }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override;
  void Cancel() override { session_.Cancel(); }

 private:
  // One fetched column: the JSON of up to 100 columns, and what the driver said of its length.
  struct Chunk {
    std::vector<char> buffer;
    SQLLEN length = 0;
    std::string whole;  // Of a row that the buffer did not hold.
  };
  // Rows as they were fetched: the chunks of each, one behind the other.
  struct Fetched {
    std::string bytes;
    std::vector<size_t> ends;
  };

  SqliteReader(OdbcSession& session, const DatasetSpec& dataset, Selection selection,
               RangeQuery query, int64_t batch_bytes);
  absl::Status Start();
  // Gives a fetched column a buffer of so many bytes, from the next row on.
  absl::Status Bind(size_t index, size_t bytes);
  // Called by the thread that fetches: the next rows, or null at the end.
  absl::StatusOr<std::unique_ptr<Fetched>> FetchRows();
  absl::Status TakeFetchedRow(Fetched& rows);

  absl::StatusOr<std::unique_ptr<RowBatch>> ReadBatch();
  // Moves to the next fetched row; false at the end.
  absl::StatusOr<bool> NextRow();
  // Reads the row at hand into `values_`, which point into the fetched bytes.
  absl::Status ParseRow();
  absl::Status AppendRow();
  int64_t RowBytes() const;
  // INVALID_ARGUMENT that names the column, the row's key and the value.
  absl::Status BadValue(size_t column) const;
  // Finds the blob that json_array() refused.
  absl::Status ExplainBlob(const absl::Status& refused);

  OdbcSession& session_;
  const DatasetSpec dataset_;
  const Selection selection_;
  RangeQuery query_;
  const int64_t batch_bytes_;
  const BadRowRules rules_;
  int cursor_column_ = -1;  // In the selection; -1: not selected, or not text.
  std::unique_ptr<OdbcStatement> statement_;
  std::vector<Chunk> chunks_;
  std::unique_ptr<Fetched> rows_;  // Those that are parsed, from
  size_t next_end_ = 0;            // this end of theirs on,
  size_t at_ = 0;                  // at this byte.
  JsonRow row_;
  std::vector<JsonValue> values_;
  BatchBuilder batch_;
  bool waiting_ = false;  // The row in `values_` did not fit the last batch.
  bool done_ = false;
  absl::Status failed_;                      // The first error: final.
  std::unique_ptr<Ahead<Fetched>> fetches_;  // Last: it uses the statement.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_SQLITE_READER_H_
