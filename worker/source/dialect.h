// What differs between SQL dialects, as data and a few pure functions. Nothing here talks to a
// server; range_query.h puts the pieces together.
#ifndef HEADWATER_WORKER_SOURCE_DIALECT_H_
#define HEADWATER_WORKER_SOURCE_DIALECT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/cursor.h"

namespace headwater {

enum class DialectKind { kPostgres, kSqlite, kMariaDb, kSqlServer, kGeneric };

// One dialect. The string fields are SQL without a final semicolon; an empty one means that the
// dialect cannot answer. They all give text, so that every adapter reads them alike.
struct Dialect {
  DialectKind kind = DialectKind::kGeneric;
  absl::string_view name = "";
  char quote_open = '"';
  char quote_close = '"';
  size_t max_identifier_bytes = 128;  // Longer names would be cut by the server without a word.

  // One row, one column: the server's clock as zoneless UTC text.
  absl::string_view clock_sql = "";
  // One row: known (1 or 0), start of the oldest open transaction but ours (NULL: none), replay
  // time of a replica (NULL: a primary). UTC text. Asked before the snapshot is taken: a
  // transaction that ends in between must still be counted as open.
  absl::string_view transactions_sql = "";
  // Set where the server answers `transactions_sql` from a cache: the question then holds `$0`, a
  // number of its own, sees in the answer whether that is older than itself (and says 0), and is
  // asked within a snapshot, again after this statement.
  absl::string_view transactions_wait_sql = "";
  // What to do when the connection lacks the rights for `transactions_sql`: unknown, no error.
  bool transactions_need_rights = false;
  bool transactions_known = false;  // Without a query: SQLite shows committed rows only.
  // Statements around a probe's questions, so that all see one state. Empty: none available.
  absl::string_view begin_snapshot_sql = "";
  absl::string_view end_snapshot_sql = "";
};

// Lives for the whole program.
const Dialect& DialectOf(DialectKind kind);

// `name` quoted for this dialect; quotes inside are doubled. INVALID_ARGUMENT: empty, contains NUL,
// or longer than the dialect keeps.
absl::StatusOr<std::string> QuoteIdentifier(const Dialect& dialect, absl::string_view name);

// `flights` or `public.flights`, each part quoted. INVALID_ARGUMENT as above, and for more than
// three parts.
absl::StatusOr<std::string> QuoteRelation(const Dialect& dialect, absl::string_view relation);

// `text` as a string literal. INVALID_ARGUMENT: contains NUL.
absl::StatusOr<std::string> QuoteText(absl::string_view text);

// The cursor column as a query needs it.
struct CursorColumn {
  std::string name;
  CursorType type = CursorType::kNone;
  // Between date and time where the storage is text (SQLite): ' ' or 'T'.
  char separator = ' ';
};

// A cursor value as a literal of the column's own type, so that an index on the column serves the
// comparison and no value is converted. Timestamps are written as short as they can be (no zeros at
// the end of the fraction): where storage is text this literal is not greater than any other
// spelling of the same instant, which is what half-open bounds need.
// OUT_OF_RANGE: outside years 1 to 9999. INVALID_ARGUMENT: CursorType::kNone, or an instant in a
// dialect whose columns have no zone.
absl::StatusOr<std::string> CursorLiteral(const Dialect& dialect, const CursorColumn& cursor,
                                          int64_t value);

// True if `value` lies beyond (+1) or before (-1) what CursorLiteral can write: such a bound is no
// bound. 0: it can be written.
int BeyondLiterals(CursorType type, int64_t value);

// `expression` converted to text in the form that value_text.h parses.
std::string CursorAsText(const Dialect& dialect, absl::string_view expression);

// SQL for the estimated number of rows of `relation` (one row, one column), or empty.
absl::StatusOr<std::string> EstimateSql(const Dialect& dialect, absl::string_view relation);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_DIALECT_H_
