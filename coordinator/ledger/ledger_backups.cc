#include "coordinator/ledger/ledger_backups.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr char kPrefix[] = "ledger-";
constexpr char kSuffix[] = ".db";
constexpr char kMaking[] = ".making";
constexpr char kTimeFormat[] = "%E4Y%m%dT%H%M%SZ";  // %Y would read on into the month.
constexpr absl::Duration kTryAgain = absl::Hours(1);
constexpr int kBusyMs = 2'000;

struct DatabaseCloser {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using Database = std::unique_ptr<sqlite3, DatabaseCloser>;

absl::Status SystemError(absl::string_view doing, const std::string& path, int error) {
  const std::string message =
      absl::StrCat("backup of the ledger: ", doing, " ", path, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(message);
  return absl::PermissionDeniedError(message);
}

absl::Status SqliteError(absl::string_view doing, const std::string& path, int code) {
  const std::string message =
      absl::StrCat("backup of the ledger: ", doing, " ", path, ": ", sqlite3_errstr(code));
  if ((code & 0xff) == SQLITE_FULL) return absl::ResourceExhaustedError(message);
  return absl::UnavailableError(message);
}

absl::StatusOr<Database> Open(const std::string& path, int flags) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(db);
  if (code != SQLITE_OK) return SqliteError("opening", path, code);
  sqlite3_busy_timeout(db, kBusyMs);
  return database;
}

absl::Status Copy(const std::string& from, const std::string& to) {
  ASSIGN_OR_RETURN(const Database source, Open(from, SQLITE_OPEN_READONLY));
  ASSIGN_OR_RETURN(const Database copy, Open(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  sqlite3_backup* backup = sqlite3_backup_init(copy.get(), "main", source.get(), "main");
  if (backup == nullptr) return SqliteError("copying to", to, sqlite3_errcode(copy.get()));
  // All in one step: one moment of the ledger. A reader of a WAL keeps no writer waiting.
  const int step = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (step != SQLITE_DONE) return SqliteError("copying to", to, step);
  return finished == SQLITE_OK ? absl::OkStatus() : SqliteError("copying to", to, finished);
}

absl::Status Sync(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return SystemError("opening", path, errno);
  const int synced = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return synced == 0 ? absl::OkStatus() : SystemError("syncing", path, synced);
}

struct Found {
  std::vector<LedgerBackup> backups;    // The oldest first.
  std::vector<std::string> unfinished;  // With what SQLite keeps beside them.
};

Found Find(const std::string& folder) {
  Found found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!absl::StartsWith(name, kPrefix)) continue;
    if (absl::StrContains(name, kMaking)) {
      found.unfinished.push_back(it->path().string());
      continue;
    }
    absl::Time made;
    std::string ignored;
    if (absl::ParseTime(absl::StrCat(kPrefix, kTimeFormat, kSuffix), name, &made, &ignored))
      found.backups.push_back({it->path().string(), made});
  }
  std::sort(found.backups.begin(), found.backups.end(),
            [](const LedgerBackup& a, const LedgerBackup& b) { return a.made < b.made; });
  return found;
}

void Remove(const std::string& path) {
  if (unlink(path.c_str()) == 0) return;
  Log(LogLevel::kWarning, "an old backup of the ledger stays",
      {{"path", path}, {"why", std::strerror(errno)}});
}

}  // namespace

absl::StatusOr<std::string> BackUpLedger(const std::string& path, const std::string& folder,
                                         absl::Time now) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return absl::NotFoundError(absl::StrCat("no ledger at ", path));
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return SystemError("creating folder", folder, errno);
  for (const std::string& unfinished : Find(folder).unfinished) Remove(unfinished);
  const std::string made = absl::StrCat(
      folder, "/", kPrefix, absl::FormatTime(kTimeFormat, now, absl::UTCTimeZone()), kSuffix);
  const std::string making = absl::StrCat(made, kMaking);
  RETURN_IF_ERROR(Copy(path, making));
  RETURN_IF_ERROR(Sync(making, O_RDONLY));
  if (rename(making.c_str(), made.c_str()) != 0) return SystemError("renaming", making, errno);
  RETURN_IF_ERROR(Sync(folder, O_RDONLY | O_DIRECTORY));
  const Found found = Find(folder);
  for (size_t i = 0; i + kKeptBackups < found.backups.size(); ++i) Remove(found.backups[i].path);
  return made;
}

std::optional<LedgerBackup> NewestBackup(const std::string& folder) {
  Found found = Find(folder);
  if (found.backups.empty()) return std::nullopt;
  return std::move(found.backups.back());
}

LedgerBackups::LedgerBackups(std::string path, std::string folder, bool is_new, const Clock* clock)
    : path_(std::move(path)), folder_(std::move(folder)), is_new_(is_new), clock_(clock) {
  thread_ = std::thread([this] { Loop(); });
}

LedgerBackups::~LedgerBackups() {
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
  }
  thread_.join();
}

absl::Duration LedgerBackups::BackUpIfDue() const {
  const absl::Time now = clock_->Now();
  const std::optional<LedgerBackup> newest = NewestBackup(folder_);
  // One of the future is of a clock that was wrong.
  if (newest.has_value() && newest->made <= now && now - newest->made < kBackUpEvery)
    return kBackUpEvery - (now - newest->made);
  const absl::StatusOr<std::string> made = BackUpLedger(path_, folder_, now);
  if (made.ok()) return kBackUpEvery;
  Log(LogLevel::kWarning, "the ledger was not backed up", {{"why", made.status().ToString()}});
  return kTryAgain;
}

void LedgerBackups::Loop() {
  absl::Duration pause = is_new_ ? kBackUpEvery : BackUpIfDue();
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (clock_->Await(mutex_, absl::Condition(&ended_), clock_->Now() + pause)) return;
    }
    pause = BackUpIfDue();
  }
}

}  // namespace headwater
