// MariaDB through libmariadb and through its ODBC driver under the source contract, and what only
// MariaDB can show.
#include "tests/contract/cancelled_read.h"
#include "tests/contract/source_contract.h"
#include "tests/contract/source_sums_contract.h"
#include "tests/db/mariadb_under_test.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

INSTANTIATE_TYPED_TEST_SUITE_P(MariaDb, SourceContract, StreamedMariaDbUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(MariaDb, SourceSumsContract, StreamedMariaDbUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(MariaDbOdbc, SourceContract, MariaDbUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(MariaDbOdbc, SourceSumsContract, MariaDbUnderTest);

template <typename UnderTest>
class MariaDbSource : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    db_ = UnderTest::Create(why);
    if (db_ == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "CI forbids skips: " << why;
      GTEST_SKIP() << why;
    }
    dataset_.relation = "t";
    dataset_.server = db_->server();
  }

  absl::StatusOr<Fingerprint> ReadWhileTheTableChanges(const Extent& extent, CursorType cursor);
  static Fingerprint ExpectedUpTo(int count);
  absl::Status EndOfRead(const std::string& after_first_batch);

  std::unique_ptr<UnderTest> db_;
  std::unique_ptr<Source> source_;
  DatasetSpec dataset_;
};
using Adapters = ::testing::Types<StreamedMariaDbUnderTest, MariaDbUnderTest>;
TYPED_TEST_SUITE(MariaDbSource, Adapters);

TYPED_TEST(MariaDbSource, AnOpenTransactionOfAnotherSessionIsTheOldest) {
  this->db_->Execute("CREATE TABLE t (at TIMESTAMP(6))");
  this->db_->Execute("INSERT INTO t VALUES ('2013-01-01 05:00:00.123456')");
  this->dataset_.cursor = "at";
  this->source_ = *this->db_->Open();
  auto probe = this->source_->Probe(this->dataset_, ProbeTask{}, std::stop_token());
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_TRUE(probe->transactions_known);
  EXPECT_EQ(probe->oldest_transaction, std::nullopt);
  EXPECT_EQ(probe->cursor_type, CursorType::kInstant);
  EXPECT_EQ(probe->bound, *ParseInstant("2013-01-01 05:00:00.123456Z", false));
  EXPECT_EQ(probe->replay_time, std::nullopt);

  this->db_->Execute("START TRANSACTION");
  this->db_->Execute("INSERT INTO t VALUES ('2013-01-01 06:00:00')");
  probe = this->source_->Probe(this->dataset_, ProbeTask{}, std::stop_token());
  ASSERT_TRUE(probe.ok()) << probe.status();
  ASSERT_TRUE(probe->oldest_transaction.has_value());
  // The server's zone is another one, and it tells whole seconds.
  EXPECT_LE(*probe->oldest_transaction, probe->source_clock);
  EXPECT_GT(*probe->oldest_transaction, probe->source_clock - absl::Minutes(5));
  EXPECT_EQ(probe->bound, *ParseInstant("2013-01-01 05:00:00.123456Z", false));
  this->db_->Execute("COMMIT");
}

TYPED_TEST(MariaDbSource, WithoutTheRightsTransactionsAreUnknown) {
  this->db_->Execute("CREATE TABLE t (id INT)");
  this->db_->Execute("CREATE USER IF NOT EXISTS plain");
  this->db_->Execute("GRANT SELECT ON contract.* TO plain");
  this->source_ = *this->db_->OpenAs("plain");
  this->dataset_.cursor = "id";
  const auto probe = this->source_->Probe(this->dataset_, ProbeTask{}, std::stop_token());
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_FALSE(probe->transactions_known);
  EXPECT_EQ(probe->oldest_transaction, std::nullopt);
}

// The driver's SQLCancel frees the result that another thread is fetching.
TYPED_TEST(MariaDbSource, AReadMayBeCancelledWhileItsResultIsFetched) {
  this->db_->Execute("CREATE TABLE t (id INT PRIMARY KEY, name TEXT)");
  this->db_->Execute(
      "INSERT INTO t SELECT seq, repeat(char(97 + seq % 26), 500) FROM seq_1_to_8000");
  this->source_ = *this->db_->Open();
  ReadOptions options;
  options.cursor_type = CursorType::kNone;
  options.batch_bytes = 256 << 10;
  for (int round = 0; round < 50; ++round) {
    const auto reader = this->source_->Read(this->dataset_, Extent{Range{0, 1}, false}, options);
    ASSERT_TRUE(reader.ok()) << reader.status();
    const absl::Status status = CancelAfterFirstBatch(**reader);
    EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
  }
}

TYPED_TEST(MariaDbSource, AReaderCannotWrite) {
  this->db_->Execute("CREATE TABLE t (id INT)");
  this->dataset_.server.clock_sql = "INSERT INTO t VALUES (1) RETURNING '2013-01-01 00:00:00'";
  this->source_ = *this->db_->OpenWith(this->dataset_.server);
  const absl::Status status =
      this->source_->Probe(this->dataset_, ProbeTask{}, std::stop_token()).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("READ ONLY"));
}

// Reads column `v` in slices of a few rows; between the first batch and the others the table
// changes.
template <typename UnderTest>
absl::StatusOr<Fingerprint> MariaDbSource<UnderTest>::ReadWhileTheTableChanges(const Extent& extent,
                                                                               CursorType cursor) {
  source_ = *db_->Open();
  dataset_.include_columns = {"v"};
  ReadOptions options;
  options.batch_bytes = 512;
  options.cursor_type = cursor;
  auto reader = source_->Read(dataset_, extent, options);
  if (!reader.ok()) return reader.status();
  auto hasher = *RowHasher::Create((*reader)->schema(), HashAlgorithm::kXxh3);
  Fingerprint fingerprint;
  for (bool first = true;; first = false) {
    auto batch = (*reader)->Next();
    if (!batch.ok()) return batch.status();
    if (*batch == nullptr) return fingerprint;
    std::vector<Hash128> hashes;
    EXPECT_TRUE(hasher->Hash(**batch, hashes).ok());
    for (const Hash128& hash : hashes) fingerprint.Add(hash);
    if (!first) continue;
    db_->Execute("UPDATE t SET v = v + 100000 WHERE v % 3 = 0");
    db_->Execute("DELETE FROM t WHERE v % 2 = 0");
  }
}

// Of the rows v = 1 … count.
template <typename UnderTest>
Fingerprint MariaDbSource<UnderTest>::ExpectedUpTo(int count) {
  const Schema schema{{{"v", {TypeKind::kInteger}, false}}};
  BatchBuilder batch(schema);
  for (int v = 1; v <= count; ++v) {
    batch.AppendInteger(0, v);
    batch.EndRow();
  }
  std::vector<Hash128> hashes;
  EXPECT_TRUE(
      (*RowHasher::Create(schema, HashAlgorithm::kXxh3))->Hash(**batch.Finish(), hashes).ok());
  Fingerprint fingerprint;
  for (const Hash128& hash : hashes) fingerprint.Add(hash);
  return fingerprint;
}

TYPED_TEST(MariaDbSource, SlicesOfOneSnapshotGiveEachRowOnceWhateverTheKey) {
  const std::pair<const char*, const char*> keys[] = {
      {"BIGINT UNSIGNED", "18446744073709551615 - seq % 90"},
      {"DECIMAL(20,3)", "(CAST(seq % 90 AS SIGNED) - 40) / 8"},
      {"VARCHAR(20)", "CONCAT('æ', CHAR(39), CHAR(92), seq % 90, IF(seq % 2, 'a', 'A'))"},
      {"VARCHAR(9) CHARSET latin1", "CONCAT('ø', seq % 90)"},
      {"VARBINARY(9)", "UNHEX(HEX(seq % 90))"},
      {"DATE", "'2013-01-01' + INTERVAL seq % 90 DAY"},
      {"DATETIME(6)", "'2013-01-01' + INTERVAL seq % 90 MICROSECOND"},
      {"TIME(3)", "SEC_TO_TIME((CAST(seq % 90 AS SIGNED) - 40) / 8)"},
      {"INET6", "CONCAT('::', HEX(seq % 90))"}};
  for (const auto& [type, value] : keys) {
    this->db_->Execute("DROP TABLE IF EXISTS t");
    this->db_->Execute(absl::StrCat("CREATE TABLE t (k ", type, " NOT NULL, v INT NOT NULL, ",
                                    "PRIMARY KEY (k, v))"));
    this->db_->Execute(absl::StrCat("INSERT INTO t SELECT ", value, ", seq FROM seq_1_to_1000"));
    const auto read = this->ReadWhileTheTableChanges(Extent{Range{0, 1}, false}, CursorType::kNone);
    ASSERT_TRUE(read.ok()) << type << ": " << read.status();
    EXPECT_EQ(*read, this->ExpectedUpTo(1000)) << type;
  }
}

TYPED_TEST(MariaDbSource, SlicesAlongTheCursorSplitItsTies) {
  this->db_->Execute(
      "CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL, at DATETIME, INDEX (at))");
  this->db_->Execute(
      "INSERT INTO t SELECT 5000 - seq, seq, IF(seq > 990, NULL, '2013-01-01' + INTERVAL seq % 3 "
      "DAY) FROM seq_1_to_1000");
  this->dataset_.cursor = "at";
  const Range range{*ParseWallClock("2013-01-01 00:00:00"), *ParseWallClock("2013-01-09 00:00:00")};
  const auto read = this->ReadWhileTheTableChanges(Extent{range, false}, CursorType::kWallClock);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, this->ExpectedUpTo(990));
}

// What a read of `t` ends with, when `after_first_batch` has been done in its middle.
template <typename UnderTest>
absl::Status MariaDbSource<UnderTest>::EndOfRead(const std::string& after_first_batch) {
  ReadOptions options;
  options.cursor_type = CursorType::kNone;
  options.batch_bytes = 64 << 10;
  const auto reader = source_->Read(dataset_, Extent{Range{0, 1}, false}, options);
  if (!reader.ok()) return reader.status();
  for (bool first = true;; first = false) {
    const auto batch = (*reader)->Next();
    if (!batch.ok() || *batch == nullptr) return batch.status();
    if (first && !after_first_batch.empty()) db_->Execute(after_first_batch);
  }
}

TYPED_TEST(MariaDbSource, AnErrorInTheMiddleOfTheRowsSaysWhat) {
  this->db_->Execute("CREATE TABLE numbers (id INT PRIMARY KEY, n BIGINT UNSIGNED, pad TEXT)");
  this->db_->Execute(
      "INSERT INTO numbers SELECT seq, IF(seq = 20000, ~0, seq), REPEAT('x', 100) "
      "FROM seq_1_to_20000");
  this->db_->Execute("CREATE VIEW t AS SELECT id, n + 1 AS n, pad FROM numbers");
  this->source_ = *this->db_->Open();
  const absl::Status status = this->EndOfRead("");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("out of range"));
}

TYPED_TEST(MariaDbSource, AConnectionKilledInTheMiddleOfTheRowsIsLost) {
  this->db_->Execute("CREATE TABLE t (id INT PRIMARY KEY, pad TEXT)");
  this->db_->Execute("INSERT INTO t SELECT seq, REPEAT('x', 1000) FROM seq_1_to_40000");
  this->db_->Execute("CREATE USER IF NOT EXISTS victim");
  this->db_->Execute("GRANT SELECT ON contract.* TO victim");
  this->source_ = *this->db_->OpenAs("victim");
  const absl::Status status = this->EndOfRead("KILL CONNECTION USER victim");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

TYPED_TEST(MariaDbSource, NoColumnOfAVeryWideTableIsLost) {
  std::string columns;
  for (int i = 1; i <= 1001; ++i) absl::StrAppend(&columns, i == 1 ? "" : ", ", "c", i, " TINYINT");
  this->db_->Execute(absl::StrCat("CREATE TABLE t (", columns, ")"));
  this->source_ = *this->db_->Open();
  ReadOptions options;
  options.cursor_type = CursorType::kNone;
  const auto reader = this->source_->Read(this->dataset_, Extent{Range{0, 1}, false}, options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->schema().columns.size(), 1001u);
}

TYPED_TEST(MariaDbSource, WithoutAKeyATableIsReadWhole) {
  this->db_->Execute("CREATE TABLE t (k DOUBLE, v INT NOT NULL, UNIQUE (k))");
  this->db_->Execute("INSERT INTO t SELECT NULL, seq FROM seq_1_to_1000");
  const auto read = this->ReadWhileTheTableChanges(Extent{Range{0, 1}, false}, CursorType::kNone);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, this->ExpectedUpTo(1000));
}

}  // namespace
}  // namespace headwater
