#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "worker/source/dialects/dialects.h"

namespace headwater::dialects {
namespace {

constexpr int64_t kMaxCountedRows = 100'000;  // Counted within milliseconds.
constexpr size_t kMaxFields = 60;             // A function of SQLite takes 127 arguments at most.

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

// Where SQLite makes texts of all numbers that are put there.
bool KeepsTextsOnly(absl::string_view source_type) {
  const std::string upper = absl::AsciiStrToUpper(source_type);
  return !absl::StrContains(upper, "INT") &&
         (absl::StrContains(upper, "CHAR") || absl::StrContains(upper, "CLOB") ||
          absl::StrContains(upper, "TEXT"));
}

std::string TextBytes(const std::string& column, absl::string_view source_type) {
  return absl::StrCat(
      KeepsTextsOnly(source_type) ? column : absl::StrCat("CAST(", column, " AS TEXT)"),
      " COLLATE BINARY");
}

// Primary keys may have NULLs here, unless they are the rowid.
std::string UniqueKeys(const EstimateNames& names) {
  const std::string of =
      names.schema_literal.empty() ? "" : absl::StrCat(", ", names.schema_literal);
  const std::string columns = absl::StrCat("pragma_table_info(", names.table_literal, of, ")");
  const std::string parts = absl::StrCat("pragma_index_info(i.name", of, ")");
  return absl::StrCat(
      "SELECT k.key, k.name FROM (SELECT 0 AS place, 0 AS width, '' AS key, c.pk AS seq, c.name AS "
      "name FROM ",
      columns, " AS c WHERE c.pk > 0 AND NOT EXISTS (SELECT 1 FROM ", columns,
      " AS n WHERE n.pk > 0 AND n.\"notnull\" = 0 AND (UPPER(n.type) <> 'INTEGER' OR (SELECT "
      "MAX(m.pk) "
      "FROM ",
      columns, " AS m) > 1)) UNION ALL SELECT 1, (SELECT COUNT(*) FROM ", parts,
      "), i.name, p.seqno, p.name FROM pragma_index_list(", names.table_literal, of, ") AS i JOIN ",
      parts,
      " AS p WHERE i.\"unique\" = 1 AND i.partial = 0 AND i.origin <> 'pk' AND NOT EXISTS "
      "(SELECT 1 FROM ",
      parts, " AS q LEFT JOIN ", columns,
      " AS c ON c.name = q.name WHERE c.\"notnull\" IS NOT 1)) AS k ORDER BY k.place, k.width, "
      "k.key, "
      "k.seq");
}

// A field as sqlite_functions.h has it.
std::string ChecksumField(const std::string& column, const ColumnType& type,
                          absl::string_view source_type) {
  const auto field = [&](absl::string_view code) { return absl::StrCat("'", code, "', ", column); };
  switch (type.kind) {
    case TypeKind::kBoolean:
      return field("b");
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return field("d");
    case TypeKind::kDecimal:
      return field(absl::StrCat("m", type.precision, ",", type.scale));
    case TypeKind::kString:  // Which may be any column that is read as text.
      return KeepsTextsOnly(source_type)
                 ? field("s")
                 : absl::StrCat("'s', ", ValueText(column, type, source_type));
    case TypeKind::kBinary:
      return field("x");
    case TypeKind::kDate:
      return field("D");
    case TypeKind::kTimestampNtz:
    case TypeKind::kTimestamp:
      return field("T");
    default:
      return field("l");
  }
}

std::string RowHash(const std::vector<std::string>& fields) {
  if (fields.size() <= kMaxFields)
    return absl::StrCat("headwater_hash(", absl::StrJoin(fields, ", "), ")");
  std::vector<std::string> texts;
  for (size_t begin = 0; begin < fields.size(); begin += kMaxFields) {
    const auto from = fields.begin() + static_cast<ptrdiff_t>(begin);
    const auto to =
        fields.begin() + static_cast<ptrdiff_t>(std::min(begin + kMaxFields, fields.size()));
    texts.push_back(absl::StrCat("'t', headwater_text(", absl::StrJoin(from, to, ", "), ")"));
  }
  return absl::StrCat("headwater_hash(", absl::StrJoin(texts, ", "), ")");
}

// With a LIMIT the hash is made before rows are sorted by their part, and no column is sorted
// along.
std::string Checksum(const ChecksumNames& names) {
  const std::string sums = "COUNT(*), COUNT(*), CAST(headwater_sum(";
  const std::string hash = RowHash(names.fields);
  const std::string rows = absl::StrCat(" FROM ", names.relation, names.where);
  if (names.part.empty()) return absl::StrCat("SELECT ", sums, hash, ") AS TEXT)", rows);
  return absl::StrCat("SELECT part, ", sums, "hash) AS TEXT) FROM (SELECT ", names.part,
                      " AS part, ", hash, " AS hash", rows,
                      " LIMIT -1) AS hashed GROUP BY part ORDER BY part");
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
    .text_bytes = TextBytes,
    .text_bytes_literal = StandardText,
    .estimate = Estimate,
    .quantiles = Quantiles,
    .unique_keys = UniqueKeys,
    .checksum_field = ChecksumField,
    .checksum = Checksum,
};

}  // namespace headwater::dialects
