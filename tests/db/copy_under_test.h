// PostgreSQL through COPY for the source contract.
#ifndef HEADWATER_TESTS_DB_COPY_UNDER_TEST_H_
#define HEADWATER_TESTS_DB_COPY_UNDER_TEST_H_

#include "tests/db/postgres_under_test.h"
#include "worker/source/postgres/postgres_source.h"

namespace headwater {

class CopyUnderTest : public PostgresUnderTest {
 public:
  using PostgresUnderTest::PostgresUnderTest;
  static std::unique_ptr<CopyUnderTest> Create(std::string& why_not) {
    ThrowawayPostgres* server = SharedPostgres(why_not);
    return server == nullptr ? nullptr : std::make_unique<CopyUnderTest>(*server);
  }
  ServerSpec server() const override {
    ServerSpec server;
    server.name = "s";
    server.url = postgres().Url();
    return server;
  }
  absl::StatusOr<std::unique_ptr<Source>> Open() const override {
    return OpenPostgresSource(server());
  }
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_DB_COPY_UNDER_TEST_H_
