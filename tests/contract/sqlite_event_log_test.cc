#include "coordinator/ledger/sqlite_event_log.h"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "tests/contract/event_log_contract.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

using testing::HasSubstr;

class SqlitePlace : public EventLogPlace {
 public:
  absl::StatusOr<std::unique_ptr<EventLog>> Open() override { return OpenSqliteEventLog(path()); }
  std::string path() const { return folder_.path() + "/ledger.db"; }

 private:
  TempFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, EventLogContract,
                         testing::Values(EventLogKind{
                             "Sqlite", [] { return std::make_unique<SqlitePlace>(); }}),
                         [](const auto& info) { return info.param.name; });

TEST(SqliteEventLog, AFileThatIsNoLedgerIsRefusedWithAdvice) {
  SqlitePlace place;
  std::ofstream(place.path()) << std::string(8'192, 'x');
  const auto log = place.Open();
  EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(log.status().message()), HasSubstr(place.path()));
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("Restore the file"));
}

TEST(SqliteEventLog, AFlippedBitInAnEventStopsTheReplay) {
  SqlitePlace place;
  auto log = *place.Open();
  ASSERT_TRUE(log->Append(1, {std::string(200, 'q')}).ok());
  log.reset();  // Checkpoints the WAL into the file.
  std::fstream file(place.path(), std::ios::in | std::ios::out | std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const size_t at = bytes.find(std::string(200, 'q'));
  ASSERT_NE(at, std::string::npos);
  file.seekp(static_cast<std::streamoff>(at + 7));
  file.put('r');
  file.close();
  log = *place.Open();
  const absl::Status status =
      log->Replay(0, [](int64_t, absl::string_view) { return absl::OkStatus(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("event 1"));
}

// Its header has two rows: whoever is killed between them leaves a ledger that opens.
TEST(SqliteEventLog, ALedgerThatWasKilledWhileItWasMadeIsMadeOnceMore) {
  SqlitePlace place;
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(place.path().c_str(), &db), SQLITE_OK);
  const auto execute = [&](const char* sql) {
    ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  };
  execute("CREATE TABLE ledger(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
  execute(
      "CREATE TRIGGER killed BEFORE INSERT ON ledger WHEN (SELECT count(*) FROM ledger) = 1 "
      "BEGIN SELECT RAISE(FAIL, 'killed'); END");
  EXPECT_FALSE(place.Open().ok());
  execute("DROP TRIGGER killed");
  sqlite3_close(db);
  const auto log = place.Open();
  EXPECT_TRUE(log.ok()) << log.status();
}

TEST(SqliteEventLog, ItsFileStaysAsLongAsSomeSnapshotsAreApart) {
  SqlitePlace place;
  auto log = *place.Open();
  const auto size = [&] { return std::filesystem::file_size(place.path()); };
  const std::vector<std::string> events(1'000, std::string(300, 'e'));
  uintmax_t grown = 0;
  for (int64_t round = 0; round < 40; ++round) {
    ASSERT_TRUE(log->Append(round * 1'000 + 1, events).ok());
    ASSERT_TRUE(log->SaveSnapshot(round * 1'000 + 1'000, "state").ok());
    if (round == 9) {
      log.reset();  // Checkpoints the WAL into the file.
      grown = size();
      log = *place.Open();
    }
  }
  log.reset();
  EXPECT_LE(size(), grown * 11 / 10);
}

TEST(SqliteEventLog, SpaceThatALongLogLeavesIsGivenBackWhenItIsOpened) {
  SqlitePlace place;
  auto log = *place.Open();
  ASSERT_TRUE(log->Append(1, std::vector<std::string>(40'000, std::string(600, 'e'))).ok());
  ASSERT_TRUE(log->SaveSnapshot(39'000, "first").ok());
  ASSERT_TRUE(log->SaveSnapshot(40'000, "second").ok());
  for (int64_t at = 40'001; at < 60'001; at += 1'000)
    ASSERT_TRUE(log->Append(at, std::vector<std::string>(1'000, "e")).ok());
  log.reset();
  const uintmax_t before = std::filesystem::file_size(place.path());
  (*place.Open()).reset();
  const uintmax_t after = std::filesystem::file_size(place.path());
  EXPECT_GE(before - after, 2'048u * 4'096u);
  log = *place.Open();
  EXPECT_EQ(log->last_sequence(), 60'000);
}

TEST(SqliteEventLog, AReaderBesideTheWriterSeesItsEventsAndCannotWrite) {
  SqlitePlace place;
  auto log = *place.Open();
  ASSERT_TRUE(log->Append(1, {"a"}).ok());
  auto reader = *OpenSqliteEventLogReadOnly(place.path());
  EXPECT_EQ(reader->last_sequence(), 1);
  EXPECT_EQ(reader->Append(2, {"b"}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(OpenSqliteEventLogReadOnly(place.path() + "-none").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace headwater
