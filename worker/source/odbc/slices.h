// A large read in slices, for drivers that hold whole results in memory: each slice is a statement
// of its own that goes on behind the key at which the last one ended, all in one snapshot.
//
//   SELECT `id`, `name`, CAST(`id` AS CHAR) FROM `t` FORCE INDEX (`PRIMARY`)
//   WHERE (`at` >= TIMESTAMP '…') AND `id` >= 4711 AND (`id` > 4711) ORDER BY `id` LIMIT 20000
#ifndef HEADWATER_WORKER_SOURCE_ODBC_SLICES_H_
#define HEADWATER_WORKER_SOURCE_ODBC_SLICES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/source/range_query.h"
#include "worker/source/source_session.h"

namespace headwater {

// A column that orders slices.
struct SliceColumn {
  std::string quoted = {};
  std::string charset = {};    // Of a text; else empty.
  std::string collation = {};  // Likewise.
  bool is_number = false;
  bool is_binary = false;
  bool selected = false;  // Its text is known from the query's own columns.

  // Gives the value as text, from which Literal() makes the value again, exactly.
  std::string Expression() const;
  std::string Literal(absl::string_view text) const;
};

// How one relation is sliced. No columns: it has no key that would do, and is read whole.
struct SliceOrder {
  std::vector<SliceColumn> columns = {};
  std::string index = {};  // Which serves this order; its bare name.
  int64_t row_bytes = 0;   // On average, in the server's opinion; 0: unknown.
};

// Looks for a key of `query.relation`: the primary key, behind the cursor where an index of that
// alone serves a range. Keys with floats, enums or parts of texts do not order rows as we compare
// them, and are left out. `session` must be of MariaDB.
absl::StatusOr<SliceOrder> FindSliceOrder(SourceSession& session, const RangeQuery& query);

// The statement for the next `rows` rows behind `after`, the values of the order's columns in the
// last row as their expressions gave them (empty: from the start). The expressions of columns that
// are not selected follow those of `query`. INVALID_ARGUMENT: see BuildRangeQuery().
absl::StatusOr<std::string> SliceSql(const Dialect& dialect, const RangeQuery& query,
                                     const SliceOrder& order, const std::vector<std::string>& after,
                                     int64_t rows);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_SLICES_H_
