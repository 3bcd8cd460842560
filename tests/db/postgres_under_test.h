// PostgreSQL for the source contract: one throw-away server for the whole test binary.
#ifndef HEADWATER_TESTS_DB_POSTGRES_UNDER_TEST_H_
#define HEADWATER_TESTS_DB_POSTGRES_UNDER_TEST_H_

#include <libpq-fe.h>

#include <memory>
#include <string>

#include "tests/contract/source_under_test.h"
#include "tests/support/throwaway_postgres.h"

namespace headwater {

// The server that the binary's tests share, or null with the reason.
inline ThrowawayPostgres* SharedPostgres(std::string& why_not) {
  static std::string reason;
  static const std::unique_ptr<ThrowawayPostgres> server = ThrowawayPostgres::Start(reason);
  why_not = reason;
  return server.get();
}

class PostgresUnderTest : public SourceUnderTest {
 public:
  explicit PostgresUnderTest(const ThrowawayPostgres& server)
      : server_(server), connection_(PQconnectdb(server.Url().c_str())) {
    Execute("SET client_min_messages TO warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  }
  ~PostgresUnderTest() override { PQfinish(connection_); }

  void Execute(const std::string& sql) override {
    PGresult* result = PQexec(connection_, sql.c_str());
    EXPECT_EQ(PQresultStatus(result), PGRES_COMMAND_OK) << PQerrorMessage(connection_);
    PQclear(result);
  }
  // The first value of the first row, or empty.
  std::string Ask(const std::string& sql) {
    PGresult* result = PQexec(connection_, sql.c_str());
    EXPECT_EQ(PQresultStatus(result), PGRES_TUPLES_OK) << PQerrorMessage(connection_);
    std::string answer = PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0);
    PQclear(result);
    return answer;
  }
  std::string TypeName(TypeKind kind) const override {
    switch (kind) {
      case TypeKind::kLong:
        return "BIGINT";
      case TypeKind::kTimestampNtz:
        return "TIMESTAMP";
      case TypeKind::kDouble:
        return "DOUBLE PRECISION";
      case TypeKind::kBoolean:
        return "BOOLEAN";
      case TypeKind::kDate:
        return "DATE";
      case TypeKind::kBinary:
        return "BYTEA";
      default:
        return "TEXT";
    }
  }
  std::string Blob(const std::string& hex) const override { return absl::StrCat("'\\x", hex, "'"); }
  std::string SlowQuery() const override { return "SELECT pg_sleep(100)::text"; }
  const ThrowawayPostgres& postgres() const { return server_; }

 private:
  const ThrowawayPostgres& server_;
  PGconn* connection_;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_DB_POSTGRES_UNDER_TEST_H_
