// How many rows a relation has about, and how they are spread over its cursor: from the server's
// statistics, without reading the rows. Pure: text in, text out. For plans and for progress, never
// for a decision that has to be right.
#ifndef HEADWATER_WORKER_SOURCE_ESTIMATE_QUERY_H_
#define HEADWATER_WORKER_SOURCE_ESTIMATE_QUERY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/source/dialect.h"

namespace headwater {

// `relation` as questions about it need it. INVALID_ARGUMENT: a name that cannot be quoted.
absl::StatusOr<EstimateNames> EstimateNamesOf(const Dialect& dialect, absl::string_view relation);

// One row, one column: the estimated number of rows of `relation`, NULL or -1 if unknown. Empty:
// the dialect has no statistics. INVALID_ARGUMENT: a name that cannot be quoted.
absl::StatusOr<std::string> EstimateSql(const Dialect& dialect, absl::string_view relation);

// Rows of three columns, ascending: a value of the cursor as text, about how many rows lie between
// the one before and it, and how many have it. At most 1,000. PostgreSQL (pg_stats) and SQL Server
// (dm_db_stats_histogram) know; others give the empty text.
absl::StatusOr<std::string> SpreadSql(const Dialect& dialect, absl::string_view relation,
                                      const CursorColumn& cursor);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ESTIMATE_QUERY_H_
