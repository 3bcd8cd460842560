#include "worker/source/odbc/fetch_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/mariadb_catalog.h"
#include "worker/source/odbc/column_type.h"

namespace headwater {
namespace {

constexpr size_t kMaxBlockRows = 4096;  // Some drivers count a block's rows in 16 bits.
constexpr size_t kFewRows = 100;        // Cells become narrower before a block has fewer.
constexpr size_t kScalarBytes = 64;     // The longest number or timestamp as text.
constexpr size_t kMinCellBytes = 64;
constexpr size_t kMaxCellBytes = 1024;     // Longer values are fetched again, whole.
constexpr size_t kMaxWholeBytes = 16'004;  // SQL Server's longest text that is not `max`.

bool IsCharacter(SQLSMALLINT sql_type) {
  switch (sql_type) {
    case SQL_CHAR:
    case SQL_VARCHAR:
    case SQL_LONGVARCHAR:
    case SQL_WCHAR:
    case SQL_WVARCHAR:
    case SQL_WLONGVARCHAR:
      return true;
    default:
      return false;
  }
}

// `quoted` as the server prints it.
std::string AsText(const OdbcQuirks& quirks, const OdbcColumn& column, const std::string& quoted) {
  const Dialect& dialect = DialectOf(quirks.dialect);
  if (dialect.kind != DialectKind::kSqlServer) return CursorAsText(dialect, quoted);
  const TypeKind kind = column.source.column.type.kind;
  const bool temporal = column.sql_type == kSqlServerTime || column.sql_type == kSqlServerOffset ||
                        column.sql_type == SQL_TYPE_TIME || kind == TypeKind::kTimestamp;
  return temporal ? CursorAsText(dialect, quoted)
                  : absl::StrCat("CAST(", quoted, " AS nvarchar(max))");
}

FetchPlan Fixed(std::string expression, SQLSMALLINT c_type, size_t width_bytes) {
  return FetchPlan{.expression = std::move(expression),
                   .c_type = c_type,
                   .variable = false,
                   .width_bytes = width_bytes};
}

FetchPlan Scalar(std::string expression) { return PlanText(std::move(expression), 0); }

// Drivers print SQL Server's money with two of its four digits, and PostgreSQL's as its locale has
// it.
std::string DecimalExpression(const OdbcQuirks& quirks, const OdbcColumn& column,
                              const std::string& quoted) {
  if (absl::EndsWithIgnoreCase(column.source.type_name, "money")) {
    const ColumnType& type = column.source.column.type;
    return absl::StrCat("CAST(", quoted, " AS decimal(", type.precision, ",", type.scale, "))");
  }
  const bool integer = column.sql_type == SQL_BIGINT;  // Unsigned.
  return integer ? CursorAsText(DialectOf(quirks.dialect), quoted) : quoted;
}

FetchPlan PlanColumn(const OdbcQuirks& quirks, const OdbcColumn& column,
                     const std::string& quoted) {
  if (column.source.as_text && column.source.column.type.kind != TypeKind::kString) {
    return Scalar(ValueAsText(DialectOf(quirks.dialect), quoted, column.source.column.type,
                              column.source.type_name));
  }
  if (quirks.dialect == DialectKind::kMariaDb &&
      absl::StartsWith(column.source.type_name, "bit(")) {
    std::string bits = MariaDbBits(column.source.type_name, quoted);
    const bool number = column.source.column.type.kind == TypeKind::kBoolean;
    return number ? Fixed(std::move(bits), SQL_C_SBIGINT, sizeof(SQLBIGINT))
                  : FetchPlan{.expression = std::move(bits), .c_type = SQL_C_BINARY};
  }
  switch (column.source.column.type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kByte:
    case TypeKind::kShort:
    case TypeKind::kInteger:
    case TypeKind::kLong:
      if (IsCharacter(column.sql_type)) return Scalar(quoted);  // psqlODBC's booleans.
      return Fixed(quoted, SQL_C_SBIGINT, sizeof(SQLBIGINT));
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return Fixed(quoted, SQL_C_DOUBLE, sizeof(SQLDOUBLE));
    case TypeKind::kDecimal:
      return Scalar(DecimalExpression(quirks, column, quoted));
    case TypeKind::kDate:
      return quirks.temporal_as_text ? Scalar(AsText(quirks, column, quoted))
                                     : Fixed(quoted, SQL_C_TYPE_DATE, sizeof(SQL_DATE_STRUCT));
    case TypeKind::kTimestamp:  // A struct has no offset.
      return Scalar(AsText(quirks, column, quoted));
    case TypeKind::kTimestampNtz:
      return quirks.temporal_as_text
                 ? Scalar(AsText(quirks, column, quoted))
                 : Fixed(quoted, SQL_C_TYPE_TIMESTAMP, sizeof(SQL_TIMESTAMP_STRUCT));
    case TypeKind::kBinary:
      return FetchPlan{.expression = quoted, .c_type = SQL_C_BINARY};
    case TypeKind::kString:
      break;
  }
  if (column.sql_type == SQL_GUID) return Fixed(quoted, SQL_C_GUID, sizeof(SQLGUID));
  return FetchPlan{
      .expression = IsCharacter(column.sql_type) ? quoted : AsText(quirks, column, quoted),
      .c_type = static_cast<SQLSMALLINT>(quirks.chars_are_utf8 ? SQL_C_CHAR : SQL_C_WCHAR)};
}

// Bytes that any value of the column takes; 0 if that is not known.
size_t WholeBytes(const OdbcColumn& column, SQLSMALLINT c_type) {
  if (column.size <= 0 || column.size > static_cast<int64_t>(kMaxWholeBytes)) return 0;
  const auto size = static_cast<size_t>(column.size);
  // A character outside of the first plane is two units of UTF-16, and four bytes of UTF-8.
  if (c_type == SQL_C_CHAR) return size * 4 + 1;
  return c_type == SQL_C_WCHAR ? (size * 2 + 1) * sizeof(SQLWCHAR) : size;
}

}  // namespace

FetchPlan PlanText(std::string expression, SQLUSMALLINT ordinal) {
  return FetchPlan{.expression = std::move(expression),
                   .c_type = SQL_C_CHAR,
                   .width_bytes = kScalarBytes,
                   .ordinal = ordinal};
}

absl::StatusOr<BlockPlan> PlanBlock(const OdbcQuirks& quirks,
                                    const std::vector<OdbcColumn>& columns, int64_t block_bytes) {
  BlockPlan plan;
  size_t open = 0;  // Columns whose width is still to be chosen.
  for (const OdbcColumn& column : columns) {
    ASSIGN_OR_RETURN(const std::string quoted,
                     QuoteIdentifier(DialectOf(quirks.dialect), column.source.column.name));
    plan.columns.push_back(PlanColumn(quirks, column, quoted));
    if (plan.columns.back().width_bytes == 0) ++open;
  }
  const auto budget = static_cast<size_t>(block_bytes);
  const size_t widest =
      std::clamp(budget / kFewRows / std::max<size_t>(open, 1), kMinCellBytes, kMaxCellBytes);
  size_t row_bytes = 0;
  bool one_by_one = false;
  for (size_t i = 0; i < columns.size(); ++i) {
    FetchPlan& column = plan.columns[i];
    if (column.width_bytes == 0) {
      const size_t whole = WholeBytes(columns[i], column.c_type);
      if (quirks.refetches_in_block) {
        column.width_bytes = whole == 0 ? widest : std::min(whole, widest);
      } else {
        column.bound = whole != 0 && whole <= kMaxWholeBytes;
        column.width_bytes = column.bound ? whole : kMinCellBytes;
        one_by_one = one_by_one || !column.bound;
      }
      // Whole units of UTF-16, which also keeps the next column's cells aligned.
      column.width_bytes = (column.width_bytes + 7) / 8 * 8;
    }
    row_bytes += column.width_bytes + sizeof(SQLLEN);
  }
  plan.rows = one_by_one ? 1 : std::clamp<size_t>(budget / row_bytes, 1, kMaxBlockRows);
  for (const bool bound : {true, false}) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (plan.columns[i].bound != bound) continue;
      plan.select_order.push_back(i);
      plan.columns[i].ordinal = static_cast<SQLUSMALLINT>(plan.select_order.size());
    }
  }
  return plan;
}

}  // namespace headwater
