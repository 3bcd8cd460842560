// PostgreSQL through its ODBC driver under the source contract: the generic ODBC reader.
#include "tests/contract/source_contract.h"
#include "tests/db/psqlodbc_under_test.h"

namespace headwater {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(PsqlOdbc, SourceContract, PsqlOdbcUnderTest);

class PsqlOdbcSource : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    db_ = PsqlOdbcUnderTest::Create(why);
    if (db_ == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "CI forbids skips: " << why;
      GTEST_SKIP() << why;
    }
    dataset_.relation = "t";
    dataset_.server = db_->server();
  }

  absl::Status ReadOne() {
    auto source = *db_->Open();
    auto reader = source->Read(dataset_, Extent{Range{0, 1}, false}, ReadOptions{});
    if (!reader.ok()) return reader.status();
    schema_ = (*reader)->schema();
    return (*reader)->Next().status();
  }

  std::unique_ptr<PsqlOdbcUnderTest> db_;
  DatasetSpec dataset_;
  Schema schema_;
};

TEST_F(PsqlOdbcSource, TypesAreThoseThatCopyHas) {
  db_->Execute(
      "CREATE TABLE t (a int2, b int4, c int8, d float4, e float8, f numeric(38,10), h varchar(3), "
      "j uuid, o timestamptz, q bytea)");
  db_->Execute(
      "INSERT INTO t VALUES (1, 2, 3, 4.5, 5.5, 1234567890123456789012345678.0123456789, 'a', "
      "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2013-01-01 00:00+02', '\\x00')");
  const absl::Status read = ReadOne();
  ASSERT_TRUE(read.ok()) << read;
  std::string types;
  for (const Column& column : schema_.columns) {
    absl::StrAppend(&types, column.name, ":", TypeToString(column.type), " ");
  }
  EXPECT_EQ(types,
            "a:short b:integer c:long d:float e:double f:decimal(38,10) h:string j:string "
            "o:timestamp q:binary ");
}

TEST_F(PsqlOdbcSource, InfinityIsNotTheYear9999) {
  db_->Execute("CREATE TABLE t (id int, v timestamp)");
  db_->Execute("INSERT INTO t VALUES (17, 'infinity')");
  const absl::Status read = ReadOne();
  EXPECT_EQ(read.code(), absl::StatusCode::kInvalidArgument) << read;
  EXPECT_THAT(std::string(read.message()), ::testing::HasSubstr("column 'v'"));
  EXPECT_THAT(std::string(read.message()), ::testing::HasSubstr("id=17"));
}

TEST_F(PsqlOdbcSource, LargeResultsComeInPortions) {
  db_->Execute("CREATE TABLE t AS SELECT generate_series(1, 20000) AS id");
  auto source = *db_->Open();
  auto reader = source->Read(dataset_, Extent{Range{0, 1}, false}, ReadOptions{});
  ASSERT_TRUE(reader.ok()) << reader.status();
  // The driver declares a cursor for what it sees to be a SELECT; else it holds the whole result.
  db_->Execute(
      "DO $$ BEGIN ASSERT EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
      "application_name LIKE 'headwater%' AND query ILIKE '%fetch%'), "
      "(SELECT string_agg(application_name || ': ' || query, '; ') FROM pg_stat_activity); END $$");
}

// The driver wraps statements into savepoints, and PostgreSQL exports no snapshot from one.
TEST_F(PsqlOdbcSource, ATableIsReadOverOneConnection) {
  db_->Execute("CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 30000) AS i");
  auto source = *db_->Open();
  const auto probe = source->Probe(dataset_, ProbeTask{}, {});
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_FALSE(probe->divisible);
  auto readers = source->ReadParts(dataset_, Extent{Range{0, 1}, false}, ReadOptions{}, 3, {});
  ASSERT_TRUE(readers.ok()) << readers.status();
  EXPECT_EQ(readers->size(), 1U);
}

}  // namespace
}  // namespace headwater
