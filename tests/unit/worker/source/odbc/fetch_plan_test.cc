#include "worker/source/odbc/fetch_plan.h"

#include "gtest/gtest.h"
#include "worker/source/odbc/catalog_type.h"
#include "worker/source/odbc/column_type.h"

namespace headwater {
namespace {

constexpr int64_t kBlockBytes = 1 << 20;

OdbcColumn ColumnOf(const std::string& type_name, SQLSMALLINT sql_type, SQLULEN size = 0,
                    SQLSMALLINT digits = 0, bool is_unsigned = false) {
  OdbcColumn column;
  column.source.type_name = type_name;
  column.source.column = {"v", TypeOfOdbc({sql_type, type_name, size, digits, is_unsigned}), true};
  column.sql_type = sql_type;
  column.size = static_cast<int64_t>(size);
  return column;
}

FetchPlan PlanOf(const OdbcQuirks& quirks, const OdbcColumn& column) {
  const auto plan = PlanBlock(quirks, {column}, kBlockBytes);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan->columns[0];
}

TEST(FetchPlan, SqlServersTypesAreFetchedWithoutLoss) {
  const OdbcQuirks& quirks = QuirksOf("Microsoft SQL Server", "libtdsodbc.so");
  const auto plan = [&](const OdbcColumn& column) { return PlanOf(quirks, column); };
  EXPECT_EQ(plan(ColumnOf("int", SQL_INTEGER)).c_type, SQL_C_SBIGINT);
  EXPECT_EQ(plan(ColumnOf("bit", SQL_BIT)).c_type, SQL_C_SBIGINT);
  EXPECT_EQ(plan(ColumnOf("real", SQL_REAL)).c_type, SQL_C_DOUBLE);
  EXPECT_EQ(plan(ColumnOf("datetime2", SQL_TYPE_TIMESTAMP)).c_type, SQL_C_TYPE_TIMESTAMP);
  EXPECT_EQ(plan(ColumnOf("uniqueidentifier", SQL_GUID)).c_type, SQL_C_GUID);
  EXPECT_EQ(plan(ColumnOf("money", SQL_DECIMAL, 19, 4)).expression, "CAST([v] AS decimal(19,4))");
  EXPECT_EQ(plan(ColumnOf("numeric", SQL_NUMERIC, 38, 4)).expression, "[v]");
  EXPECT_EQ(plan(ColumnOf("datetimeoffset", kSqlServerOffset)).expression,
            "CONVERT(nvarchar(4000), [v], 126)");
  EXPECT_EQ(plan(ColumnOf("time", kSqlServerTime)).expression, "CONVERT(nvarchar(4000), [v], 126)");
  EXPECT_EQ(plan(ColumnOf("xml", -152)).expression, "CAST([v] AS nvarchar(max))");
  const FetchPlan text = plan(ColumnOf("nvarchar", SQL_WVARCHAR, 4000));
  EXPECT_EQ(text.c_type, SQL_C_WCHAR);
  EXPECT_TRUE(text.bound);
  EXPECT_GE(text.width_bytes, 8002U);
}

TEST(FetchPlan, LongColumnsComeLastAndRowByRowWhereBlocksCannotBeReadAgain) {
  const OdbcQuirks& quirks = QuirksOf("Microsoft SQL Server", "libmsodbcsql-18.so");
  const auto plan = PlanBlock(
      quirks, {ColumnOf("nvarchar", SQL_WVARCHAR, 0), ColumnOf("int", SQL_INTEGER)}, kBlockBytes);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->rows, 1U);
  EXPECT_EQ(plan->select_order, (std::vector<size_t>{1, 0}));
  EXPECT_FALSE(plan->columns[0].bound);
  EXPECT_EQ(plan->columns[0].ordinal, 2);
}

TEST(FetchPlan, BlocksKeepToTheirBudgetHoweverWideTheTable) {
  const OdbcQuirks& quirks = QuirksOf("PostgreSQL", "psqlodbcw.so");
  const std::vector<OdbcColumn> columns(300, ColumnOf("text", SQL_LONGVARCHAR, 8190));
  const auto plan = PlanBlock(quirks, columns, kBlockBytes);
  ASSERT_TRUE(plan.ok());
  EXPECT_GE(plan->rows, 40U);
  EXPECT_LE(plan->rows * 300 * plan->columns[0].width_bytes, static_cast<size_t>(kBlockBytes));
}

TEST(FetchPlan, WhatDriversCorruptIsAskedForAsText) {
  const OdbcQuirks& postgres = QuirksOf("PostgreSQL", "psqlodbcw.so");
  EXPECT_EQ(PlanOf(postgres, ColumnOf("date", SQL_TYPE_DATE)).expression, "CAST(\"v\" AS text)");
  EXPECT_EQ(PlanOf(postgres, ColumnOf("time", SQL_TYPE_TIME)).expression, "CAST(\"v\" AS text)");
  const OdbcQuirks& mariadb = QuirksOf("MariaDB", "libmaodbc.so");
  EXPECT_EQ(PlanOf(mariadb, ColumnOf("datetime", SQL_TYPE_TIMESTAMP)).expression, "CONCAT(`v`)");
  EXPECT_EQ(PlanOf(mariadb, ColumnOf("bigint", SQL_BIGINT, 20, 0, true)).expression, "CONCAT(`v`)");
}

TEST(FetchPlan, ColumnsThatAreReadAsTextKeepEveryDigit) {
  const auto expression = [](const OdbcQuirks& quirks, OdbcColumn column) {
    column.source.as_text = true;
    const FetchPlan plan = PlanOf(quirks, column);
    EXPECT_EQ(plan.c_type, SQL_C_CHAR) << column.source.type_name;
    return plan.expression;
  };
  const OdbcQuirks& server = QuirksOf("Microsoft SQL Server", "libtdsodbc.so");
  EXPECT_EQ(expression(server, ColumnOf("datetime2", SQL_TYPE_TIMESTAMP)),
            "CONVERT(nvarchar(4000), [v], 126)");
  EXPECT_EQ(expression(server, ColumnOf("date", SQL_TYPE_DATE)),
            "CONVERT(nvarchar(4000), [v], 126)");
  EXPECT_EQ(expression(server, ColumnOf("datetimeoffset", kSqlServerOffset)),
            "CONVERT(nvarchar(4000), [v], 126)");
  EXPECT_EQ(expression(server, ColumnOf("float", SQL_FLOAT)), "CONVERT(nvarchar(4000), [v], 3)");
  EXPECT_EQ(expression(server, ColumnOf("money", SQL_DECIMAL, 19, 4)),
            "CONVERT(nvarchar(4000), [v], 2)");
  EXPECT_EQ(expression(server, ColumnOf("decimal", SQL_DECIMAL, 38, 4)),
            "CONVERT(nvarchar(4000), [v])");
  EXPECT_EQ(expression(server, ColumnOf("bit", SQL_BIT)), "CONVERT(nvarchar(4000), [v])");
  const OdbcQuirks& mariadb = QuirksOf("MariaDB", "libmaodbc.so");
  EXPECT_EQ(expression(mariadb, ColumnOf("float", SQL_REAL)), "CAST(CAST(`v` AS DOUBLE) AS CHAR)");
  EXPECT_EQ(expression(mariadb, ColumnOf("bit", SQL_BIT)), "CAST(`v` + 0 AS CHAR)");
  EXPECT_EQ(expression(mariadb, ColumnOf("decimal", SQL_DECIMAL, 38, 4)), "CAST(`v` AS CHAR)");
  const OdbcQuirks& postgres = QuirksOf("PostgreSQL", "psqlodbcw.so");
  EXPECT_EQ(expression(postgres, ColumnOf("bool", SQL_VARCHAR, 5)), "CAST(\"v\" AS text)");
  EXPECT_EQ(expression(postgres, ColumnOf("money", SQL_DECIMAL, 19, 2)),
            "CAST(CAST(\"v\" AS numeric) AS text)");
}

TEST(CatalogType, MariaDbsTypesAreReadFromTheirWords) {
  const auto type = [](absl::string_view text) {
    return TypeToString(TypeOfCatalog(DialectKind::kMariaDb, text, ColumnType{}));
  };
  EXPECT_EQ(type("tinyint(1)"), "boolean");
  EXPECT_EQ(type("tinyint(1) unsigned"), "short");
  EXPECT_EQ(type("tinyint(4)"), "short");
  EXPECT_EQ(type("smallint(5) unsigned"), "integer");
  EXPECT_EQ(type("int(10) unsigned zerofill"), "long");
  EXPECT_EQ(type("bigint(20) unsigned"), "decimal(20,0)");
  EXPECT_EQ(type("decimal(38,10)"), "decimal(38,10)");
  EXPECT_EQ(type("decimal(39,0)"), "string");
  EXPECT_EQ(type("bit(1)"), "boolean");
  EXPECT_EQ(type("bit(2)"), "binary");
  EXPECT_EQ(type("datetime(6)"), "timestamp_ntz");
  EXPECT_EQ(type("timestamp"), "timestamp");
  EXPECT_EQ(type("time(6)"), "string");
  EXPECT_EQ(type("enum('bit(1)','int')"), "string");
  EXPECT_EQ(type("longtext"), "string");
}

}  // namespace
}  // namespace headwater
