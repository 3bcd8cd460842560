// A new SQLite file for each test of the source contract.
#ifndef HEADWATER_TESTS_CONTRACT_SQLITE_UNDER_TEST_H_
#define HEADWATER_TESTS_CONTRACT_SQLITE_UNDER_TEST_H_

#include <sqlite3.h>

#include <memory>
#include <string>

#include "tests/contract/source_under_test.h"
#include "tests/support/temp_folder.h"
#include "worker/source/odbc/odbc_source.h"

namespace headwater {

class SqliteUnderTest : public SourceUnderTest {
 public:
  static std::unique_ptr<SqliteUnderTest> Create(std::string&) {
    return std::make_unique<SqliteUnderTest>();
  }
  SqliteUnderTest() { sqlite3_open(path().c_str(), &db_); }
  ~SqliteUnderTest() override { sqlite3_close(db_); }
  void Execute(const std::string& sql) override {
    char* error = nullptr;
    ASSERT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
  }
  ServerSpec server() const override {
    ServerSpec server;
    server.name = "s";
    server.url = absl::StrCat("odbc:Driver=SQLite3;Database=", path());
    return server;
  }
  absl::StatusOr<std::unique_ptr<Source>> Open() const override { return OpenOdbcSource(server()); }
  std::string TypeName(TypeKind kind) const override {
    switch (kind) {
      case TypeKind::kLong:
        return "INTEGER";
      case TypeKind::kTimestampNtz:
        return "TIMESTAMP";
      case TypeKind::kDouble:
        return "REAL";
      case TypeKind::kBoolean:
        return "BOOLEAN";
      case TypeKind::kDate:
        return "DATE";
      case TypeKind::kBinary:
        return "BLOB";
      default:
        return "TEXT";
    }
  }
  std::string Blob(const std::string& hex) const override { return absl::StrCat("x'", hex, "'"); }
  std::string BadInteger() const override {
    return "INSERT INTO events (id, at) VALUES ('abc', '2013-01-01 07:00:00')";
  }
  std::string SlowQuery() const override {
    return "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
  }
  const std::string& folder() const { return folder_.path(); }
  std::string path() const { return folder() + "/s.db"; }

 private:
  TempFolder folder_;
  sqlite3* db_ = nullptr;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_SQLITE_UNDER_TEST_H_
