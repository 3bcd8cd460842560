// MariaDB and MySQL.
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "worker/source/dialects/dialects.h"

namespace headwater::dialects {
namespace {

// A backslash is a character like others here, TIMESTAMP columns are compared and shown in UTC.
constexpr absl::string_view kSession =
    "SET SESSION time_zone = '+00:00', SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'\n"
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ\n"
    "SET SESSION TRANSACTION READ ONLY";

// InnoDB makes the list again only when nobody has looked at it for 100 ms. Our own transaction
// shows what it ran when the list was made: if that is this very statement, the list is fresh.
// `trx_started` is in the zone of the server's process, whatever the session's. Read-only
// transactions, our own reads among them, leave no rows behind.
// A replica does not see its primary's; one that has stopped is known by what it has replayed and
// that nobody else may write. Nor does a node of a Galera cluster see the other nodes'. (MySQL
// takes those questions for a comment.)
constexpr absl::string_view kTransactions =
    "SELECT CASE WHEN FALSE /*M!100000 OR @@GLOBAL.read_only <> 0 AND @@GLOBAL.gtid_slave_pos <> "
    "'' "
    "OR EXISTS (SELECT 1 FROM information_schema.GLOBAL_STATUS "
    "WHERE VARIABLE_NAME = 'SLAVES_RUNNING' AND VARIABLE_VALUE > 0) "
    "OR EXISTS (SELECT 1 FROM information_schema.GLOBAL_VARIABLES "
    "WHERE VARIABLE_NAME = 'WSREP_ON' AND VARIABLE_VALUE = 'ON') */ THEN '0' "
    "WHEN SUM(trx_mysql_thread_id = CONNECTION_ID() AND "
    "trx_query LIKE '%headwater asks $0 %') > 0 THEN '1' END, "
    "CAST(CONVERT_TZ(MIN(IF(trx_is_read_only = 0 AND trx_mysql_thread_id <> CONNECTION_ID(), "
    "trx_started, NULL)), 'SYSTEM', '+00:00') AS CHAR), NULL FROM information_schema.INNODB_TRX";

// A transaction leaves the list after its commit is in the log.
constexpr absl::string_view kPosition = "SELECT NULL, CAST(@@GLOBAL.gtid_binlog_pos AS CHAR)";
constexpr absl::string_view kReached = "SELECT NULL, CAST(MASTER_GTID_WAIT($0, 0.1) = 0 AS CHAR)";

// Bytes as hexadecimal digits where a backslash could be taken for an escape.
std::string Text(absl::string_view text) {
  if (text.find('\\') == absl::string_view::npos) return StandardText(text);
  return absl::StrCat("CONVERT(X'", absl::BytesToHexString(text), "' USING utf8mb4)");
}

// In the column's own digits. MIN() and MAX() by an index cut a finer bound down to them, and miss
// the row that lies on it.
absl::StatusOr<std::string> Literal(const CursorColumn& cursor, int64_t value) {
  const bool moment = cursor.type == CursorType::kWallClock || cursor.type == CursorType::kInstant;
  if (!moment || cursor.source_type.empty()) return StandardCursorLiteral(cursor, value);
  const int64_t rounded = RoundUpToDigits(value, FractionDigits(cursor.source_type, 0));
  return StandardCursorLiteral(cursor, rounded < kYear10000 ? rounded : value);
}

std::string AsText(absl::string_view expression) {
  return absl::StrCat("CAST(", expression, " AS CHAR)");
}

// The same, of a moment in half the time.
std::string CursorText(absl::string_view expression) {
  return absl::StrCat("CONCAT(", expression, ")");
}

// A float prints six digits, and a bit its byte.
std::string ValueText(const std::string& column, const ColumnType& type, absl::string_view) {
  if (type.kind == TypeKind::kFloat) return AsText(absl::StrCat("CAST(", column, " AS DOUBLE)"));
  return AsText(type.kind == TypeKind::kBoolean ? absl::StrCat(column, " + 0") : column);
}

absl::StatusOr<std::string> KeyLiteral(const Column& key, absl::string_view source_type,
                                       absl::string_view text) {
  return CommonKeyLiteral(kMariaDb, key, source_type, text);
}

// The text that ChecksumField() sums. Bytes have no collation, which would pad texts with blanks.
std::string TextBytes(const std::string& column, absl::string_view) {
  return absl::StrCat("CAST(CONVERT(", column, " USING utf8mb4) AS BINARY)");
}

std::string BytesLiteral(absl::string_view text) {
  return absl::StrCat("X'", absl::BytesToHexString(text), "'");
}

// The variable has another name in each of the two; a comment that begins with `M!` is read by
// MariaDB only, and MariaDB leaves those from 50700 to 50999 to MySQL.
std::string Timeout(int64_t milliseconds) {
  return absl::StrFormat(
      "SET SESSION /*M!100101 max_statement_time = %d.%03d */ /*!50708 max_execution_time = %d */",
      milliseconds / 1000, milliseconds % 1000, milliseconds);
}

std::string StopQuery(int64_t session_number) {
  return absl::StrCat("KILL QUERY ", session_number);
}

std::string Estimate(const EstimateNames& names) {
  return absl::StrCat(
      "SELECT CAST(TABLE_ROWS AS CHAR) FROM information_schema.TABLES WHERE TABLE_NAME = ",
      names.table_literal,
      " AND TABLE_SCHEMA = ", names.schema_literal.empty() ? "DATABASE()" : names.schema_literal);
}

std::string Quantiles(const QuantileNames& names) { return TileQuantiles(names, AsText); }

// Prefixes of columns, and columns that may be NULL, tell rows apart not.
std::string UniqueKeys(const EstimateNames& names) {
  const std::string is_table = absl::StrCat(
      "TABLE_SCHEMA = ", names.schema_literal.empty() ? "DATABASE()" : names.schema_literal,
      " AND TABLE_NAME = ", names.table_literal);
  return absl::StrCat(
      "SELECT s.INDEX_NAME, s.COLUMN_NAME FROM information_schema.STATISTICS AS s JOIN (SELECT "
      "INDEX_NAME, COUNT(*) AS width FROM information_schema.STATISTICS WHERE ",
      is_table,
      " AND NON_UNIQUE = 0 GROUP BY INDEX_NAME HAVING SUM(NULLABLE = 'YES') = 0 AND "
      "COUNT(SUB_PART) = 0) AS u ON u.INDEX_NAME = s.INDEX_NAME WHERE ",
      is_table, " ORDER BY s.INDEX_NAME <> 'PRIMARY', u.width, s.INDEX_NAME, s.SEQ_IN_INDEX");
}

// Floating point as the shortest digits that give the value back: there is no way to its bits.
std::string ChecksumField(const std::string& column, const ColumnType& type, absl::string_view) {
  const std::string utf8 = absl::StrCat("CONVERT(", column, " USING utf8mb4)");
  std::string moment = absl::StrCat("DATE_FORMAT(", column, ", '%Y-%m-%d %H:%i:%s.%f')");
  switch (type.kind) {
    case TypeKind::kBoolean:  // BIT(1) is a byte otherwise.
      return absl::StrCat("CAST(", column, " + 0 AS CHAR)");
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return absl::StrCat("CAST(CAST(", column, " AS DOUBLE) + 0 AS CHAR)");
    case TypeKind::kString:
      return absl::StrCat("CONCAT(LENGTH(", utf8, "), ':', ", utf8, ")");
    case TypeKind::kBinary:
      return absl::StrCat("LOWER(HEX(", column, "))");
    case TypeKind::kTimestampNtz:
      return moment;
    case TypeKind::kTimestamp:
      return absl::StrCat("CONCAT(", moment, ", 'Z')");
    default:
      return AsText(column);
  }
}

std::string Checksum(const ChecksumNames& names) {
  const std::string row =
      absl::StrJoin(names.fields, ", ", [](std::string* out, const std::string& field) {
        absl::StrAppend(out, "COALESCE(", field, ", '~'), ','");
      });
  const bool parts = !names.part.empty();
  return absl::StrCat(
      "SELECT ", parts ? "CAST(hashed.part AS CHAR), " : "",
      "CAST(COUNT(*) AS CHAR), CAST(COUNT(hashed.hash) AS CHAR), "
      "CAST(COALESCE(SUM(hashed.hash), 0) AS CHAR) FROM (SELECT ",
      parts ? absl::StrCat(names.part, " AS part, ") : "", "CAST(CONV(SUBSTR(MD5(CONVERT(CONCAT(",
      row, ") USING utf8mb4)), 1, 16), 16, 10) AS UNSIGNED) AS hash FROM ", names.relation,
      names.where, ") AS hashed", parts ? " GROUP BY hashed.part ORDER BY hashed.part" : "");
}

}  // namespace

constinit const Dialect kMariaDb = {
    .kind = DialectKind::kMariaDb,
    .name = "MariaDB",
    .quote_open = '`',
    .quote_close = '`',
    .name_unit = NameUnit::kCharacters,
    .max_name = 64,
    .max_name_parts = 2,
    .basic_plane = true,
    .session_sql = kSession,
    .clock_sql = "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)",
    .transactions_sql = kTransactions,
    .transactions_wait_sql = "DO SLEEP(0.11)",
    .transactions_need_rights = true,
    .position_sql = kPosition,
    .reached_sql = kReached,
    .begin_snapshot_sql = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    .end_snapshot_sql = "ROLLBACK",
    .session_number_sql = "SELECT CONNECTION_ID()",
    .text_literal = Text,
    .cursor_literal = Literal,
    .cursor_as_text = CursorText,
    .key_as_text = AsText,
    .value_as_text = ValueText,
    .key_literal = KeyLiteral,
    .text_bytes = TextBytes,
    .text_bytes_literal = BytesLiteral,
    .statement_timeout = Timeout,
    .stop_query = StopQuery,
    .estimate = Estimate,
    .quantiles = Quantiles,
    .unique_keys = UniqueKeys,
    .checksum_field = ChecksumField,
    .checksum = Checksum,
};

}  // namespace headwater::dialects
