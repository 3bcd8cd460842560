// MariaDB for the source contract: one throw-away server for the whole test binary.
#ifndef HEADWATER_TESTS_DB_MARIADB_UNDER_TEST_H_
#define HEADWATER_TESTS_DB_MARIADB_UNDER_TEST_H_

#include <memory>
#include <string>

#include "tests/contract/source_under_test.h"
#include "tests/support/throwaway_mariadb.h"
#include "worker/source/mariadb/mariadb_source.h"
#include "worker/source/odbc/odbc_handles.h"
#include "worker/source/odbc/odbc_quirks.h"
#include "worker/source/odbc/odbc_source.h"

namespace headwater {

// The server that the binary's tests share, or null with the reason.
inline ThrowawayMariaDb* SharedMariaDb(std::string& why_not) {
  static std::string reason;
  static const std::unique_ptr<ThrowawayMariaDb> server = ThrowawayMariaDb::Start(reason);
  why_not = reason;
  return server.get();
}

class MariaDbUnderTest : public SourceUnderTest {
 public:
  static std::unique_ptr<MariaDbUnderTest> Create(std::string& why_not) {
    ThrowawayMariaDb* server = SharedMariaDb(why_not);
    return server == nullptr ? nullptr : std::make_unique<MariaDbUnderTest>(*server);
  }
  explicit MariaDbUnderTest(const ThrowawayMariaDb& server) : server_(server) {
    auto connection = OdbcConnection::Open(WithDriverSettings(server.ConnectionString("mysql")));
    EXPECT_TRUE(connection.ok()) << connection.status();
    connection_ = *std::move(connection);
    Execute("DROP DATABASE IF EXISTS contract");
    Execute("CREATE DATABASE contract");
    Execute("USE contract");
    Execute("SET time_zone = '+00:00'");
  }
  void Execute(const std::string& sql) override {
    const absl::Status done = (*connection_->NewStatement())->Execute(sql);
    EXPECT_TRUE(done.ok()) << done;
  }
  ServerSpec server() const override { return ServerAs("root"); }
  virtual ServerSpec ServerAs(const std::string& user) const {
    ServerSpec server;
    server.name = "s";
    server.url = absl::StrCat("odbc:", server_.ConnectionString("contract", user));
    return server;
  }
  absl::StatusOr<std::unique_ptr<Source>> Open() const override { return OpenAs("root"); }
  absl::StatusOr<std::unique_ptr<Source>> OpenAs(const std::string& user) const {
    return OpenWith(ServerAs(user));
  }
  virtual absl::StatusOr<std::unique_ptr<Source>> OpenWith(const ServerSpec& server) const {
    return OpenOdbcSource(server);
  }
  std::string TypeName(TypeKind kind) const override {
    switch (kind) {
      case TypeKind::kLong:
        return "BIGINT";
      case TypeKind::kTimestampNtz:
        return "DATETIME";
      case TypeKind::kDouble:
        return "DOUBLE";
      case TypeKind::kBoolean:
        return "BOOLEAN";
      case TypeKind::kDate:
        return "DATE";
      case TypeKind::kBinary:
        return "BLOB";
      default:
        return "LONGTEXT";
    }
  }
  std::string Blob(const std::string& hex) const override { return absl::StrCat("x'", hex, "'"); }
  std::string SlowQuery() const override { return "SELECT CAST(SLEEP(100) AS CHAR)"; }

 protected:
  const ThrowawayMariaDb& server_;

 private:
  std::unique_ptr<OdbcConnection> connection_;
};

// The same server, read through libmariadb.
class StreamedMariaDbUnderTest : public MariaDbUnderTest {
 public:
  static std::unique_ptr<StreamedMariaDbUnderTest> Create(std::string& why_not) {
    ThrowawayMariaDb* server = SharedMariaDb(why_not);
    return server == nullptr ? nullptr : std::make_unique<StreamedMariaDbUnderTest>(*server);
  }
  using MariaDbUnderTest::MariaDbUnderTest;
  ServerSpec ServerAs(const std::string& user) const override {
    ServerSpec server;
    server.name = "s";
    server.url = server_.Url("contract", user);
    return server;
  }
  absl::StatusOr<std::unique_ptr<Source>> OpenWith(const ServerSpec& server) const override {
    return OpenMariaDbSource(server);
  }
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_DB_MARIADB_UNDER_TEST_H_
