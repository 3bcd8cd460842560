// SQLite through ODBC under the source contract, and what only SQLite can get wrong.
#include "tests/contract/source_contract.h"
#include "tests/contract/source_sums_contract.h"
#include "tests/contract/sqlite_under_test.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, SourceContract, SqliteUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, SourceSumsContract, SqliteUnderTest);

class SqliteSource : public ::testing::Test {
 protected:
  // Status of reading `t`, created with one column `v` of `type` that holds `literal`.
  absl::Status ReadOne(const std::string& type, const std::string& literal) {
    db_.Execute("DROP TABLE IF EXISTS t");
    db_.Execute(absl::StrCat("CREATE TABLE t (id INTEGER, v ", type, ")"));
    db_.Execute(absl::StrCat("INSERT INTO t VALUES (17, ", literal, ")"));
    DatasetSpec dataset;
    dataset.relation = "t";
    dataset.server = db_.server();
    auto source = db_.Open();
    if (!source.ok()) return source.status();
    auto reader = (*source)->Read(dataset, Extent{Range{0, 1}, false}, ReadOptions{});
    if (!reader.ok()) return reader.status();
    auto batch = (*reader)->Next();
    if (!batch.ok()) return batch.status();
    return *batch != nullptr && (*batch)->rows() == 1 ? absl::OkStatus()
                                                      : absl::InternalError("no row");
  }

  SqliteUnderTest db_;
};

TEST_F(SqliteSource, AValueThatIsNotOfTheDeclaredTypeIsAnError) {
  const std::pair<const char*, const char*> bad[] = {{"INTEGER", "'abc'"},
                                                     {"INTEGER", "1.5"},
                                                     {"INTEGER", "9.3e18"},
                                                     {"REAL", "'abc'"},
                                                     {"BOOLEAN", "2"},
                                                     {"DECIMAL(10,2)", "1.005"},
                                                     {"DECIMAL(10,2)", "0.1+0.2"},
                                                     {"DECIMAL(4,2)", "123.45"},
                                                     {"TIMESTAMP", "'2013-13-45 00:00:00'"},
                                                     {"TIMESTAMP", "1356998400"},
                                                     {"TIMESTAMP", "'2013-01-01'"},
                                                     {"TIMESTAMP", "'2013-01-01 10:00'"},
                                                     {"TIMESTAMP", "'2013-01-01T10:00:00Z'"},
                                                     {"DATE", "'2013-02-29'"},
                                                     {"BLOB", "'text'"},
                                                     {"TEXT", "x'6162'"},
                                                     {"TEXT", "CAST(x'ff41' AS TEXT)"}};
  for (const auto& [type, literal] : bad) {
    const absl::Status status = ReadOne(type, literal);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument)
        << type << " " << literal << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("column 'v'"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("id=17"));
  }
}

TEST_F(SqliteSource, ValuesOfTheDeclaredTypeAreTaken) {
  const std::pair<const char*, const char*> good[] = {{"INTEGER", "-9223372036854775808"},
                                                      {"REAL", "1e300"},
                                                      {"REAL", "9e999"},
                                                      {"DOUBLE", "3"},
                                                      {"DECIMAL(10,2)", "12.34"},
                                                      {"DECIMAL(20,0)", "9223372036854775807"},
                                                      {"NUMERIC", "5"},
                                                      {"TIMESTAMP", "'2013-01-01T10:00:00.123456'"},
                                                      {"DATE", "'2012-02-29'"},
                                                      {"VARCHAR(3)", "'a'||char(0)||'b'"},
                                                      {"UUID", "'0a'"},
                                                      {"BLOB", "x''"},
                                                      {"TEXT", "''"},
                                                      {"TEXT", "NULL"}};
  for (const auto& [type, literal] : good) {
    EXPECT_TRUE(ReadOne(type, literal).ok())
        << type << " " << literal << ": " << ReadOne(type, literal);
  }
}

TEST_F(SqliteSource, AMissingFileIsNamedAndNotCreated) {
  ServerSpec server = db_.server();
  const std::string path = db_.folder() + "/none.db";
  server.url = absl::StrCat("odbc:Driver=SQLite3;Database=", path);
  auto source = OpenOdbcSource(server);
  ASSERT_TRUE(source.ok());
  DatasetSpec dataset;
  dataset.relation = "t";
  const absl::Status status = (*source)->Probe(dataset, ProbeTask{}, std::stop_token()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(SqliteSource, AMissingDriverIsNamedWithThoseInstalled) {
  ServerSpec server = db_.server();
  server.url = absl::StrCat("odbc:Driver=SQLite9;Database=", db_.path(), ";PWD=hush");
  db_.Execute("CREATE TABLE t (a INTEGER)");
  auto source = OpenOdbcSource(server);
  DatasetSpec dataset;
  dataset.relation = "t";
  const absl::Status status = (*source)->Probe(dataset, ProbeTask{}, std::stop_token()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("SQLite3"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("libsqliteodbc"));
  EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("hush")));
}

TEST_F(SqliteSource, BoundsTakeTheSeparatorThatTheColumnUses) {
  db_.Execute("CREATE TABLE t (at TIMESTAMP)");
  db_.Execute("INSERT INTO t VALUES ('2013-01-01T05:00:00'), ('2013-01-01T06:00:00.000')");
  DatasetSpec dataset;
  dataset.relation = "t";
  dataset.cursor = "at";
  dataset.server = db_.server();
  auto source = db_.Open();
  ReadOptions options;
  options.cursor_type = CursorType::kWallClock;
  const Range hour{*ParseWallClock("2013-01-01 05:00:00"), *ParseWallClock("2013-01-01 06:00:00")};
  auto reader = (*source)->Read(dataset, Extent{hour, false}, options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  auto batch = (*reader)->Next();
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ((*batch)->rows(), 1);
}

TEST_F(SqliteSource, MixedSeparatorsInTheCursorAreRefused) {
  db_.Execute("CREATE TABLE t (at TIMESTAMP)");
  db_.Execute("INSERT INTO t VALUES ('2013-01-01 05:00:00'), ('2013-01-01T06:00:00')");
  DatasetSpec dataset;
  dataset.relation = "t";
  dataset.cursor = "at";
  dataset.server = db_.server();
  auto source = db_.Open();
  ReadOptions options;
  options.cursor_type = CursorType::kWallClock;
  auto reader = (*source)->Read(
      dataset, Extent{Range{0, *ParseWallClock("2014-01-01 00:00:00")}, false}, options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->Next().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SqliteSource, RowsAreCountedForAnEstimateWhereThatIsCheap) {
  db_.Execute("CREATE TABLE few (n INTEGER)");
  db_.Execute("INSERT INTO few VALUES (1), (2), (3)");
  db_.Execute("DELETE FROM few WHERE n = 2");
  db_.Execute("CREATE TABLE many (n INTEGER PRIMARY KEY)");
  db_.Execute("INSERT INTO many VALUES (1), (2000000)");
  db_.Execute("CREATE VIEW some AS SELECT n FROM few GROUP BY n");
  auto source = db_.Open();
  const auto estimate = [&](const char* relation) {
    DatasetSpec dataset;
    dataset.relation = relation;
    dataset.server = db_.server();
    dataset.server.clock_sql = "SELECT '2013-01-01'";
    const auto probed = (*source)->Probe(dataset, ProbeTask{}, std::stop_token());
    EXPECT_TRUE(probed.ok()) << probed.status();
    return probed.ok() ? probed->estimated_rows : -2;
  };
  EXPECT_EQ(estimate("few"), 2);
  EXPECT_EQ(estimate("many"), 2'000'000);  // Not counted: its largest rowid.
  EXPECT_EQ(estimate("some"), -1);         // Unknown, and no reason to fail.
}

}  // namespace
}  // namespace headwater
