// A checksum that the source makes of an extent's rows, so that they need not be read to see
// whether they changed. Independent of the rows' order. Pure: text in, text out.
// docs/source-checksum.md says exactly what is summed; common/data/row_checksum.h makes the same of
// rows that were read.
#ifndef HEADWATER_WORKER_SOURCE_CHECKSUM_QUERY_H_
#define HEADWATER_WORKER_SOURCE_CHECKSUM_QUERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/row_checksum.h"
#include "common/data/schema.h"
#include "worker/source/dialect.h"
#include "worker/source/range_query.h"

namespace headwater {

struct ChecksumColumn {
  Column column;            // As the source's rows have it.
  std::string source_type;  // In the source's words.
  bool as_text = false;     // As SourceColumn has it: read as text, whatever it is.
  // In the table to which the rows are given; none: as in the source.
  std::optional<ColumnType> table_type = {};
  // The source has no such column: all rows have NULL there.
  bool absent = false;
};

// The statement, for the rows that `query` selects; its expressions do not count, `columns` do, in
// this order. One row of three texts, for ParseChecksum(). UNIMPLEMENTED: the dialect has no MD5
// (that of an unknown driver). INVALID_ARGUMENT: no columns, and as BuildRangeQuery().
absl::StatusOr<std::string> BuildChecksumQuery(const Dialect& dialect, const RangeQuery& query,
                                               const std::vector<ChecksumColumn>& columns);

// The same of parts of the rows, each summed apart: `part` is an expression over the relation's
// columns that numbers them. Rows of the part and the three texts.
absl::StatusOr<std::string> BuildPartedChecksumQuery(const Dialect& dialect,
                                                     const RangeQuery& query,
                                                     const std::vector<ChecksumColumn>& columns,
                                                     const std::string& part);

// The same by the server's own function: CHECKSUM_AGG(BINARY_CHECKSUM(…)) on SQL Server, of 32
// bits. Columns that are absent do not count. UNIMPLEMENTED: every other dialect.
absl::StatusOr<std::string> BuildFastChecksumQuery(const Dialect& dialect, const RangeQuery& query,
                                                   const std::vector<ChecksumColumn>& columns);

// DATA_LOSS: not what the statement answers, or a row whose text the server could not make
// (MariaDB: longer than max_allowed_packet).
absl::StatusOr<RowChecksum> ParseChecksum(const std::vector<std::optional<std::string>>& answer);

// Those of `columns`, by name, whose text may be another on this dialect's servers than
// RowChecksummer makes of the rows that were read. Conservative: not among them are only columns of
// types of which tests on real servers found every value to give the same text. So on SQL Server
// all are, and on MariaDB floating point is. A row with a value that no column of ours holds (an
// infinite time, NaN among decimals, MariaDB's zero dates) is in the server's sum and in no batch:
// it is a bad row, and then the sums differ whatever the columns.
std::vector<std::string> DifferingColumns(const Dialect& dialect,
                                          const std::vector<ChecksumColumn>& columns);

// True if there are none: then the server's sum is that of the rows, as long as none is bad.
bool ChecksumsAgree(const Dialect& dialect, const std::vector<ChecksumColumn>& columns);

// Whether a source that was asked for checksums answered that it makes none, or cannot make that of
// some row: it is as if nothing had been asked.
bool MakesNoChecksum(const absl::Status& answer);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_CHECKSUM_QUERY_H_
