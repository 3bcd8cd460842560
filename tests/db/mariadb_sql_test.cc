// Every statement of tests/data/sql/mysql on a real MariaDB, through its ODBC driver and in a
// session of ours: what sqlglot parses is not yet what a server takes.
#include <cstdlib>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/throwaway_mariadb.h"
#include "tests/unit/worker/source/sql_cases.h"
#include "worker/source/checksum_query.h"
#include "worker/source/odbc/odbc_handles.h"
#include "worker/source/odbc/odbc_session.h"

namespace headwater {
namespace {

class MariaDbSql : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    server_ = ThrowawayMariaDb::Start(why);
    if (server_ == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "CI forbids skips: " << why;
      GTEST_SKIP() << why;
    }
    writer_ = *OdbcConnection::Open(server_->ConnectionString("mysql"));
    Execute("CREATE DATABASE golden CHARACTER SET utf8mb4");
    Execute("CREATE DATABASE public");
    Execute("CREATE TABLE public.events (id BIGINT, name TEXT)");
    Execute("USE golden");
    Execute("SET time_zone = '+00:00', sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'");
    Execute(
        "CREATE TABLE events (id BIGINT, flag BOOLEAN, amount DECIMAL(18,2), ratio DOUBLE, name "
        "VARCHAR(100), token CHAR(36), payload BLOB, day DATE, at DATETIME(6), at_instant "
        "TIMESTAMP(6) NULL, n BIGINT)");
    for (const auto& [what, name] : HostileNames(DialectKind::kMariaDb)) {
      const std::string quoted = *QuoteIdentifier(DialectOf(DialectKind::kMariaDb), name);
      Execute(absl::StrCat("CREATE TABLE ", quoted, " (", quoted, " BIGINT)"));
    }
    for (int i = 0; i < 60; ++i) {
      Execute(absl::StrCat(
          "INSERT INTO events VALUES (", i - 10, ", ", i % 2, ", ", i * 7 - 100, ".25, ", i,
          ".5, 'it''s \\ 表 ", i % 5, "', UUID(), X'00", 10 + i, "', DATE '2012-12-20' + INTERVAL ",
          i, " DAY, TIMESTAMP '2012-12-31 20:00:00' + INTERVAL ", i,
          " HOUR, TIMESTAMP '2012-12-31 20:00:00.000001' + INTERVAL ", i, " HOUR, ", i, ")"));
    }
    Execute("INSERT INTO events (id) VALUES (5000)");
    session_ = *OdbcSession::Open(server_->ConnectionString("golden"));
  }

  void Execute(const std::string& sql) {
    const absl::Status done = (*writer_->NewStatement())->Execute(sql);
    ASSERT_TRUE(done.ok()) << sql << ": " << done;
  }

  std::vector<TextRow> Ask(const std::string& sql) {
    const auto rows = session_->Query(sql);
    EXPECT_TRUE(rows.ok()) << sql << ": " << rows.status();
    return rows.value_or(std::vector<TextRow>());
  }

  RowChecksum Checksum() {
    const std::vector<TextRow> rows = Ask(SqlCases(DialectKind::kMariaDb).at("checksum_whole"));
    return rows.empty() ? RowChecksum{} : ParseChecksum(rows[0]).value();
  }

  std::unique_ptr<ThrowawayMariaDb> server_;
  std::unique_ptr<OdbcConnection> writer_;
  std::unique_ptr<OdbcSession> session_;
};

TEST_F(MariaDbSql, EveryStatementRuns) {
  for (const auto& [name, sql] : SqlCases(DialectKind::kMariaDb)) {
    SCOPED_TRACE(name);
    if (absl::StartsWith(name, "session_")) {
      const absl::Status done = session_->Execute(sql);
      EXPECT_TRUE(done.ok()) << sql << ": " << done;
    } else {
      Ask(sql);
    }
  }
  // The timeout among them is in force.
  EXPECT_EQ(Ask("SELECT CAST(@@max_statement_time AS CHAR)")[0][0], "90.500000");
}

TEST_F(MariaDbSql, ASessionCannotWrite) {
  EXPECT_FALSE(session_->Execute("DELETE FROM events").ok());
}

TEST_F(MariaDbSql, AStatementThatTakesTooLongIsEndedByTheServerAndTriedAgain) {
  const Dialect& dialect = DialectOf(DialectKind::kMariaDb);
  ASSERT_TRUE(session_->Execute(StatementTimeoutSql(dialect, absl::Milliseconds(20))).ok());
  const absl::Status status =
      session_->Query("SELECT COUNT(*) FROM events a, events b, events c, events d, events e")
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

TEST_F(MariaDbSql, PartsHaveEveryRowOnce) {
  std::map<std::string, std::multiset<std::string>> ids;  // By split.
  for (const auto& [name, sql] : SqlCases(DialectKind::kMariaDb)) {
    if (!absl::StartsWith(name, "split_")) continue;
    for (const TextRow& row : Ask(sql)) {
      ids[name.substr(0, name.rfind('_'))].insert(row[0].value_or(""));
    }
  }
  EXPECT_GE(ids.size(), 5U);
  for (const auto& [split, found] : ids) {
    EXPECT_EQ(found.size(), 61U) << split;
    EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), 61U) << split;
  }
}

TEST_F(MariaDbSql, AChecksumKnowsNoOrderAndEveryCell) {
  const RowChecksum before = Checksum();
  EXPECT_EQ(before.rows, 61);
  Execute("CREATE TABLE sorted AS SELECT * FROM events ORDER BY id DESC");
  Execute("RENAME TABLE events TO old, sorted TO events");
  EXPECT_EQ(Checksum(), before);
  std::set<uint64_t> seen = {before.sum};
  for (const char* change :
       {"id = 777", "flag = NULL", "amount = 0.01", "ratio = 0.25", "name = ''", "token = ''",
        "payload = X''", "day = NULL", "at = '2013-01-01 00:00:00.000001'",
        "at_instant = '1999-12-31 23:59:59.999999'"}) {
    Execute("CREATE OR REPLACE TABLE events AS SELECT * FROM old");
    Execute(absl::StrCat("UPDATE events SET ", change, " WHERE id = 7"));
    seen.insert(Checksum().sum);
  }
  EXPECT_EQ(seen.size(), 11U);
}

}  // namespace
}  // namespace headwater
