// Dividing a read of a whole relation among connections: by quantiles of a key, or, on PostgreSQL
// and where there is none, by the pages that rows lie on. Pure: text in, text out.
//
// The conditions of one split select every row exactly once, whatever ascending values divide it:
// old, sampled or uneven ones only divide the work worse. They hold within one snapshot; a key
// that changes between two of them moves its row.
#ifndef HEADWATER_WORKER_SOURCE_KEY_SPLIT_H_
#define HEADWATER_WORKER_SOURCE_KEY_SPLIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/schema.h"
#include "worker/source/dialect.h"

namespace headwater {

// A column that divides rows: an integer, a decimal, a date, a timestamp, or text (a uuid is one).
struct KeyColumn {
  Column column;
  std::string source_type;  // In the source's words.
  // A text that is compared by its bytes in UTF-8, as KeyValue orders it, and not by the column's
  // collation. No index serves that, unless it is one of bytes.
  bool by_bytes = false;
};

// At most so many parts: more connections than that no server grants one reader.
inline constexpr int kMaxParts = 1000;

// What is compared of a key that is not NULL, and a value that it is compared with.
// INVALID_ARGUMENT: a name that cannot be quoted; the key's type does not divide rows; the value is
// not of that type.
absl::StatusOr<std::string> KeySql(const Dialect& dialect, const KeyColumn& key);
absl::StatusOr<std::string> KeyLiteralSql(const Dialect& dialect, const KeyColumn& key,
                                          absl::string_view value);

// Up to `parts` - 1 rows of one column: the values, ascending, that divide the rows into `parts` of
// about equal size. `sample_percent` below 100 looks at so many of the pages only, on PostgreSQL
// and SQL Server, where the relation must then be a table; others always read every key.
// INVALID_ARGUMENT: a name that cannot be quoted, `parts` outside 2 to kMaxParts, `sample_percent`
// not above 0 and at most 100.
absl::StatusOr<std::string> BuildQuantileQuery(const Dialect& dialect, absl::string_view relation,
                                               const KeyColumn& key, int parts,
                                               double sample_percent);

// One condition per part, from what the query above answered, in its order, which is the server's
// own; equal neighbours are one. NULL keys belong to the first part. Without values: one empty
// condition, the whole. INVALID_ARGUMENT: the key's type does not divide rows, or a value is not of
// that type.
absl::StatusOr<std::vector<std::string>> SplitByKey(const Dialect& dialect, const KeyColumn& key,
                                                    const std::vector<std::string>& values);

// How a relation can be divided: one row of whether it can at all, whether by pages (1 or 0 each),
// the most pages of a table below it, the pages of all, and the column by which it is best divided:
// `key` where an index begins with it, else the first of the primary key, else NULL. Empty: the
// dialect has no snapshot that sessions share. INVALID_ARGUMENT: a name that cannot be quoted.
absl::StatusOr<std::string> DivisionSql(const Dialect& dialect, absl::string_view relation,
                                        absl::string_view key);

// One condition per part over `pages` pages; the last one has no end, so rows on newer pages are
// in it. PostgreSQL 14 and later read only the pages asked for.
std::vector<std::string> SplitByPages(int64_t pages, int parts);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_KEY_SPLIT_H_
