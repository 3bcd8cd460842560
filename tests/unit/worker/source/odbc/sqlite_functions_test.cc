#include "worker/source/odbc/sqlite_functions.h"

#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

class SqliteFunctions : public ::testing::Test {
 protected:
  SqliteFunctions() {
    sqlite3_open(":memory:", &file_);
    AddSqliteFunctions(file_);
  }
  ~SqliteFunctions() override { sqlite3_close(file_); }

  // The first value of the last row, or what went wrong.
  std::string Ask(const std::string& sql) {
    std::string answer;
    char* error = nullptr;
    const auto take = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) = values[0] == nullptr ? "NULL" : values[0];
      return 0;
    };
    if (sqlite3_exec(file_, sql.c_str(), take, &answer, &error) == SQLITE_OK) return answer;
    answer = error;
    sqlite3_free(error);
    return answer;
  }
  // What headwater_text() makes of them.
  std::string Text(const std::string& fields) {
    return absl::HexStringToBytes(Ask(absl::StrCat("SELECT hex(headwater_text(", fields, "))")));
  }

  sqlite3* file_ = nullptr;
};

TEST_F(SqliteFunctions, HashesAreThoseOfTheWorkedExample) {
  // docs/source-checksum.md: 3eb82ed9c0202990 and 1dc64faa92a85919.
  const std::string first = "headwater_hash('l', 42, 's', 'Zoë', 'm9,2', 12.5, '~')";
  EXPECT_EQ(Text("'l', 42, 's', 'Zoë', 'm9,2', 12.5, '~'"), "42,4:Zoë,12.50,~,");
  EXPECT_EQ(Ask("SELECT printf('%016x', " + first + ")"), "3eb82ed9c0202990");
  EXPECT_EQ(Ask("SELECT headwater_sum(h) FROM (SELECT " + first +
                " AS h UNION ALL SELECT headwater_hash('l', -1, 's', '', 'm9,2', NULL, 't', "
                "CAST('2013-01-31 05:00:00.250000Z,' AS BLOB)))"),
            "6664903605344567977");
}

TEST_F(SqliteFunctions, EachTypeHasTheTextOfTheSpecification) {
  EXPECT_EQ(Text("'b', 1, 'b', 0, 'b', NULL"), "1,0,~,");
  EXPECT_EQ(Text("'l', -9223372036854775807 - 1"), "-9223372036854775808,");
  EXPECT_EQ(Text("'d', 0.1, 'd', -0.0, 'd', 9e999, 'd', 2"),
            "3fb999999999999a,0000000000000000,7ff0000000000000,4000000000000000,");
  EXPECT_EQ(Text("'m18,6', 1, 'm18,6', 0.000001, 'm38,0', -9223372036854775807, 'm5,1', -0.1"),
            "1.000000,0.000001,-9223372036854775807,-0.1,");
  EXPECT_EQ(Text("'s', 'it''s', 's', 12, 's', char(97, 0, 98)"),
            std::string("4:it's,2:12,3:a\0b,", 18));
  EXPECT_EQ(Text("'x', x'00fF', 'x', x''"), "00ff,,");
  EXPECT_EQ(Text("'D', '0001-01-01', 'D', '2024-02-29'"), "0001-01-01,2024-02-29,");
  EXPECT_EQ(Text("'T', '2013-01-31T05:00:00.25', 'T', '1969-12-31 23:59:59'"),
            "2013-01-31 05:00:00.250000,1969-12-31 23:59:59.000000,");
}

TEST_F(SqliteFunctions, AValueThatIsNotOfItsTypeHasATextThatNoValueHas) {
  EXPECT_EQ(Text("'b', 2, 'l', 'abc', 'l', 1.5"), "!i32,!t616263,!r312e35,");
  EXPECT_EQ(Text("'d', 'x', 'd', 9007199254740993, 'd', x'00'"),
            "!t78,!i39303037313939323534373430393933,!b00,");
  EXPECT_EQ(Text("'m4,2', 100, 'm4,2', 0.001, 'm4,2', 'x'"), "!i313030,!r302e303031,!t78,");
  EXPECT_EQ(Text("'s', x'61', 's', 1.5, 'x', 'a', 'x', 1"), "!b61,!r312e35,!t61,!i31,");
  EXPECT_EQ(Text("'D', '2013-02-30', 'D', 5, 'T', '2013-01-31 05:00'"),
            "!t323031332d30322d3330,!i35,!t323031332d30312d33312030353a3030,");
  EXPECT_EQ(Text("'T', '2013-01-31 05:00:00.1234567'"),
            "!t323031332d30312d33312030353a30303a30302e31323334353637,")
      << "no microsecond";
}

TEST_F(SqliteFunctions, TextsArePutTogetherWhereARowHasMoreColumnsThanAFunctionTakes) {
  EXPECT_EQ(Ask("SELECT headwater_hash('t', headwater_text('l', 1, '~'), 't', "
                "headwater_text('s', 'a')) = headwater_hash('l', 1, '~', 's', 'a')"),
            "1");
}

TEST_F(SqliteFunctions, OfNoRowsTheSumIsNothingAndOfManyItGoesAround) {
  EXPECT_EQ(Ask("SELECT headwater_sum(1) FROM (SELECT 1) WHERE FALSE"), "0");
  EXPECT_EQ(
      Ask("SELECT headwater_sum(h) FROM (SELECT 9223372036854775807 AS h UNION ALL SELECT 3)"),
      "-9223372036854775806");
}

TEST_F(SqliteFunctions, AFileInUtf16HasTheSameTexts) {
  sqlite3* wide = nullptr;
  sqlite3_open(":memory:", &wide);
  std::swap(file_, wide);
  EXPECT_EQ(
      Ask("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (c TEXT); INSERT INTO t VALUES ('Zoë'); "
          "PRAGMA encoding"),
      "UTF-16le");
  AddSqliteFunctions(file_);
  EXPECT_EQ(absl::HexStringToBytes(Ask("SELECT hex(headwater_text('s', c)) FROM t")), "4:Zoë,");
  std::swap(file_, wide);
  sqlite3_close(wide);
}

TEST_F(SqliteFunctions, WhatIsNoFieldIsRefused) {
  for (const char* fields : {"'l'", "'', 1", "NULL, 1", "'l', 1, 's'"}) {
    EXPECT_THAT(Ask(absl::StrCat("SELECT headwater_hash(", fields, ")")), HasSubstr("fields"));
    EXPECT_THAT(Ask(absl::StrCat("SELECT headwater_text(", fields, ")")), HasSubstr("fields"));
  }
}

TEST_F(SqliteFunctions, AViewOfTheFileCannotCallThem) {
  Ask("CREATE VIEW v AS SELECT headwater_hash('l', 1) AS h");
  EXPECT_THAT(Ask("SELECT h FROM v"), HasSubstr("unsafe use"));
}

}  // namespace
}  // namespace headwater
