// PostgreSQL through its ODBC driver under the source contract: the generic ODBC reader.
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <string>
#include <vector>

#include "tests/contract/source_contract.h"
#include "tests/contract/source_sums_contract.h"
#include "tests/db/psqlodbc_under_test.h"

namespace headwater {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(PsqlOdbc, SourceContract, PsqlOdbcUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(PsqlOdbc, SourceSumsContract, PsqlOdbcUnderTest);

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
  db_->Execute("CREATE TABLE t AS SELECT generate_series(1, 100000) AS id");
  auto source = *db_->Open();
  auto reader = source->Read(dataset_, Extent{Range{0, 1}, false}, ReadOptions{});
  ASSERT_TRUE(reader.ok()) << reader.status();
  // The driver declares a cursor for what it sees to be a SELECT; else it holds the whole result.
  db_->Execute(
      "DO $$ BEGIN ASSERT EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
      "application_name LIKE 'headwater%' AND query ILIKE '%fetch%'), "
      "(SELECT string_agg(application_name || ': ' || query, '; ') FROM pg_stat_activity); END $$");
}

// Of (id, text, text), in the order of id.
std::vector<std::string> RowsOf(const RowBatch& batch) {
  std::vector<std::string> rows;
  const arrow::RecordBatch& columns = *batch.arrow();
  for (int64_t row = 0; row < columns.num_rows(); ++row) {
    std::string& text = rows.emplace_back();
    for (const auto& column : columns.columns()) {
      absl::StrAppend(&text, (*column->GetScalar(row))->ToString(), "|");
    }
  }
  return rows;
}

// A block has about 90 rows here. The values that its cells cut are more than a batch may hold.
TEST_F(PsqlOdbcSource, ValuesLongerThanTheirCellsComeWholeAndInOrder) {
  db_->Execute(
      "CREATE TABLE t AS SELECT i AS id, repeat(chr(97 + i % 26), "
      "CASE WHEN i % 3 = 0 THEN 3000 + i ELSE 5 END) AS a, "
      "CASE WHEN i % 7 = 0 THEN NULL WHEN i = 333 THEN repeat('xy', 100000) "
      "WHEN i % 5 = 0 THEN repeat('ø', 400 + i) ELSE '' END AS b FROM generate_series(1, 700) AS "
      "i");
  auto source = *db_->Open();
  ReadOptions options;
  options.batch_bytes = 64 << 10;
  auto reader = source->Read(dataset_, Extent{Range{0, 1}, false}, options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<std::string> rows;
  while (true) {
    auto batch = (*reader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (*batch == nullptr) break;
    const std::vector<std::string> more = RowsOf(**batch);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  const auto times = [](const char* text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i) result += text;
    return result;
  };
  ASSERT_EQ(rows.size(), 700U);
  for (int i = 1; i <= 700; ++i) {
    const std::string letter(1, static_cast<char>('a' + i % 26));
    const std::string b = i % 7 == 0   ? "null"
                          : i == 333   ? times("xy", 100000)
                          : i % 5 == 0 ? times("ø", 400 + i)
                                       : "";
    EXPECT_EQ(rows[static_cast<size_t>(i - 1)],
              absl::StrCat(i, "|", times(letter.c_str(), i % 3 == 0 ? 3000 + i : 5), "|", b, "|"));
  }
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
