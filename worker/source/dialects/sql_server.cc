// T-SQL: all of it that we ever send is made here. Generated for SQL Server 2019 and later, parsed
// in the tests, never executed there.
#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "worker/source/dialects/dialects.h"

namespace headwater::dialects {
namespace {

// A reader yields to writers: it loses deadlocks. Where the database keeps row versions, every
// statement reads one state and takes no locks.
constexpr absl::string_view kSession =
    "SET NOCOUNT ON\n"
    "SET ANSI_NULLS ON\n"
    "SET QUOTED_IDENTIFIER ON\n"
    "SET DATEFORMAT ymd\n"
    "SET DEADLOCK_PRIORITY LOW\n"
    "IF EXISTS (SELECT 1 FROM sys.databases WHERE database_id = DB_ID() AND "
    "snapshot_isolation_state = 1) SET TRANSACTION ISOLATION LEVEL SNAPSHOT "
    "ELSE SET TRANSACTION ISOLATION LEVEL READ COMMITTED";

// Of this database, but ours and those that only read. A secondary, whose databases are read-only,
// does not see its primary's. Without the right the views raise an error.
// Their times are the server's local ones.
constexpr absl::string_view kTransactions =
    "SELECT CASE WHEN HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') = 1 "
    "AND DATABASEPROPERTYEX(DB_NAME(), 'Updateability') = 'READ_WRITE' THEN 1 ELSE 0 END, "
    "CONVERT(varchar(33), DATEADD(minute, DATEDIFF(minute, GETDATE(), GETUTCDATE()), "
    "MIN(a.transaction_begin_time)), 126), NULL "
    "FROM sys.dm_tran_active_transactions AS a "
    "JOIN sys.dm_tran_database_transactions AS d ON d.transaction_id = a.transaction_id "
    "WHERE d.database_id = DB_ID() AND a.transaction_type IN (1, 4) AND NOT EXISTS (SELECT 1 FROM "
    "sys.dm_tran_session_transactions AS s WHERE s.transaction_id = a.transaction_id "
    "AND s.session_id = @@SPID)";

constexpr int64_t kMicrosPerMilli = 1'000;
constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;

std::string Text(absl::string_view text) { return absl::StrCat("N", StandardText(text)); }

// `datetime` holds three hundredths of a second, shown as milliseconds that end in 0, 3 and 7.
int64_t RoundUpToTick(int64_t value) {
  int64_t millis = RoundUp(value, kMicrosPerMilli) / kMicrosPerMilli;
  const int64_t digit = ((millis % 10) + 10) % 10;
  millis += digit == 0 ? 0 : digit <= 3 ? 3 - digit : digit <= 7 ? 7 - digit : 10 - digit;
  return millis * kMicrosPerMilli;
}

// `at` counted from 1970-01-01 00:00.
constexpr int64_t Micros(int64_t days) { return days * kMicrosPerDay; }
constexpr int64_t kFirstDatetime = Micros(-79'257);  // 1753-01-01.
constexpr int64_t kEndDatetime = kYear10000;
constexpr int64_t kFirstSmall = Micros(-25'567);  // 1900-01-01.
constexpr int64_t kEndSmall = Micros(39'969);     // 2079-06-07, excluded.

std::string TimestampLiteral(const CursorColumn& cursor, int64_t value) {
  const absl::string_view type = cursor.source_type;
  const auto cast = [](int64_t micros, absl::string_view zone, absl::string_view to) {
    return absl::StrCat("CAST('", CivilText(micros, 'T'), zone, "' AS ", to, ")");
  };
  // A bound before the type's first value means that value. One behind its last cannot be written
  // in the type: then the column is converted, which costs time and changes nothing.
  if (absl::EqualsIgnoreCase(type, "datetime")) {
    const int64_t tick = std::max(RoundUpToTick(value), kFirstDatetime);
    if (tick < kEndDatetime) return cast(tick, "", "datetime");
  }
  if (absl::EqualsIgnoreCase(type, "smalldatetime")) {
    const int64_t minute = std::max(RoundUp(value, kMicrosPerMinute), kFirstSmall);
    if (minute < kEndSmall) return cast(minute, "", "smalldatetime");
  }
  // `datetime2(3)` keeps 3 digits; without a number it is 7, of which we write 6.
  int digits = FractionDigits(type, 7);
  if (RoundUpToDigits(value, digits) >= kEndDatetime) digits = 7;
  const int64_t rounded = RoundUpToDigits(value, digits);
  return cursor.type == CursorType::kInstant
             ? cast(rounded, "+00:00", absl::StrCat("datetimeoffset(", digits, ")"))
             : cast(rounded, "", absl::StrCat("datetime2(", digits, ")"));
}

// A bare number beyond 32 bits is a decimal, to which a bigint column would be converted.
std::string IntegerLiteral(absl::string_view source_type, int64_t value) {
  const bool small =
      value > std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max();
  if (small && !absl::StartsWithIgnoreCase(source_type, "bigint") && !source_type.empty()) {
    return absl::StrCat(value);
  }
  return absl::StrCat("CAST(", value, " AS bigint)");
}

absl::StatusOr<std::string> Literal(const CursorColumn& cursor, int64_t value) {
  if (cursor.type == CursorType::kInteger) return IntegerLiteral(cursor.source_type, value);
  if (cursor.type == CursorType::kDate) return absl::StrCat("CAST('", DayText(value), "' AS date)");
  return TimestampLiteral(cursor, value);
}

std::string AsText(absl::string_view expression) {
  return absl::StrCat("CONVERT(nvarchar(4000), ", expression, ", 126)");
}

// Without a style floats have six digits, money has two decimals, and a datetime no seconds.
std::string ValueText(const std::string& column, const ColumnType& type,
                      absl::string_view source_type) {
  absl::string_view style = "";
  switch (type.kind) {
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return AsText(column);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      style = ", 3";
      break;
    default:
      if (absl::EndsWithIgnoreCase(source_type, "money")) style = ", 2";
  }
  return absl::StrCat("CONVERT(nvarchar(4000), ", column, style, ")");
}

// The columns' own families: comparing a varchar column with an nvarchar converts the column.
absl::StatusOr<std::string> KeyLiteral(const Column& key, absl::string_view source_type,
                                       absl::string_view text) {
  if (key.type.kind == TypeKind::kDecimal) {
    auto digits = CommonKeyLiteral(kSqlServer, key, source_type, text);
    if (!digits.ok()) return digits;
    return absl::StrCat("CAST(", *digits, " AS decimal(", key.type.precision, ", ", key.type.scale,
                        "))");
  }
  if (key.type.kind != TypeKind::kString) {
    return CommonKeyLiteral(kSqlServer, key, source_type, text);
  }
  if (absl::EqualsIgnoreCase(source_type, "uniqueidentifier")) {
    return absl::StrCat("CAST(", StandardText(text), " AS uniqueidentifier)");
  }
  if (absl::StartsWithIgnoreCase(source_type, "varchar") ||
      absl::StartsWithIgnoreCase(source_type, "char")) {
    return absl::StrCat("CAST(", Text(text), " AS varchar(8000))");
  }
  return Text(text);
}

std::string Timeout(int64_t milliseconds) {
  return absl::StrCat("SET LOCK_TIMEOUT ", milliseconds);
}

std::string Estimate(const EstimateNames& names) {
  return absl::StrCat(
      "SELECT CAST(SUM(p.row_count) AS varchar(20)) FROM sys.dm_db_partition_stats AS p "
      "WHERE p.object_id = OBJECT_ID(",
      names.relation_literal, ") AND p.index_id IN (0, 1)");
}

// The steps (at most 200) of the oldest statistics that begin with the column: those of its index,
// if it has one.
std::string Spread(const SpreadNames& names) {
  return absl::StrCat(
      "SELECT ", names.value_as_text,
      ", CAST(CAST(range_rows AS bigint) AS varchar(20)), CAST(CAST(equal_rows AS bigint) AS "
      "varchar(20)) FROM (SELECT CAST(h.range_high_key AS ",
      names.type,
      ") AS value, h.range_rows, h.equal_rows FROM sys.columns AS c "
      "CROSS APPLY sys.dm_db_stats_histogram(c.object_id, (SELECT MIN(s.stats_id) FROM "
      "sys.stats_columns AS s WHERE s.object_id = c.object_id AND s.column_id = c.column_id "
      "AND s.stats_column_id = 1)) AS h WHERE c.object_id = OBJECT_ID(",
      names.names.relation_literal, ") AND c.name = ", names.column_literal,
      ") AS steps WHERE value IS NOT NULL ORDER BY value");
}

std::string Quantiles(const QuantileNames& names) {
  QuantileNames sampled = names;
  if (names.sample_percent < 100) {
    absl::StrAppend(&sampled.relation, " TABLESAMPLE SYSTEM (", names.sample_percent, " PERCENT)");
  }
  return TileQuantiles(sampled, AsText);
}

// As UTF-8, whatever the column's code page.
std::string Utf8(absl::string_view unicode) {
  return absl::StrCat("CONVERT(varchar(max), ", unicode, " COLLATE Latin1_General_100_BIN2_UTF8)");
}

std::string StringField(const std::string& column, absl::string_view source_type) {
  std::string unicode = absl::StrCat("CONVERT(nvarchar(max), ", column, ")");
  if (absl::StartsWithIgnoreCase(source_type, "char") ||
      absl::StartsWithIgnoreCase(source_type, "nchar")) {
    unicode = absl::StrCat("RTRIM(", unicode, ")");
  } else if (absl::EqualsIgnoreCase(source_type, "uniqueidentifier")) {
    unicode = absl::StrCat("LOWER(", unicode, ")");
  }
  const std::string utf8 = Utf8(unicode);
  return absl::StrCat("CAST(DATALENGTH(", utf8, ") AS varchar(20)) + ':' + ", utf8);
}

// Six digits, or seven where the seventh is not 0.
std::string TimestampField(const std::string& moment) {
  const std::string text =
      absl::StrCat("CONVERT(char(27), CAST(", moment, " AS datetime2(7)), 121)");
  return absl::StrCat("CASE WHEN ", text, " LIKE '%0' THEN LEFT(", text, ", 26) ELSE ", text,
                      " END");
}

std::string ChecksumField(const std::string& column, const ColumnType& type,
                          absl::string_view source_type) {
  switch (type.kind) {
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return absl::StrCat("LOWER(CONVERT(varchar(16), CAST(CAST(", column,
                          " AS float) + 0 AS binary(8)), 2))");
    case TypeKind::kDecimal:  // Money shows two of its four digits unless told otherwise.
      return absl::StrCat(
          "CONVERT(varchar(50), ", column,
          absl::StrContains(absl::AsciiStrToLower(source_type), "money") ? ", 2)" : ")");
    case TypeKind::kString:
      return StringField(column, source_type);
    case TypeKind::kBinary:
      return absl::StrCat("LOWER(CONVERT(varchar(max), CONVERT(varbinary(max), ", column, "), 2))");
    case TypeKind::kDate:
      return absl::StrCat("CONVERT(char(10), ", column, ", 23)");
    case TypeKind::kTimestampNtz:  // As milliseconds: the third of a millisecond is not stored.
      return TimestampField(absl::EqualsIgnoreCase(source_type, "datetime")
                                ? absl::StrCat("CAST(", column, " AS datetime2(3))")
                                : column);
    case TypeKind::kTimestamp:
      return absl::StrCat(TimestampField(absl::StrCat("SWITCHOFFSET(", column, ", '+00:00')")),
                          " + 'Z'");
    default:
      return absl::StrCat("CONVERT(varchar(20), ", column, ")");
  }
}

// `+` and not CONCAT, which takes 254 arguments only; from varchar(max) on nothing is cut.
std::string Checksum(const ChecksumNames& names) {
  std::string row = "CAST('' AS varchar(max))";
  for (const std::string& field : names.fields) {
    absl::StrAppend(&row, " + COALESCE(", field, ", '~') + ','");
  }
  const bool parts = !names.part.empty();
  return absl::StrCat(
      "SELECT ", parts ? "CAST(hashed.part AS varchar(20)), " : "",
      "CAST(COUNT_BIG(*) AS varchar(20)), CAST(COUNT_BIG(hashed.hash) AS varchar(20)), "
      "CAST(COALESCE(SUM(CAST(hashed.hash AS decimal(38, 0))), 0) AS varchar(40)) FROM (SELECT ",
      parts ? absl::StrCat(names.part, " AS part, ") : "", "CAST(SUBSTRING(HASHBYTES('MD5', ", row,
      "), 1, 8) AS bigint) AS hash FROM ", names.relation, names.where, ") AS hashed",
      parts ? " GROUP BY hashed.part ORDER BY hashed.part" : "");
}

// Of no columns BINARY_CHECKSUM makes nothing, and of xml, text and image neither.
std::string FastChecksum(const ChecksumNames& names) {
  return absl::StrCat(
      "SELECT CAST(COUNT_BIG(*) AS varchar(20)), CAST(COUNT_BIG(*) AS varchar(20)), "
      "CAST(COALESCE(CHECKSUM_AGG(BINARY_CHECKSUM(",
      absl::StrJoin(names.fields, ", "), ")), 0) AS varchar(20)) FROM ", names.relation,
      names.where);
}

}  // namespace

constinit const Dialect kSqlServer = {
    .kind = DialectKind::kSqlServer,
    .name = "SQL Server",
    .quote_open = '[',
    .quote_close = ']',
    .name_unit = NameUnit::kUtf16Units,
    .max_name = 128,
    .count = "COUNT_BIG(*)",
    .session_sql = kSession,
    .clock_sql = "SELECT CONVERT(varchar(33), SYSUTCDATETIME(), 126)",
    .transactions_sql = kTransactions,
    .transactions_need_rights = true,
    .text_literal = Text,
    .cursor_literal = Literal,
    .cursor_as_text = AsText,
    .key_as_text = AsText,
    .value_as_text = ValueText,
    .key_literal = KeyLiteral,
    .statement_timeout = Timeout,
    .estimate = Estimate,
    .spread = Spread,
    .quantiles = Quantiles,
    .checksum_field = ChecksumField,
    .checksum = Checksum,
    .fast_checksum = FastChecksum,
};

}  // namespace headwater::dialects
