#include "worker/source/dialect.h"

#include <cmath>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/source/checksum_query.h"
#include "worker/source/key_split.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Dialect& Of(DialectKind kind) { return DialectOf(kind); }

std::string Literal(DialectKind kind, CursorType type, const std::string& source_type,
                    absl::string_view text) {
  const int64_t value = type == CursorType::kInteger ? *ParseInteger(text) : *ParseWallClock(text);
  return CursorLiteral(Of(kind), CursorColumn{"at", type, ' ', source_type}, value).value();
}

std::string Transact(const std::string& source_type, absl::string_view text) {
  return Literal(DialectKind::kSqlServer, CursorType::kWallClock, source_type, text);
}

KeyColumn Key(const char* name, const ColumnType& type) {
  KeyColumn key;
  key.column.name = name;
  key.column.type = type;
  key.source_type = "bigint";
  return key;
}

bool Takes(DialectKind kind, const std::string& name) {
  const auto quoted = QuoteIdentifier(Of(kind), name);
  if (!quoted.ok()) {
    EXPECT_EQ(quoted.status().code(), absl::StatusCode::kInvalidArgument) << quoted.status();
  }
  return quoted.ok();
}

std::string Repeated(const std::string& text, int count) {
  return absl::StrJoin(std::vector<std::string>(static_cast<size_t>(count), text), "");
}

TEST(Dialect, ANameIsAsLongAsTheServerKeepsIt) {
  // PostgreSQL counts bytes, MariaDB characters, SQL Server units of UTF-16.
  EXPECT_TRUE(Takes(DialectKind::kPostgres, Repeated("x", 63)));
  EXPECT_FALSE(Takes(DialectKind::kPostgres, Repeated("x", 64)));
  EXPECT_FALSE(Takes(DialectKind::kPostgres, Repeated("é", 32)));
  EXPECT_TRUE(Takes(DialectKind::kMariaDb, Repeated("表", 64)));
  EXPECT_FALSE(Takes(DialectKind::kMariaDb, Repeated("x", 65)));
  EXPECT_TRUE(Takes(DialectKind::kSqlServer, Repeated("é", 128)));
  EXPECT_TRUE(Takes(DialectKind::kSqlServer, Repeated("😀", 64)));
  EXPECT_FALSE(Takes(DialectKind::kSqlServer, Repeated("😀", 65)));
  EXPECT_FALSE(Takes(DialectKind::kSqlServer, Repeated("x", 129)));
}

TEST(Dialect, WhatIsNoNameIsRefused) {
  for (const DialectKind kind : {DialectKind::kPostgres, DialectKind::kSqlite,
                                 DialectKind::kMariaDb, DialectKind::kSqlServer}) {
    EXPECT_FALSE(Takes(kind, ""));
    EXPECT_FALSE(Takes(kind, std::string("a\0b", 3)));
    EXPECT_FALSE(Takes(kind,
                       "a\xff"
                       "b"));
    EXPECT_FALSE(QuoteText(Of(kind), std::string("a\0b", 3)).ok());
  }
  EXPECT_FALSE(Takes(DialectKind::kMariaDb, "a😀"));
  EXPECT_FALSE(Takes(DialectKind::kMariaDb, "a "));
}

TEST(Dialect, ARelationHasAsManyPartsAsTheDialectKnows) {
  EXPECT_TRUE(QuoteRelation(Of(DialectKind::kSqlServer), "a.b.c").ok());
  EXPECT_TRUE(QuoteRelation(Of(DialectKind::kPostgres), "a.b.c").ok());
  EXPECT_FALSE(QuoteRelation(Of(DialectKind::kMariaDb), "a.b.c").ok());
  EXPECT_FALSE(QuoteRelation(Of(DialectKind::kSqlite), "a.b.c").ok());
}

TEST(Dialect, EachQuotesTextItsOwnWay) {
  EXPECT_EQ(*QuoteText(Of(DialectKind::kPostgres), "it's \\"), "'it''s \\'");
  EXPECT_EQ(*QuoteText(Of(DialectKind::kSqlServer), "it's 表"), "N'it''s 表'");
  EXPECT_EQ(*QuoteText(Of(DialectKind::kMariaDb), "it's"), "'it''s'");
  // Whatever the session's mode says of backslashes.
  EXPECT_EQ(*QuoteText(Of(DialectKind::kMariaDb), "\\'"), "CONVERT(X'5c27' USING utf8mb4)");
}

TEST(Dialect, ABoundOnSqlServerIsTheFirstOfTheColumnsValuesThatIsNotBeforeIt) {
  EXPECT_EQ(Transact("datetime2", "2013-01-01 05:00:00.250001"),
            "CAST('2013-01-01T05:00:00.250001' AS datetime2(7))");
  EXPECT_EQ(Transact("datetime2(3)", "2013-01-01 05:00:00.250001"),
            "CAST('2013-01-01T05:00:00.251' AS datetime2(3))");
  EXPECT_EQ(Transact("datetime2(0)", "1969-12-31 23:59:58.000001"),
            "CAST('1969-12-31T23:59:59' AS datetime2(0))");
  const std::pair<const char*, const char*> ticks[] = {
      {"00", "00"},         {"00.000001", "00.003"}, {"00.003", "00.003"}, {"00.003001", "00.007"},
      {"00.007", "00.007"}, {"00.007001", "00.01"},  {"59.997", "59.997"}};
  for (const auto& [from, to] : ticks) {
    EXPECT_EQ(Transact("datetime", absl::StrCat("2013-01-01 05:00:", from)),
              absl::StrCat("CAST('2013-01-01T05:00:", to, "' AS datetime)"));
    EXPECT_EQ(Transact("datetime", absl::StrCat("1960-01-01 05:00:", from)),
              absl::StrCat("CAST('1960-01-01T05:00:", to, "' AS datetime)"));
  }
  EXPECT_EQ(Transact("datetime", "2013-01-01 05:00:59.997001"),
            "CAST('2013-01-01T05:01:00' AS datetime)");
  EXPECT_EQ(Transact("smalldatetime", "2013-01-01 05:00:00.000001"),
            "CAST('2013-01-01T05:01:00' AS smalldatetime)");
}

TEST(Dialect, ABoundOutsideOfTheColumnsTypeStillDividesItsValues) {
  EXPECT_EQ(Transact("datetime", "0001-01-01 00:00:00"), "CAST('1753-01-01T00:00:00' AS datetime)");
  EXPECT_EQ(Transact("datetime", "9999-12-31 23:59:59.998"),
            "CAST('9999-12-31T23:59:59.998' AS datetime2(7))");
  EXPECT_EQ(Transact("smalldatetime", "0001-01-01 00:00:00"),
            "CAST('1900-01-01T00:00:00' AS smalldatetime)");
  EXPECT_EQ(Transact("smalldatetime", "2079-06-06 23:59:00.000001"),
            "CAST('2079-06-06T23:59:00.000001' AS datetime2(7))");
  EXPECT_EQ(Transact("datetime2(0)", "9999-12-31 23:59:59.5"),
            "CAST('9999-12-31T23:59:59.5' AS datetime2(7))");
}

TEST(Dialect, AnIntegerOnSqlServerIsNeverADecimal) {
  const auto literal = [](const char* type, const char* value) {
    return Literal(DialectKind::kSqlServer, CursorType::kInteger, type, value);
  };
  EXPECT_EQ(literal("int", "2147483647"), "2147483647");
  EXPECT_EQ(literal("int identity", "-7"), "-7");
  EXPECT_EQ(literal("int", "2147483648"), "CAST(2147483648 AS bigint)");
  EXPECT_EQ(literal("bigint", "7"), "CAST(7 AS bigint)");
  EXPECT_EQ(literal("", "7"), "CAST(7 AS bigint)");
}

TEST(Dialect, ASessionReadsOnlyAndEndsItsStatementsInTime) {
  EXPECT_THAT(SessionSql(Of(DialectKind::kPostgres)),
              ::testing::Contains("SET default_transaction_read_only TO on"));
  EXPECT_THAT(SessionSql(Of(DialectKind::kMariaDb)),
              ::testing::Contains("SET SESSION TRANSACTION READ ONLY"));
  EXPECT_EQ(SessionSql(Of(DialectKind::kSqlServer)).back(),
            "IF EXISTS (SELECT 1 FROM sys.databases WHERE database_id = DB_ID() AND "
            "snapshot_isolation_state = 1) SET TRANSACTION ISOLATION LEVEL SNAPSHOT "
            "ELSE SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
  EXPECT_THAT(SessionSql(Of(DialectKind::kSqlite)), ElementsAre("PRAGMA query_only = ON"));
  EXPECT_TRUE(SessionSql(Of(DialectKind::kGeneric)).empty());

  const absl::Duration timeout = absl::Milliseconds(90'500) + absl::Nanoseconds(1);
  EXPECT_EQ(StatementTimeoutSql(Of(DialectKind::kPostgres), timeout),
            "SET statement_timeout TO 90501");
  EXPECT_EQ(StatementTimeoutSql(Of(DialectKind::kMariaDb), timeout),
            "SET SESSION /*M!100101 max_statement_time = 90.501 */ "
            "/*!50708 max_execution_time = 90501 */");
  EXPECT_EQ(StatementTimeoutSql(Of(DialectKind::kSqlServer), timeout), "SET LOCK_TIMEOUT 90501");
  EXPECT_EQ(StatementTimeoutSql(Of(DialectKind::kSqlite), timeout), "");
  for (const absl::Duration none : {absl::InfiniteDuration(), absl::ZeroDuration()}) {
    EXPECT_EQ(StatementTimeoutSql(Of(DialectKind::kPostgres), none), "");
  }
  EXPECT_EQ(StatementTimeoutSql(Of(DialectKind::kPostgres), absl::Hours(24 * 365)),
            "SET statement_timeout TO 2147483647");
}

TEST(Dialect, ASessionsNameIsCutToWhatTheServerKeeps) {
  EXPECT_EQ(NameSessionSql(Of(DialectKind::kPostgres),
                           "run=r-12 fence=77 dataset=jfk/flights range=[1, 5)"),
            "SET application_name TO 'headwater r-12 fence=77 jfk/flights [1, 5)'");
  EXPECT_EQ(NameSessionSql(Of(DialectKind::kPostgres), std::string(100, 'x')),
            absl::StrCat("SET application_name TO 'headwater ", std::string(53, 'x'), "'"));
  EXPECT_EQ(NameSessionSql(Of(DialectKind::kPostgres), "it's; é"),
            "SET application_name TO 'headwater it_s_ __'");
  EXPECT_EQ(NameSessionSql(Of(DialectKind::kSqlServer), "x"), "");
}

TEST(KeySplit, TheFirstPartHasTheNullsAndEqualValuesAreOneBorder) {
  const KeyColumn id = Key("id", {.kind = TypeKind::kLong});
  EXPECT_THAT(
      *SplitByKey(Of(DialectKind::kPostgres), id, {"3", "3", "9"}),
      ElementsAre("\"id\" < 3 OR \"id\" IS NULL", "\"id\" >= 3 AND \"id\" < 9", "\"id\" >= 9"));
  EXPECT_THAT(*SplitByKey(Of(DialectKind::kPostgres), id, {}), ElementsAre(""));
}

TEST(KeySplit, AValueThatIsNotOfTheKeysTypeIsRefused) {
  const auto split = [](TypeKind kind, const char* value) {
    return SplitByKey(Of(DialectKind::kSqlServer), Key("k", {kind, 9, 2}), {value}).status();
  };
  EXPECT_THAT(std::string(split(TypeKind::kLong, "1; DROP").message()), HasSubstr("'1; DROP'"));
  EXPECT_FALSE(split(TypeKind::kDecimal, "1 OR 1=1").ok());
  EXPECT_FALSE(split(TypeKind::kDate, "yesterday").ok());
  EXPECT_THAT(std::string(split(TypeKind::kDouble, "1.5").message()), HasSubstr("divide"));
  EXPECT_TRUE(split(TypeKind::kDecimal, "-1.50").ok());
}

TEST(KeySplit, PagesAreDividedWithoutGaps) {
  EXPECT_THAT(SplitByPages(10, 3),
              ElementsAre("ctid < CAST('(3,0)' AS tid)",
                          "ctid >= CAST('(3,0)' AS tid) AND ctid < CAST('(6,0)' AS tid)",
                          "ctid >= CAST('(6,0)' AS tid)"));
  EXPECT_THAT(SplitByPages(0, 4), ElementsAre(""));
  EXPECT_THAT(SplitByPages(1, 4), ElementsAre(""));
  EXPECT_EQ(SplitByPages(2, 4).size(), 2U);
  EXPECT_EQ(SplitByPages(int64_t{1} << 32, 1000).size(), 1000U);
}

TEST(KeySplit, ASplitWithoutSenseIsRefused) {
  const KeyColumn id = Key("id", {.kind = TypeKind::kLong});
  const Dialect& dialect = Of(DialectKind::kPostgres);
  EXPECT_FALSE(BuildQuantileQuery(dialect, "t", id, 1, 100).ok());
  EXPECT_FALSE(BuildQuantileQuery(dialect, "t", id, 1001, 100).ok());
  EXPECT_FALSE(BuildQuantileQuery(dialect, "t", id, 4, 0).ok());
  EXPECT_FALSE(BuildQuantileQuery(dialect, "t", id, 4, 100.5).ok());
  EXPECT_FALSE(BuildQuantileQuery(dialect, "t", id, 4, std::nan("")).ok());
}

using Answer = std::vector<std::optional<std::string>>;

TEST(SourceChecksum, SumsOfEitherSignAreTheSameModulo64Bits) {
  EXPECT_EQ(*ParseChecksum(Answer{"2", "2", "-1"}),
            (RowChecksum{.rows = 2, .sum = 0xFFFFFFFFFFFFFFFF}));
  EXPECT_EQ(*ParseChecksum(Answer{"2", "2", "18446744073709551615"}),
            (RowChecksum{.rows = 2, .sum = 0xFFFFFFFFFFFFFFFF}));
  EXPECT_EQ(*ParseChecksum(Answer{"2", "2", "18446744073709551623"}),
            (RowChecksum{.rows = 2, .sum = 7}));
  EXPECT_EQ(*ParseChecksum(Answer{"0", "0", "0"}), RowChecksum{});
}

TEST(SourceChecksum, AnAnswerThatIsNoneIsRefused) {
  for (const Answer& answer :
       {Answer{"2", "2"}, Answer{"2", "2", std::nullopt}, Answer{"2", "2", "1.5"},
        Answer{"2", "2", "-"}, Answer{"x", "2", "1"}, Answer{"2", "1", "7"}}) {
    EXPECT_EQ(ParseChecksum(answer).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_THAT(std::string(ParseChecksum(Answer{"2", "1", "7"}).status().message()),
              HasSubstr("1 of 2 rows"));
}

ChecksumColumn Summed(TypeKind kind, const std::string& source_type) {
  return {Column{"c", {kind}, true}, source_type};
}

TEST(SourceChecksum, OnlyTypesOfProvenTextAgreeWithTheRowsThatWereRead) {
  const Dialect &postgres = Of(DialectKind::kPostgres), &mariadb = Of(DialectKind::kMariaDb);
  EXPECT_TRUE(ChecksumsAgree(postgres, {}));
  EXPECT_TRUE(
      ChecksumsAgree(postgres, {Summed(TypeKind::kDouble, "double precision"),
                                Summed(TypeKind::kString, "character varying(9)"),
                                Summed(TypeKind::kTimestamp, "timestamp(3) with time zone")}));
  EXPECT_FALSE(ChecksumsAgree(postgres, {Summed(TypeKind::kString, "character(9)")}));
  EXPECT_FALSE(ChecksumsAgree(postgres, {Summed(TypeKind::kDecimal, "money")}));
  EXPECT_FALSE(ChecksumsAgree(postgres, {Summed(TypeKind::kString, "mood")}));
  EXPECT_FALSE(ChecksumsAgree(postgres, {Summed(TypeKind::kString, "integer[]")}));
  EXPECT_FALSE(ChecksumsAgree(postgres, {Summed(TypeKind::kString, "boolean")}))
      << "another adapter's reading of it";
  EXPECT_TRUE(ChecksumsAgree(mariadb, {Summed(TypeKind::kInteger, "int(11)"),
                                       Summed(TypeKind::kDecimal, "bigint(20) unsigned"),
                                       Summed(TypeKind::kString, "enum('a)(','b')")}));
  EXPECT_FALSE(ChecksumsAgree(mariadb, {Summed(TypeKind::kDouble, "double")}));
  EXPECT_FALSE(ChecksumsAgree(mariadb, {Summed(TypeKind::kLong, "int(9) unsigned zerofill")}));
  EXPECT_FALSE(ChecksumsAgree(mariadb, {Summed(TypeKind::kBinary, "bit(12)")}));
  for (const DialectKind kind : {DialectKind::kSqlServer, DialectKind::kGeneric}) {
    EXPECT_FALSE(ChecksumsAgree(Of(kind), {Summed(TypeKind::kLong, "bigint")}));
  }
}

TEST(SourceChecksum, TheTablesColumnMayBeWiderWhereTheTextStays) {
  const Dialect& postgres = Of(DialectKind::kPostgres);
  const auto agrees = [&](ColumnType source, const std::string& source_type, ColumnType table) {
    std::vector<ChecksumColumn> columns(1);
    columns[0].column = Column{"c", source, true};
    columns[0].source_type = source_type;
    columns[0].table_type = table;
    return ChecksumsAgree(postgres, columns);
  };
  EXPECT_TRUE(agrees({TypeKind::kShort}, "smallint", {TypeKind::kLong}));
  EXPECT_TRUE(agrees({TypeKind::kFloat}, "real", {TypeKind::kDouble}));
  EXPECT_TRUE(agrees({TypeKind::kDecimal, 9, 2}, "numeric(9,2)", {TypeKind::kDecimal, 20, 2}));
  EXPECT_FALSE(agrees({TypeKind::kDecimal, 9, 2}, "numeric(9,2)", {TypeKind::kDecimal, 20, 4}));
  EXPECT_FALSE(agrees({TypeKind::kShort}, "smallint", {TypeKind::kDecimal, 20, 4}));
  std::vector<ChecksumColumn> gone = {Summed(TypeKind::kLong, ""),
                                      Summed(TypeKind::kLong, "bigint")};
  gone[0].column.name = "gone";
  gone[0].absent = true;
  EXPECT_THAT(DifferingColumns(Of(DialectKind::kSqlServer), gone), ElementsAre("c"));
}

TEST(SourceChecksum, TheFastOneIsOfSqlServerOnly) {
  RangeQuery query;
  query.relation = "t";
  const std::vector<ChecksumColumn> columns = {Summed(TypeKind::kLong, "bigint")};
  for (const DialectKind kind : {DialectKind::kPostgres, DialectKind::kMariaDb,
                                 DialectKind::kSqlite, DialectKind::kGeneric}) {
    EXPECT_EQ(BuildFastChecksumQuery(Of(kind), query, columns).status().code(),
              absl::StatusCode::kUnimplemented);
  }
  EXPECT_TRUE(BuildFastChecksumQuery(Of(DialectKind::kSqlServer), query, columns).ok());
  std::vector<ChecksumColumn> absent = columns;
  absent[0].absent = true;
  EXPECT_EQ(BuildFastChecksumQuery(Of(DialectKind::kSqlServer), query, absent).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SourceChecksum, AnUnknownDriverHasNone) {
  RangeQuery query;
  query.relation = "t";
  EXPECT_EQ(BuildChecksumQuery(Of(DialectKind::kGeneric), query, std::vector<ChecksumColumn>(1))
                .status()
                .code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_EQ(BuildChecksumQuery(Of(DialectKind::kPostgres), query, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SourceChecksum, OfSqliteNoFunctionHasMoreArgumentsThanItTakes) {
  RangeQuery query;
  query.relation = "t";
  ChecksumColumn column;
  column.column = Column{"c", {TypeKind::kLong}, true};
  column.source_type = "INT";
  const auto asked = [&](size_t columns) {
    return *BuildChecksumQuery(Of(DialectKind::kSqlite), query,
                               std::vector<ChecksumColumn>(columns, column));
  };
  EXPECT_THAT(asked(60), HasSubstr("headwater_sum(headwater_hash('l', \"c\", "));
  EXPECT_THAT(asked(60), ::testing::Not(HasSubstr("headwater_text")));
  const std::string wide = asked(130);
  size_t commas = 0, most = 0;  // Within the innermost brackets.
  for (const char c : wide) {
    commas = c == '(' || c == ')' ? 0 : commas + (c == ',' ? 1 : 0);
    most = std::max(most, commas);
  }
  EXPECT_EQ(most, 119U);
  EXPECT_THAT(wide, HasSubstr("headwater_hash('t', headwater_text('l', \"c\", "));
  EXPECT_THAT(wide, HasSubstr("\"c\"), 't', headwater_text('l', "));
}

}  // namespace
}  // namespace headwater
