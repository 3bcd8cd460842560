// What differs between SQL dialects, as data and a few pure functions. Nothing here talks to a
// server; range_query.h, key_split.h, key_ranges.h, estimate_query.h and checksum_query.h put the
// pieces together. Each dialect is one file of worker/source/dialects.
#ifndef HEADWATER_WORKER_SOURCE_DIALECT_H_
#define HEADWATER_WORKER_SOURCE_DIALECT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/data/cursor.h"
#include "common/data/schema.h"

namespace headwater {

enum class DialectKind { kPostgres, kSqlite, kMariaDb, kSqlServer, kGeneric };

// The cursor column as a query needs it.
struct CursorColumn {
  std::string name;
  CursorType type = CursorType::kNone;
  // Between date and time where the storage is text (SQLite): ' ' or 'T'.
  char separator = ' ';
  // In the source's words (`datetime`, `timestamptz`), where they are known: a dialect with several
  // types for one of ours writes bounds in the column's own.
  std::string source_type = {};
};

// What the parts of a dialect's queries are asked with. All texts are SQL already: `relation` and
// `column` are quoted, `..._literal` are string literals.
struct EstimateNames {
  std::string relation;
  std::string relation_literal;  // The quoted relation as a text.
  std::string schema_literal;    // Empty: none was given.
  std::string table_literal;     // Its last part, without quotes of its own.
};
struct SpreadNames {
  EstimateNames names;
  std::string column_literal;
  std::string type;             // Of the values, in the dialect's words.
  std::string value_as_text;    // Of a column `value`,
  std::string largest_as_text;  // and of its maximum.
};
struct QuantileNames {
  std::string relation;
  std::string column;
  int parts = 2;
  double sample_percent = 100;
};
struct DivisionNames {
  std::string relation;
  std::string relation_literal;  // The quoted relation as a text.
  std::string key_literal;       // A column's name, without quotes of its own; may be empty.
};
struct ChecksumNames {
  std::string relation;
  std::vector<std::string> fields;  // Text or NULL, see docs/source-checksum.md; or the columns.
  std::string where;                // " WHERE …", or empty.
  // A number from 0 by which rows are summed apart, the answer's first column; empty: together.
  std::string part = {};
};

// How the length of a name is limited.
enum class NameUnit { kBytes, kCharacters, kUtf16Units };

// One dialect. The string fields are SQL without a final semicolon; an empty one, or a null
// function, means that the dialect cannot answer. They all give text, so that every adapter reads
// them alike.
struct Dialect {
  DialectKind kind = DialectKind::kGeneric;
  absl::string_view name = "";
  char quote_open = '"';
  char quote_close = '"';
  NameUnit name_unit = NameUnit::kBytes;
  size_t max_name = 128;      // Longer names would be cut by the server without a word.
  size_t max_name_parts = 3;  // Of a relation.
  bool basic_plane = false;   // Names hold no characters beyond U+FFFF.

  // Counts rows beyond 32 bits, too.
  absl::string_view count = "COUNT(*)";

  // Statements for a new session, one a line: zone, forms of text, read-only, isolation.
  absl::string_view session_sql = "";
  // One row, one column: the server's clock as zoneless UTC text.
  absl::string_view clock_sql = "";
  // One row: known (1; 0: not, and asking again does not help), start of the oldest open
  // transaction but ours (NULL: none), replay time of a replica (NULL: a primary). UTC text. Asked
  // before the snapshot is taken: a transaction that ends in between must still be counted as open.
  absl::string_view transactions_sql = "";
  // Set where the server answers `transactions_sql` from a cache: the question then holds `$0`, a
  // number of its own, sees in the answer whether that is older than itself (and says NULL), and is
  // asked within a snapshot, again after this statement.
  absl::string_view transactions_wait_sql = "";
  // What to do when the connection lacks the rights for `transactions_sql`: unknown, no error.
  bool transactions_need_rights = false;
  bool transactions_known = false;  // Without a query: SQLite shows committed rows only.
  // For replicas and their primary. On the primary, one row: its lineage (NULL: nothing tells), and
  // where its log ends. On a replica, one row: its lineage, and 1 if it shows what was committed up
  // to the position `$0`; else after 50 ms or more. Empty: the dialect cannot tell.
  absl::string_view position_sql = "";
  absl::string_view reached_sql = "";
  // Statements around a probe's questions, so that all see one state. Empty: none available.
  absl::string_view begin_snapshot_sql = "";
  absl::string_view end_snapshot_sql = "";
  // One row, one column: the number of the session, by which `stop_query` knows it.
  absl::string_view session_number_sql = "";
  // One row, one column: a name for the snapshot of the transaction, by which other sessions share
  // it. Empty: the dialect has none; then a relation is read over one connection.
  absl::string_view export_snapshot_sql = "";

  // The parts that are functions; each is reached by a function below, which checks its input.
  std::string (*text_literal)(absl::string_view text) = nullptr;
  absl::StatusOr<std::string> (*cursor_literal)(const CursorColumn& cursor,
                                                int64_t value) = nullptr;
  std::string (*cursor_as_text)(absl::string_view expression) = nullptr;
  std::string (*key_as_text)(absl::string_view expression) = nullptr;
  std::string (*value_as_text)(const std::string& column, const ColumnType& type,
                               absl::string_view source_type) = nullptr;
  absl::StatusOr<std::string> (*key_literal)(const Column& key, absl::string_view source_type,
                                             absl::string_view text) = nullptr;
  // A column of texts, and a text, such that comparing them compares their bytes in UTF-8 and not
  // by the column's collation; no bytes of a text can end its literal.
  std::string (*text_bytes)(const std::string& column, absl::string_view source_type) = nullptr;
  std::string (*text_bytes_literal)(absl::string_view text) = nullptr;
  std::string (*statement_timeout)(int64_t milliseconds) = nullptr;
  std::string (*name_session)(absl::string_view name) = nullptr;
  // Ends what another session of the same user runs, and leaves that session open.
  std::string (*stop_query)(int64_t session_number) = nullptr;
  std::string (*estimate)(const EstimateNames& names) = nullptr;
  std::string (*spread)(const SpreadNames& names) = nullptr;
  std::string (*quantiles)(const QuantileNames& names) = nullptr;
  // Rows of an index's name and one of its columns, in the index's order: unique keys without
  // NULLs, the best first.
  std::string (*unique_keys)(const EstimateNames& names) = nullptr;
  // With export_snapshot_sql: the first statement of a transaction that shares a snapshot; the one
  // that keeps a relation's rows where they are, without waiting for it unless `wait`; and the
  // question of DivisionSql().
  std::string (*import_snapshot)(absl::string_view name) = nullptr;
  std::string (*hold_relation)(absl::string_view relation, bool wait) = nullptr;
  std::string (*division)(const DivisionNames& names) = nullptr;
  std::string (*checksum_field)(const std::string& column, const ColumnType& type,
                                absl::string_view source_type) = nullptr;
  std::string (*checksum)(const ChecksumNames& names) = nullptr;
  // The same of `columns`, by a function of the server's own that is weaker and faster.
  std::string (*fast_checksum)(const ChecksumNames& names) = nullptr;
};

// Lives for the whole program.
const Dialect& DialectOf(DialectKind kind);

// `name` quoted for this dialect; quotes inside are doubled. INVALID_ARGUMENT: empty, not UTF-8,
// contains NUL, or is longer than the dialect keeps, or not a name for another reason.
absl::StatusOr<std::string> QuoteIdentifier(const Dialect& dialect, absl::string_view name);

// `flights` or `public.flights`, each part quoted. INVALID_ARGUMENT as above, and for more parts
// than the dialect's relations have.
absl::StatusOr<std::string> QuoteRelation(const Dialect& dialect, absl::string_view relation);

// `text` as a string literal that every session of ours reads alike. INVALID_ARGUMENT: contains
// NUL.
absl::StatusOr<std::string> QuoteText(absl::string_view text);
// The same in the dialect's own way: T-SQL marks text beyond the code page, MariaDB's backslashes
// are safe whatever the session's mode.
absl::StatusOr<std::string> QuoteText(const Dialect& dialect, absl::string_view text);

// A cursor value as a literal of the column's own type, so that an index on the column serves the
// comparison and no value is converted. Timestamps are written as short as they can be (no zeros at
// the end of the fraction): where storage is text this literal is not greater than any other
// spelling of the same instant, which is what half-open bounds need. Where the column's type is
// coarser than a microsecond the literal is the first of its values that is not before `value`,
// which divides the column's values alike.
// OUT_OF_RANGE: outside years 1 to 9999. INVALID_ARGUMENT: CursorType::kNone, or an instant in a
// dialect whose columns have no zone.
absl::StatusOr<std::string> CursorLiteral(const Dialect& dialect, const CursorColumn& cursor,
                                          int64_t value);

// True if `value` lies beyond (+1) or before (-1) what CursorLiteral can write: such a bound is no
// bound. 0: it can be written.
int BeyondLiterals(CursorType type, int64_t value);

// `expression` converted to text in the form that value_text.h parses.
std::string CursorAsText(const Dialect& dialect, absl::string_view expression);

// A column of this type as text, as the server prints it, with every digit: for columns that are
// read as text whatever they are. Not for bytes; `source_type` as in CursorColumn.
std::string ValueAsText(const Dialect& dialect, const std::string& quoted_column,
                        const ColumnType& type, absl::string_view source_type);

// The session's statements, in order, one by one.
std::vector<std::string> SessionSql(const Dialect& dialect);

// The statement that ends statements after `timeout` (rounded up to milliseconds), or empty: none
// is wanted, or the dialect has none. SQL Server's ends waits for locks only.
std::string StatementTimeoutSql(const Dialect& dialect, absl::Duration timeout);

// The statement that names the session for the server's administrators after a
// ReadOptions::query_tag, cut to what the server keeps, or empty.
std::string NameSessionSql(const Dialect& dialect, absl::string_view tag);

// `tag` without anything that could end a comment or a literal: letters, digits and a few signs
// stay, everything else becomes `_`. At most `most` bytes.
std::string CleanTag(absl::string_view tag, size_t most);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_DIALECT_H_
