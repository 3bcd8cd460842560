#include "worker/source/odbc/odbc_quirks.h"

#include "gtest/gtest.h"
#include "worker/source/sqlstate.h"

namespace headwater {
namespace {

TEST(OdbcQuirks, SettingsAreFoundWhateverTheirCaseAndBraces) {
  const absl::string_view text = "DRIVER={PostgreSQL Unicode};Server=db;pwd={a;b};Database=crm";
  EXPECT_EQ(ConnectionSetting(text, "Driver"), "PostgreSQL Unicode");
  EXPECT_EQ(ConnectionSetting(text, "PWD"), "a;b");
  EXPECT_EQ(ConnectionSetting(text, "database"), "crm");
  EXPECT_EQ(ConnectionSetting(text, "b"), "");
}

TEST(OdbcQuirks, DriversGetTheSettingsThatMakeThemSafeOnce) {
  EXPECT_EQ(WithDriverSettings("Driver=SQLite3;Database=x"),
            "Driver=SQLite3;Database=x;NoCreat=1;StepAPI=1");
  EXPECT_EQ(WithDriverSettings("Driver=SQLite3;Database=x;StepAPI=1;NoCreat=1"),
            "Driver=SQLite3;Database=x;StepAPI=1;NoCreat=1");
  EXPECT_EQ(WithDriverSettings("Driver=Other;Server=x"), "Driver=Other;Server=x");
}

TEST(OdbcQuirks, AConnectionThatOnlyStopsAQueryDoesNotWaitForEver) {
  const std::string given = "Driver=MariaDB Unicode;Server=db";
  for (const absl::string_view dbms : {"MariaDB", "MySQL"}) {
    const OdbcQuirks& quirks = QuirksOf(dbms, "libmaodbc.so");
    ASSERT_TRUE(quirks.cancel_frees_result);
    const std::string connect = WithCancelSettings(given, quirks);
    for (const char* key : {"CONN_TIMEOUT", "READ_TIMEOUT", "WRITE_TIMEOUT"}) {
      EXPECT_EQ(ConnectionSetting(connect, key), "10") << key;
    }
  }
  EXPECT_EQ(WithCancelSettings(given, QuirksOf("PostgreSQL", "psqlodbcw.so")), given);
}

TEST(OdbcQuirks, DatabasesAreKnownByTheirName) {
  EXPECT_EQ(QuirksOf("SQLite", "").dialect, DialectKind::kSqlite);
  EXPECT_EQ(QuirksOf("PostgreSQL", "psqlodbcw.so").dialect, DialectKind::kPostgres);
  EXPECT_EQ(QuirksOf("Something", "").dialect, DialectKind::kGeneric);
}

TEST(OdbcQuirks, SqlstatesAndWordsBecomeCodes) {
  const auto code = [](absl::string_view state, absl::string_view words) {
    return StatusFromSqlstate(state, words).code();
  };
  EXPECT_EQ(code("08001", ""), absl::StatusCode::kUnavailable);
  EXPECT_EQ(code("08004", "Too many connections"), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code("53300", ""), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code("42S02", ""), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("42501", ""), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code("28P01", ""), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code("42000", "Access denied; you need (at least one of) the PROCESS privilege(s)"),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code("22003", ""), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("57014", ""), absl::StatusCode::kCancelled);
  EXPECT_EQ(code("57014", "ERROR:  canceling statement due to statement timeout"),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(code("70100", "Query execution was interrupted (max_statement_time exceeded)"),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(code("HY000", "no such table: nix (1)"), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("HY000", "database is locked (5)"), absl::StatusCode::kUnavailable);
  EXPECT_EQ(code("HY000", "who knows"), absl::StatusCode::kUnknown);
  EXPECT_EQ(*StatusFromSqlstate("08001", "x").GetPayload(kSqlstatePayload), "08001");
}

}  // namespace
}  // namespace headwater
