// PostgreSQL through psqlODBC for the source contract: the generic ODBC reader.
#ifndef HEADWATER_TESTS_DB_PSQLODBC_UNDER_TEST_H_
#define HEADWATER_TESTS_DB_PSQLODBC_UNDER_TEST_H_

#include "tests/db/postgres_under_test.h"
#include "worker/source/odbc/odbc_source.h"

namespace headwater {

class PsqlOdbcUnderTest : public PostgresUnderTest {
 public:
  using PostgresUnderTest::PostgresUnderTest;
  static std::unique_ptr<PsqlOdbcUnderTest> Create(std::string& why_not) {
    ThrowawayPostgres* server = SharedPostgres(why_not);
    return server == nullptr ? nullptr : std::make_unique<PsqlOdbcUnderTest>(*server);
  }
  ServerSpec server() const override {
    ServerSpec server;
    server.name = "s";
    server.url = absl::StrCat("odbc:Driver={PostgreSQL Unicode};Servername=", postgres().folder(),
                              ";Port=5432;Database=postgres;UID=postgres");
    return server;
  }
  absl::StatusOr<std::unique_ptr<Source>> Open() const override { return OpenOdbcSource(server()); }
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_DB_PSQLODBC_UNDER_TEST_H_
