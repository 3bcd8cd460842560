#include "absl/strings/str_cat.h"
#include "worker/source/dialects/dialects.h"

namespace headwater::dialects {
namespace {

constexpr int64_t kMaxCountedRows = 100'000;  // Counted within milliseconds.

// Columns have no types that literals could be of: dates and times are text, so is a bound.
absl::StatusOr<std::string> Literal(const CursorColumn& cursor, int64_t value) {
  switch (cursor.type) {
    case CursorType::kInteger:
      return absl::StrCat(value);
    case CursorType::kDate:
      return absl::StrCat("'", DayText(value), "'");
    case CursorType::kInstant:
      return absl::InvalidArgumentError(
          absl::StrCat("cursor '", cursor.name, "': SQLite has no timestamps with a zone"));
    default:
      return absl::StrCat("'", CivilText(value, cursor.separator), "'");
  }
}

// What SQLite prints of a real has 15 digits: more only where that is not the very number. Integers
// and texts are as they are, and blobs stay blobs, to be refused.
std::string ValueText(const std::string& column, const ColumnType&, absl::string_view) {
  const std::string printed = absl::StrCat("CAST(", column, " AS TEXT)");
  return absl::StrCat("iif(typeof(", column, ")='real',iif(CAST(", printed, " AS REAL)=", column,
                      ",", printed, ",printf('%!.20g',", column, ")),", column, ")");
}

absl::StatusOr<std::string> KeyLiteral(const Column& key, absl::string_view source_type,
                                       absl::string_view text) {
  return CommonKeyLiteral(kSqlite, key, source_type, text);
}

// Counting reads the whole table, the largest rowid one page. NULL, so unknown: empty tables, and
// views without a rowid of their own.
std::string Estimate(const EstimateNames& names) {
  return absl::StrCat("SELECT CASE WHEN newest <= ", kMaxCountedRows,
                      " THEN (SELECT COUNT(*) FROM ", names.relation,
                      ") ELSE newest END FROM (SELECT MAX(rowid) AS newest FROM ", names.relation,
                      ")");
}

std::string Quantiles(const QuantileNames& names) { return TileQuantiles(names, SameText); }

}  // namespace

constinit const Dialect kSqlite = {
    .kind = DialectKind::kSqlite,
    .name = "SQLite",
    .max_name = 1024,  // Our limit; it has none.
    .max_name_parts = 2,
    .session_sql = "PRAGMA query_only = ON",
    .clock_sql = "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
    .transactions_known = true,  // A probe's questions are one statement: one snapshot.
    .text_literal = StandardText,
    .cursor_literal = Literal,
    .cursor_as_text = SameText,
    .key_as_text = SameText,
    .value_as_text = ValueText,
    .key_literal = KeyLiteral,
    .estimate = Estimate,
    .quantiles = Quantiles,
};

}  // namespace headwater::dialects
