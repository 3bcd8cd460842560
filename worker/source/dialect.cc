#include "worker/source/dialect.h"

#include <array>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
constexpr int64_t kFirstDay = -719'162;       // 0001-01-01.
constexpr int64_t kEndDay = 2'932'897;        // 10000-01-01, excluded.
constexpr int64_t kMaxCountedRows = 100'000;  // Counted within milliseconds.

// Without the right to see other sessions their `xact_start` is NULL, which would look like "none
// open": hence the question whether we are a member of pg_read_all_stats (superusers always are).
// On a standby, sessions of the primary are not visible at all. A prepared transaction has no
// session, so pg_prepared_xacts is asked too.
constexpr absl::string_view kPostgresTransactions =
    "SELECT CASE WHEN NOT pg_is_in_recovery() AND pg_has_role('pg_read_all_stats', 'USAGE') "
    "THEN 1 ELSE 0 END, "
    "((SELECT min(t) FROM (SELECT xact_start AS t FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name NOT LIKE 'headwater%' AND backend_type <> 'walsender' "
    "UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()) x) "
    "AT TIME ZONE 'UTC')::text, "
    "(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC')::text";

// InnoDB makes the list again only when nobody has looked at it for 100 ms. Our own transaction
// shows what it ran when the list was made: if that is this very statement, the list is fresh.
// `trx_started` is in the zone of the server's process, whatever the session's. Read-only
// transactions, our own reads among them, leave no rows behind.
constexpr absl::string_view kMariaDbTransactions =
    "SELECT CAST(COALESCE(SUM(trx_mysql_thread_id = CONNECTION_ID() AND "
    "trx_query LIKE '%headwater asks $0 %'), 0) AS CHAR), "
    "CAST(CONVERT_TZ(MIN(IF(trx_is_read_only = 0 AND trx_mysql_thread_id <> CONNECTION_ID(), "
    "trx_started, NULL)), 'SYSTEM', '+00:00') AS CHAR), NULL FROM information_schema.INNODB_TRX";

constexpr std::array<Dialect, 5> kDialects = {{
    {.kind = DialectKind::kPostgres,
     .name = "PostgreSQL",
     .max_identifier_bytes = 63,
     .clock_sql = "SELECT (clock_timestamp() AT TIME ZONE 'UTC')::text",
     .transactions_sql = kPostgresTransactions,
     .begin_snapshot_sql = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
     .end_snapshot_sql = "ROLLBACK"},
    {.kind = DialectKind::kSqlite,
     .name = "SQLite",
     .max_identifier_bytes = 1024,
     .clock_sql = "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
     .transactions_known = true},  // A probe's questions are one statement: one snapshot.
    {.kind = DialectKind::kMariaDb,
     .name = "MariaDB",
     .quote_open = '`',
     .quote_close = '`',
     .max_identifier_bytes = 64 * 4,  // 64 characters.
     .clock_sql = "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)",
     .transactions_sql = kMariaDbTransactions,
     .transactions_wait_sql = "DO SLEEP(0.11)",
     .transactions_need_rights = true,
     .begin_snapshot_sql = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
     .end_snapshot_sql = "ROLLBACK"},
    {.kind = DialectKind::kSqlServer,
     .name = "SQL Server",
     .quote_open = '[',
     .quote_close = ']',
     .max_identifier_bytes = 128 * 4,  // 128 characters.
     .clock_sql = "SELECT CONVERT(varchar(33), SYSUTCDATETIME(), 126)"},
    {.kind = DialectKind::kGeneric, .name = "ODBC"},
}};

std::string CivilText(int64_t micros, char separator) {
  const int64_t days = micros / kMicrosPerDay - (micros % kMicrosPerDay < 0 ? 1 : 0);
  const int64_t of_day = micros - days * kMicrosPerDay;
  const int64_t second = of_day / kMicrosPerSecond;
  const absl::CivilDay day = absl::CivilDay(1970, 1, 1) + days;
  std::string text =
      absl::StrFormat("%04d-%02d-%02d%c%02d:%02d:%02d", day.year(), day.month(), day.day(),
                      separator, second / 3600, second / 60 % 60, second % 60);
  if (const int64_t fraction = of_day % kMicrosPerSecond; fraction != 0) {
    absl::StrAppendFormat(&text, ".%06d", fraction);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

std::string TimestampLiteral(const Dialect& dialect, const CursorColumn& cursor, int64_t value) {
  const bool zoned = cursor.type == CursorType::kInstant;
  switch (dialect.kind) {
    case DialectKind::kSqlite:
      return absl::StrCat("'", CivilText(value, cursor.separator), "'");
    case DialectKind::kSqlServer:
      return absl::StrCat("CAST('", CivilText(value, 'T'),
                          zoned ? "+00:00' AS datetimeoffset(6))" : "' AS datetime2(6))");
    case DialectKind::kPostgres:
      return zoned ? absl::StrCat("TIMESTAMPTZ '", CivilText(value, ' '), "+00'")
                   : absl::StrCat("TIMESTAMP '", CivilText(value, ' '), "'");
    default:  // MariaDB's TIMESTAMP columns are compared in the session's zone, which we set to
              // UTC.
      return absl::StrCat("TIMESTAMP '", CivilText(value, ' '), "'");
  }
}

std::string DateLiteral(const Dialect& dialect, int64_t value) {
  const absl::CivilDay day = absl::CivilDay(1970, 1, 1) + value;
  const std::string text = absl::StrFormat("%04d-%02d-%02d", day.year(), day.month(), day.day());
  if (dialect.kind == DialectKind::kSqlite) return absl::StrCat("'", text, "'");
  if (dialect.kind == DialectKind::kSqlServer) return absl::StrCat("CAST('", text, "' AS date)");
  return absl::StrCat("DATE '", text, "'");
}

}  // namespace

const Dialect& DialectOf(DialectKind kind) {
  for (const Dialect& dialect : kDialects) {
    if (dialect.kind == kind) return dialect;
  }
  return kDialects.back();
}

absl::StatusOr<std::string> QuoteIdentifier(const Dialect& dialect, absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("a name on the source is empty");
  if (name.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("a name on the source contains a NUL byte: '",
                     absl::StrReplaceAll(name, {{std::string(1, '\0'), "\\0"}}), "'"));
  }
  if (name.size() > dialect.max_identifier_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("the name '", name, "' has ", name.size(),
                                                   " bytes; ", dialect.name, " keeps ",
                                                   dialect.max_identifier_bytes));
  }
  std::string quoted(1, dialect.quote_open);
  for (const char c : name) {
    quoted.push_back(c);
    if (c == dialect.quote_close) quoted.push_back(c);
  }
  quoted.push_back(dialect.quote_close);
  return quoted;
}

absl::StatusOr<std::string> QuoteRelation(const Dialect& dialect, absl::string_view relation) {
  const std::vector<absl::string_view> parts = absl::StrSplit(relation, '.');
  if (parts.size() > 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", relation, "' has too many parts; expected table or schema.table"));
  }
  std::string quoted;
  for (const absl::string_view part : parts) {
    ASSIGN_OR_RETURN(const std::string name, QuoteIdentifier(dialect, part));
    absl::StrAppend(&quoted, quoted.empty() ? "" : ".", name);
  }
  return quoted;
}

absl::StatusOr<std::string> QuoteText(absl::string_view text) {
  if (text.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError("a text for the source contains a NUL byte");
  }
  // A backslash is a character like others: MariaDB's sessions are told so when they begin.
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

int BeyondLiterals(CursorType type, int64_t value) {
  // A bound at the end of int64 means "no bound" for integers too: no row lies beyond it.
  if (value == std::numeric_limits<int64_t>::min()) return -1;
  if (value == std::numeric_limits<int64_t>::max()) return 1;
  if (type == CursorType::kInteger) return 0;
  const int64_t unit = type == CursorType::kDate ? 1 : kMicrosPerDay;
  if (value < kFirstDay * unit) return -1;
  return value >= kEndDay * unit ? 1 : 0;
}

absl::StatusOr<std::string> CursorLiteral(const Dialect& dialect, const CursorColumn& cursor,
                                          int64_t value) {
  if (cursor.type == CursorType::kNone) {
    return absl::InvalidArgumentError("a dataset without a cursor has no bounds");
  }
  if (BeyondLiterals(cursor.type, value) != 0) {
    return absl::OutOfRangeError(absl::StrCat("the bound ", value, " of cursor '", cursor.name,
                                              "' is outside the years 1 to 9999"));
  }
  switch (cursor.type) {
    case CursorType::kInteger:
      return absl::StrCat(value);
    case CursorType::kDate:
      return DateLiteral(dialect, value);
    default:
      if (cursor.type == CursorType::kInstant && dialect.kind == DialectKind::kSqlite) {
        return absl::InvalidArgumentError(
            absl::StrCat("cursor '", cursor.name, "': SQLite has no timestamps with a zone"));
      }
      return TimestampLiteral(dialect, cursor, value);
  }
}

std::string CursorAsText(const Dialect& dialect, absl::string_view expression) {
  switch (dialect.kind) {
    case DialectKind::kPostgres:
      return absl::StrCat("(", expression, ")::text");
    case DialectKind::kSqlServer:
      return absl::StrCat("CONVERT(varchar(33), ", expression, ", 126)");
    case DialectKind::kMariaDb:
      return absl::StrCat("CAST(", expression, " AS CHAR)");
    default:  // SQLite stores text; other drivers convert at the fetch.
      return std::string(expression);
  }
}

absl::StatusOr<std::string> EstimateSql(const Dialect& dialect, absl::string_view relation) {
  ASSIGN_OR_RETURN(const std::string quoted, QuoteRelation(dialect, relation));
  const std::vector<absl::string_view> parts = absl::StrSplit(relation, '.');
  ASSIGN_OR_RETURN(const std::string table, QuoteText(parts.back()));
  switch (dialect.kind) {
    case DialectKind::kPostgres: {
      // A partitioned table has no statistics of its own before ANALYZE; its partitions have.
      ASSIGN_OR_RETURN(const std::string name, QuoteText(quoted));
      return absl::StrCat(
          "SELECT CASE WHEN min(reltuples) < 0 THEN -1 ELSE sum(reltuples)::bigint END::text FROM "
          "pg_class WHERE relkind <> 'p' AND oid IN (SELECT relid FROM pg_partition_tree(",
          name, "::regclass) UNION SELECT ", name, "::regclass)");
    }
    case DialectKind::kMariaDb:
      return absl::StrCat(
          "SELECT CAST(TABLE_ROWS AS CHAR) FROM information_schema.TABLES WHERE TABLE_NAME = ",
          table, " AND TABLE_SCHEMA = ",
          parts.size() > 1 ? absl::StrCat("'", parts[parts.size() - 2], "'") : "DATABASE()");
    case DialectKind::kSqlite:
      // Counting reads the whole table, the largest rowid one page. NULL, so unknown:
      // empty tables, and views without a rowid of their own.
      return absl::StrCat("SELECT CASE WHEN newest <= ", kMaxCountedRows,
                          " THEN (SELECT COUNT(*) FROM ", quoted,
                          ") ELSE newest END FROM (SELECT MAX(rowid) AS newest FROM ", quoted, ")");
    default:
      return std::string();
  }
}

}  // namespace headwater
