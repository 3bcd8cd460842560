#include "coordinator/ledger/ledger_backups.h"

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/ledger/sqlite_event_log.h"
#include "gmock/gmock.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

using testing::Each;
using testing::EndsWith;
using testing::SizeIs;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class LedgerBackupsTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/ledger.db"; }
  std::string backups() const { return folder_.path() + "/backups"; }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(backups(), error))
      names.push_back(entry.path().filename().string());
    return names;
  }

  // The number of its events, which are without a gap.
  static int64_t EventsOf(const std::string& path) {
    const auto log = OpenSqliteEventLogReadOnly(path);
    if (!log.ok()) return -1;
    int64_t count = 0;
    const absl::Status replayed = (*log)->Replay(0, [&](int64_t sequence, absl::string_view) {
      return ++count == sequence ? absl::OkStatus() : absl::DataLossError("out of order");
    });
    EXPECT_TRUE(replayed.ok()) << replayed;
    return count;
  }

  TempFolder folder_;
};

TEST_F(LedgerBackupsTest, ACopyIsTheLedgerAsItWasThen) {
  const auto log = *OpenSqliteEventLog(path());
  ASSERT_TRUE(log->Append(1, {"one", "two"}).ok());
  const absl::StatusOr<std::string> made = BackUpLedger(path(), backups(), kStart);
  ASSERT_TRUE(made.ok()) << made.status();
  ASSERT_TRUE(log->Append(3, {"three"}).ok());
  EXPECT_EQ(EventsOf(*made), 2) << "what was only in the -wal is there, what came later is not";
  const auto copy = *OpenSqliteEventLogReadOnly(*made);
  EXPECT_EQ(copy->ledger_id(), log->ledger_id());
  EXPECT_EQ(NewestBackup(backups())->path, *made);
  EXPECT_EQ(NewestBackup(backups())->made, kStart);
}

TEST_F(LedgerBackupsTest, AppendsNeverWaitForACopyNorFailOfIt) {
  const auto log = *OpenSqliteEventLog(path());
  ASSERT_TRUE(log->Append(1, {std::string(1'000'000, 'x')}).ok());
  int copies = 0;
  std::thread copier([&] {
    for (; copies < 20; ++copies) {
      const auto made = BackUpLedger(path(), backups(), kStart + absl::Seconds(copies));
      ASSERT_TRUE(made.ok()) << made.status();
      EXPECT_GE(EventsOf(*made), 1);
    }
  });
  for (int64_t sequence = 2; sequence < 200; ++sequence) {
    const absl::Status appended = log->Append(sequence, {std::string(20'000, 'y')});
    EXPECT_TRUE(appended.ok()) << appended;
  }
  copier.join();
  EXPECT_EQ(EventsOf(path()), 199);
}

TEST_F(LedgerBackupsTest, TheNewestSevenStayAndNothingUnfinished) {
  const auto log = *OpenSqliteEventLog(path());
  ASSERT_TRUE(log->Append(1, {"one"}).ok());
  std::filesystem::create_directory(backups());
  std::ofstream(backups() + "/ledger-20270101T000000Z.db.making") << "half of one";
  std::ofstream(backups() + "/ledger-20270101T000000Z.db.making-journal") << "its journal";
  std::ofstream(backups() + "/notes.txt") << "not ours";
  for (int day = 0; day < 10; ++day)
    ASSERT_TRUE(BackUpLedger(path(), backups(), kStart + absl::Hours(24 * day)).ok());
  EXPECT_THAT(Names(), SizeIs(kKeptBackups + 1)) << "with what is not ours";
  std::filesystem::remove(backups() + "/notes.txt");
  EXPECT_THAT(Names(), Each(EndsWith("Z.db")));
  EXPECT_EQ(NewestBackup(backups())->made, kStart + absl::Hours(24 * 9));
  EXPECT_EQ(EventsOf(NewestBackup(backups())->path), 1);
}

TEST_F(LedgerBackupsTest, ADamagedPlaceLeavesTheCopiesThatAreThere) {
  const auto log = *OpenSqliteEventLog(path());
  ASSERT_TRUE(log->Append(1, {"one"}).ok());
  ASSERT_TRUE(BackUpLedger(path(), backups(), kStart).ok());
  EXPECT_TRUE(absl::IsNotFound(
      BackUpLedger(folder_.path() + "/other.db", backups(), kStart + absl::Hours(1)).status()));
  EXPECT_THAT(Names(), SizeIs(1));
  EXPECT_FALSE(BackUpLedger(path(), path(), kStart).ok()) << "its folder is a file";
}

TEST_F(LedgerBackupsTest, OneIsMadeADayAndNoneOfAnEmptyLedger) {
  const auto log = *OpenSqliteEventLog(path());
  ASSERT_TRUE(log->Append(1, {"one"}).ok());
  FakeClock clock(kStart);
  { const LedgerBackups first(path(), backups(), true, &clock); }
  EXPECT_THAT(Names(), SizeIs(0)) << "there was nothing in it";
  { const LedgerBackups second(path(), backups(), false, &clock); }
  EXPECT_THAT(Names(), SizeIs(1));
  clock.Advance(absl::Hours(23));
  { const LedgerBackups third(path(), backups(), false, &clock); }
  EXPECT_THAT(Names(), SizeIs(1)) << "the newest is less than a day old";
  {
    const LedgerBackups lives(path(), backups(), false, &clock);
    clock.Advance(absl::Hours(1));
    while (Names().size() < 2 || !Names()[1].ends_with(".db") || !Names()[0].ends_with(".db"))
      std::this_thread::yield();
  }
  EXPECT_THAT(Names(), SizeIs(2)) << "made by one that lives on";
}

}  // namespace
}  // namespace headwater
