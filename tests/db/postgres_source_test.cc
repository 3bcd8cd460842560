// PostgreSQL COPY under the source contract, and what only PostgreSQL can show.
#include "worker/source/postgres/postgres_source.h"

#include "tests/contract/source_contract.h"
#include "tests/contract/source_sums_contract.h"
#include "tests/db/copy_under_test.h"
#include "worker/source/postgres/postgres_session.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

INSTANTIATE_TYPED_TEST_SUITE_P(PostgresCopy, SourceContract, CopyUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(PostgresCopy, SourceSumsContract, CopyUnderTest);

class PostgresSource : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    db_ = CopyUnderTest::Create(why);
    if (db_ == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "CI forbids skips: " << why;
      GTEST_SKIP() << why;
    }
    dataset_.relation = "t";
    dataset_.server = db_->server();
  }

  absl::StatusOr<std::unique_ptr<RowBatch>> ReadAll() {
    source_ = *db_->Open();
    auto reader = source_->Read(dataset_, Extent{Range{0, 1}, false}, ReadOptions{});
    if (!reader.ok()) return reader.status();
    schema_ = (*reader)->schema();
    return (*reader)->Next();
  }

  std::unique_ptr<CopyUnderTest> db_;
  std::unique_ptr<Source> source_;
  DatasetSpec dataset_;
  Schema schema_;
};

TEST_F(PostgresSource, AnOpenTransactionOfAnotherSessionIsTheOldest) {
  db_->Execute("CREATE TABLE t (at timestamptz)");
  db_->Execute("INSERT INTO t VALUES ('2013-01-01 05:00:00.123456+00')");
  dataset_.cursor = "at";
  source_ = *db_->Open();
  auto probe = source_->Probe(dataset_, ProbeTask{}, std::stop_token());
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_TRUE(probe->transactions_known);
  EXPECT_EQ(probe->oldest_transaction, std::nullopt);
  EXPECT_EQ(probe->cursor_type, CursorType::kInstant);
  EXPECT_EQ(probe->bound, *ParseInstant("2013-01-01 05:00:00.123456Z", false));
  EXPECT_EQ(probe->replay_time, std::nullopt);

  db_->Execute("BEGIN");
  probe = source_->Probe(dataset_, ProbeTask{}, std::stop_token());
  ASSERT_TRUE(probe.ok()) << probe.status();
  ASSERT_TRUE(probe->oldest_transaction.has_value());
  EXPECT_LE(*probe->oldest_transaction, probe->source_clock + absl::Seconds(1));
  db_->Execute("COMMIT");
}

TEST_F(PostgresSource, WithoutTheRightsTransactionsAreUnknown) {
  db_->Execute("CREATE TABLE t (id int)");
  db_->Execute("DO $$ BEGIN CREATE ROLE plain LOGIN; EXCEPTION WHEN duplicate_object THEN END $$");
  db_->Execute("GRANT USAGE ON SCHEMA public TO plain");
  db_->Execute("GRANT SELECT ON t TO plain");
  ServerSpec server = db_->server();
  server.url = absl::StrCat(server.url.substr(0, server.url.rfind('=')), "=plain");
  source_ = *OpenPostgresSource(server);
  dataset_.cursor = "id";
  const auto probe = source_->Probe(dataset_, ProbeTask{}, std::stop_token());
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_FALSE(probe->transactions_known);
  EXPECT_EQ(probe->oldest_transaction, std::nullopt);
}

TEST_F(PostgresSource, AReaderCannotWrite) {
  db_->Execute("CREATE TABLE t (id int)");
  dataset_.server.clock_sql = "INSERT INTO t VALUES (1) RETURNING '2013-01-01 00:00:00'::text";
  source_ = *OpenPostgresSource(dataset_.server);
  EXPECT_FALSE(source_->Probe(dataset_, ProbeTask{}, std::stop_token()).ok());
}

TEST_F(PostgresSource, AnAdministratorSeesWhichRunReadsWhat) {
  db_->Execute(
      "CREATE TABLE t AS SELECT i AS id, repeat('x', 1000) AS text "
      "FROM generate_series(1, 50000) AS i");
  source_ = *db_->Open();
  ReadOptions options;
  options.query_tag = "run=r-12 fence=77 dataset=a/t range=[2013-01-01, 2013-02-01) */ DROP";
  auto reader = source_->Read(dataset_, Extent{Range{0, 1}, false}, options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_TRUE((*reader)->Next().ok());  // More than the socket holds is left: the server waits.
  const std::string seen = db_->Ask(
      "SELECT application_name || '\n' || query FROM pg_stat_activity WHERE query LIKE 'COPY%'");
  EXPECT_EQ(seen.substr(0, seen.find('\n')),
            "headwater r-12 fence=77 a/t [2013-01-01, 2013-02-01) _/ DROP");
  EXPECT_THAT(seen, HasSubstr("/* headwater run=r-12 fence=77 dataset=a/t range=[2013-01-01, "
                              "2013-02-01) _/ DROP */ SELECT"));
}

TEST_F(PostgresSource, AnAdministratorSeesWhichRunProbes) {
  db_->Execute("CREATE TABLE t (id int)");
  dataset_.server.clock_sql =
      "SELECT CASE WHEN application_name = 'headwater r-12 a/t probe' THEN '2013-01-01' "
      "ELSE application_name END FROM pg_stat_activity WHERE pid = pg_backend_pid()";
  source_ = *OpenPostgresSource(dataset_.server);
  const auto probe = source_->Probe(
      dataset_, ProbeTask{.tail = {}, .query_tag = "run=r-12 dataset=a/t probe"}, {});
  EXPECT_TRUE(probe.ok()) << probe.status();
}

TEST_F(PostgresSource, AStatementThatTakesTooLongIsEndedByTheServerAndTriedAgain) {
  dataset_.server.statement_timeout = absl::Milliseconds(20);
  dataset_.server.clock_sql = db_->SlowQuery();
  db_->Execute("CREATE TABLE t (id int)");
  source_ = *OpenPostgresSource(dataset_.server);
  const absl::Status status = source_->Probe(dataset_, ProbeTask{}, std::stop_token()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("statement timeout"));
}

TEST_F(PostgresSource, ANetworkThatSwallowsPacketsIsGivenUpInSecondsUnlessTheUrlSaysOtherwise) {
  const auto timeout = [](const std::string& url) -> std::string {
    const auto session = PostgresSession::Open(url);
    if (!session.ok()) return std::string(session.status().message());
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfo((*session)->connection()), &PQconninfoFree);
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
      if (absl::string_view(option->keyword) == "tcp_user_timeout") return option->val;
    }
    return "";
  };
  EXPECT_EQ(timeout(db_->server().url), "20000");
  EXPECT_EQ(timeout(db_->server().url + "&tcp_user_timeout=3000"), "3000");
}

TEST_F(PostgresSource, AnUnreachableServerIsUnavailableInItsOwnWordsWithoutThePassword) {
  ServerSpec server = db_->server();
  server.url = "postgresql://u:hush@localhost/none?host=/nonexistent_folder";
  source_ = *OpenPostgresSource(server);
  const absl::Status status = source_->Probe(dataset_, ProbeTask{}, std::stop_token()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("nonexistent_folder"));
  EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("hush")));
}

}  // namespace
}  // namespace headwater
