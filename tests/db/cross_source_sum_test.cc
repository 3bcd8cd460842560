// What a server sums of a column is what we sum of the rows that were read of it, wherever
// ChecksumsAgree() says so: random values of every type, through every adapter. And where it says
// that they differ, the lists below say whether they do. HEADWATER_SEED repeats a run that failed.
#include <arrow/record_batch.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_split.h"
#include "common/data/row_checksum.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/sqlite_under_test.h"
#include "tests/db/copy_under_test.h"
#include "tests/db/mariadb_under_test.h"
#include "tests/db/psqlodbc_under_test.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"
#include "worker/source/conforming_reader.h"

namespace headwater {
namespace {

constexpr int kRows = 150;
const Extent kWhole{Range{0, 1}, false};
using Names = std::set<std::string>;

// What is known of the columns whose sums are not claimed to be equal.
struct Claims {
  Names differ;        // They do differ.
  Names conservative;  // They happen to be equal.
};

const Names kBothDiffer = {"bpchar", "inet", "money", "xml"};
const Names kArrays = {"blobs",    "enums", "floats", "ints", "moneys",
                       "numerics", "spans", "stamps", "texts"};
const Names kOthers = {"char",     "cidr", "domain", "enum",    "int4range",
                       "macaddr8", "pair", "span",   "tsvector"};

Names operator+(Names a, const Names& b) {
  a.insert(b.begin(), b.end());
  return a;
}

template <typename UnderTest>
struct Place;

template <>
struct Place<CopyUnderTest> {
  static constexpr const char* kDialect = "postgres";
  static std::vector<std::string> Mending() { return {}; }
  // COPY gives arrays as JSON.
  static constexpr const char* kBadTime = "infinity";
  static Claims Plain() { return {kBothDiffer + kArrays, kOthers}; }
  static Claims AsText() { return Plain(); }
};
template <>
struct Place<PsqlOdbcUnderTest> : Place<CopyUnderTest> {
  // Its driver gives other years as text.
  static std::vector<std::string> Mending() {
    std::vector<std::string> statements;
    for (const char* column :
         {"date", "timestamp", "timestamp_3", "timestamptz", "timestamptz_0"}) {
      statements.push_back(absl::StrCat("UPDATE every SET \"", column, "\" = NULL WHERE \"", column,
                                        "\" NOT BETWEEN '0001-01-01' AND '9999-12-31'"));
    }
    return statements;
  }
  static Claims Plain() { return {kBothDiffer, kOthers + kArrays}; }
  static Claims AsText() { return Plain(); }
};
template <>
struct Place<StreamedMariaDbUnderTest> {
  static constexpr const char* kDialect = "mariadb";
  static std::vector<std::string> Mending() { return {}; }
  static constexpr const char* kBadTime = "0000-00-00";
  static Claims Plain() {
    return {{"bits", "dec_zero", "double", "float", "year", "zero_filled"}, {"point"}};
  }
  static Claims AsText() {
    return {{"float", "one_bit"}, {"dec_zero", "double", "year", "zero_filled"}};
  }
};
template <>
struct Place<MariaDbUnderTest> : Place<StreamedMariaDbUnderTest> {};
template <>
struct Place<SqliteUnderTest> {
  static constexpr const char* kDialect = "sqlite";
  static std::vector<std::string> Mending() { return {}; }
  static constexpr const char* kBadTime = "yesterday";
  static Claims Plain() { return {}; }
  static Claims AsText() { return {}; }
};

uint64_t Seed() {
  static const uint64_t seed = [] {
    const char* given = std::getenv("HEADWATER_SEED");
    const uint64_t chosen =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::printf("HEADWATER_SEED=%llu\n", static_cast<unsigned long long>(chosen));
    return chosen;
  }();
  return seed;
}

template <typename UnderTest>
class CrossSourceSum : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    db_ = UnderTest::Create(why);
    if (db_ == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "CI forbids skips: " << why;
      GTEST_SKIP() << why;
    }
    dataset_.id = {"t", "s"};
    dataset_.relation = "every";
    dataset_.server = db_->server();
    source_ = *db_->Open();
  }

  void Fill() {
    const TempFolder folder;
    const std::string path = folder.path() + "/statements";
    const std::string script =
        absl::StrCat(HEADWATER_SOURCE_FOLDER, "/tests/db/value_statements.py");
    ASSERT_EQ(
        WaitFor(Spawn({.arguments = {HEADWATER_PYTHON, "-B", script, Place<UnderTest>::kDialect,
                                     absl::StrCat(Seed()), absl::StrCat(kRows), path},
                       .user = "root",
                       .group = "root",
                       .death_signal = "KILL",
                       .log = folder.path() + "/log"})),
        0);
    std::ifstream file(path);
    const std::string all{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    for (const absl::string_view sql : absl::StrSplit(all, '\0', absl::SkipEmpty())) {
      db_->Execute(std::string(sql));
    }
    for (const std::string& sql : Place<UnderTest>::Mending()) db_->Execute(sql);
  }

  absl::StatusOr<RowChecksum> SumOfRows(const Schema& table = {}) {
    auto opened = source_->Read(dataset_, kWhole, ReadOptions{});
    if (!opened.ok()) return opened.status();
    auto reader = ConformToTable(*std::move(opened), table, SchemaPolicy::kEvolve, dataset_);
    if (!reader.ok()) return reader.status();
    const auto checksummer = *RowChecksummer::Create((*reader)->schema());
    RowChecksum sum;
    while (true) {
      auto batch = (*reader)->Next();
      if (!batch.ok()) return batch.status();
      if (*batch == nullptr) return sum;
      const absl::Status added = checksummer->Add(**batch, sum);
      if (!added.ok()) return added;
    }
  }

  absl::StatusOr<ExtentChecksums> SumOfServer(const Schema& table = {}) {
    return source_->Checksums(dataset_, {kWhole}, ReadOptions{}, ChecksumOptions{.table = table},
                              std::stop_token());
  }

  // Compares the columns, one by one.
  Claims Compare(bool as_text) {
    Claims found;
    dataset_.include_columns.clear();
    dataset_.text_columns.clear();
    const auto probe = source_->Probe(dataset_, ProbeTask{}, std::stop_token());
    EXPECT_TRUE(probe.ok()) << probe.status();
    if (!probe.ok()) return found;
    for (const Column& column : probe->schema.columns) {
      SCOPED_TRACE(absl::StrCat(column.name, as_text ? " as text, seed " : ", seed ", Seed()));
      if (as_text && column.type.kind == TypeKind::kBinary) continue;
      dataset_.include_columns = {column.name};
      dataset_.text_columns = as_text ? dataset_.include_columns : std::vector<std::string>();
      const auto server = SumOfServer();
      const auto rows = SumOfRows();
      EXPECT_TRUE(rows.ok()) << rows.status();
      if (!server.ok() || !rows.ok()) {
        found.differ.insert(column.name);
        EXPECT_TRUE(server.ok()) << server.status();
        continue;
      }
      EXPECT_GT(rows->rows, kRows);
      if (server->differing.empty()) {
        EXPECT_EQ(server->extents[0].sum, rows->sum);
        EXPECT_EQ(server->extents[0].rows, rows->rows);
      } else {
        EXPECT_THAT(server->differing, ::testing::ElementsAre(column.name));
        (server->extents[0] == *rows ? found.conservative : found.differ).insert(column.name);
      }
    }
    return found;
  }

  std::unique_ptr<UnderTest> db_;
  std::unique_ptr<Source> source_;
  DatasetSpec dataset_;
};

using Adapters = ::testing::Types<CopyUnderTest, PsqlOdbcUnderTest, StreamedMariaDbUnderTest,
                                  MariaDbUnderTest, SqliteUnderTest>;
TYPED_TEST_SUITE(CrossSourceSum, Adapters);

TYPED_TEST(CrossSourceSum, IsThatOfTheRowsWhereItIsClaimed) {
  this->Fill();
  const Claims found = this->Compare(/*as_text=*/false);
  EXPECT_EQ(found.differ, Place<TypeParam>::Plain().differ) << "seed " << Seed();
  EXPECT_EQ(found.conservative, Place<TypeParam>::Plain().conservative) << "seed " << Seed();
}

TYPED_TEST(CrossSourceSum, IsThatOfTheRowsWhereItIsClaimedOfColumnsReadAsText) {
  this->Fill();
  const Claims found = this->Compare(/*as_text=*/true);
  EXPECT_EQ(found.differ, Place<TypeParam>::AsText().differ) << "seed " << Seed();
  EXPECT_EQ(found.conservative, Place<TypeParam>::AsText().conservative) << "seed " << Seed();
}

TYPED_TEST(CrossSourceSum, OfATablesColumnsIsThatOfTheRowsThatItIsGiven) {
  this->db_->Execute(
      "CREATE TABLE every (id int, fresh int, small smallint, amount decimal(9,2), scaled "
      "decimal(9,2), name varchar(9))");
  this->db_->Execute(
      "INSERT INTO every VALUES (1, 2, 3, 4.50, 5.25, 'a'), (-1, NULL, NULL, NULL, NULL, ''), "
      "(7, 7, -7, -0.01, -0.10, NULL)");
  Schema table{{{"name", {TypeKind::kString}},
                {"gone", {TypeKind::kDouble}},
                {"small", {TypeKind::kLong}},
                {"amount", {TypeKind::kDecimal, 20, 2}},
                {"id", {TypeKind::kInteger}}}};
  this->dataset_.exclude_columns = {"scaled"};
  auto server = this->SumOfServer(table);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_THAT(server->differing, ::testing::IsEmpty());
  ASSERT_EQ(server->columns.columns.size(), 6U) << "the new one last";
  EXPECT_EQ(server->columns.columns[5].name, "fresh");
  EXPECT_EQ(server->columns.columns[2].type.kind, TypeKind::kLong);
  EXPECT_EQ(server->extents[0], *this->SumOfRows(table));
  EXPECT_EQ(server->extents[0].rows, 3);
  EXPECT_NE(server->extents[0], *this->SumOfRows()) << "the order of columns counts";

  this->dataset_.exclude_columns.clear();
  table.columns.push_back({"scaled", {TypeKind::kDecimal, 12, 4}});
  server = this->SumOfServer(table);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_THAT(server->differing, ::testing::ElementsAre("scaled"));
  EXPECT_NE(server->extents[0], *this->SumOfRows(table)) << "another scale is another text";

  table.columns.back().type = {TypeKind::kBoolean};
  EXPECT_EQ(this->SumOfServer(table).status().code(), absl::StatusCode::kInvalidArgument)
      << "the columns do not go together";
}

TYPED_TEST(CrossSourceSum, HasTheBadRowsThatAreInNoBatch) {
  this->db_->Execute("CREATE TABLE every (id int, at timestamp null)");
  if (Place<TypeParam>::kDialect == std::string("mariadb")) this->db_->Execute("SET sql_mode = ''");
  this->db_->Execute(absl::StrCat("INSERT INTO every VALUES (1, '2013-01-01 00:00:00'), (2, '",
                                  Place<TypeParam>::kBadTime, "')"));
  this->dataset_.on_bad_row = BadRowPolicy::kQuarantine;
  const auto server = this->SumOfServer();
  const auto rows = this->SumOfRows();
  ASSERT_TRUE(server.ok() && rows.ok()) << server.status() << rows.status();
  EXPECT_THAT(server->differing, ::testing::IsEmpty()) << "a matter of rows, not of columns";
  EXPECT_EQ(server->extents[0].rows, 2);
  EXPECT_EQ(rows->rows, 1);
  EXPECT_NE(server->extents[0].sum, rows->sum);
}

}  // namespace
}  // namespace headwater
