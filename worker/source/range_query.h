// SQL for reading one extent of a dataset and for a probe's questions. Pure: text in, text out.
//
// A range query on PostgreSQL, whose extent is a range with the `outside` rows:
//   /* headwater run=r-12 fence=77 dataset=jfk/flights range=[…) */ SELECT "time_hour"
//   FROM "public"."flights" WHERE ("time_hour" >= TIMESTAMP '2013-01-01 05:00:00' AND "time_hour" <
//   TIMESTAMP '…')
//      OR "time_hour" IS NULL OR "time_hour" >= TIMESTAMP '2014-01-01 05:00:00'
#ifndef HEADWATER_WORKER_SOURCE_RANGE_QUERY_H_
#define HEADWATER_WORKER_SOURCE_RANGE_QUERY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/cursor.h"
#include "common/model/extent.h"
#include "worker/source/dialect.h"

namespace headwater {

struct RangeQuery {
  std::string relation;
  // What is selected, in order: quoted columns, or expressions over them. Not empty.
  std::vector<std::string> expressions;
  CursorColumn cursor;  // CursorType::kNone: the whole dataset, no WHERE.
  Extent extent;
  int64_t domain_end = 0;  // Cursors at or beyond it are `outside`.
  // Which rows `outside` is for: those without a cursor, and those at or beyond `domain_end`.
  bool null_rows = true, future_rows = true;
  std::string within = {};  // One more condition (key_split.h); empty: none.
  std::string tag;
};

// The statement, without a final semicolon. INVALID_ARGUMENT: a name that cannot be quoted, an
// extent that covers nothing.
absl::StatusOr<std::string> BuildRangeQuery(const Dialect& dialect, const RangeQuery& query);

// Only the condition (no WHERE), empty if every row is meant. Same errors.
absl::StatusOr<std::string> BuildCondition(const Dialect& dialect, const RangeQuery& query);

// ` WHERE …` with everything that the query asks for, or empty. Same errors.
absl::StatusOr<std::string> WhereSql(const Dialect& dialect, const RangeQuery& query);

// The condition that `expression`, of the cursor's type, is in `range`; IS NOT NULL for a range
// without ends.
absl::StatusOr<std::string> InRangeSql(const Dialect& dialect, const CursorColumn& cursor,
                                       absl::string_view expression, const Range& range);

// `/* headwater <tag> */ `: letters, digits and a few signs of `tag` stay, everything else becomes
// `_`, so that no tag can end the comment.
std::string QueryComment(absl::string_view tag);

// A probe's one row of questions, as text: minimum and maximum below `end` (NULL without
// `extremes`), rows with a NULL cursor, rows at or beyond `end`, then count and maximum of each
// tail range. Each is a scalar subselect of its own, so that an index on the cursor answers minimum
// and maximum without a scan. `end` is the largest int64 if nothing is in the future. `tag` is
// named in the leading comment.
absl::StatusOr<std::string> BuildProbeQuery(const Dialect& dialect, absl::string_view relation,
                                            const CursorColumn& cursor, bool extremes, int64_t end,
                                            const std::vector<Range>& tail, absl::string_view tag);

// One row of two texts: the number of the rows that `query` selects, and the largest cursor in its
// extent's range (NULL without one, and without a cursor). Its expressions do not count. Errors: as
// of BuildRangeQuery().
absl::StatusOr<std::string> BuildCountQuery(const Dialect& dialect, const RangeQuery& query);

// One row: the largest cursor below `range` and the smallest one behind it, as text; NULL for none.
// An index on the cursor answers both without a scan.
absl::StatusOr<std::string> BuildNeighboursQuery(const Dialect& dialect, absl::string_view relation,
                                                 const CursorColumn& cursor, const Range& range,
                                                 absl::string_view tag);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_RANGE_QUERY_H_
