// Who owns a configuration's ledger: the process that holds an flock on `.headwater/lock`. It alone
// opens the ledger for writing and binds the socket; the lock goes with the process, however that
// ends.
//
//   .headwater/lock   .headwater/ledger.db   .headwater/backups/   .headwater/socket
#ifndef HEADWATER_CLI_LEDGER_LOCK_H_
#define HEADWATER_CLI_LEDGER_LOCK_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace headwater {

std::string LedgerPath(const std::string& config_directory);
std::string BackupFolder(
    const std::string& config_directory);  // coordinator/ledger/ledger_backups.h
std::string HistoryFolder(
    const std::string& config_directory);  // coordinator/history/run_archive.h
std::string SocketAddress(const std::string& config_directory);  // unix:…

// Makes `.headwater/` beside the configuration with mode 0700, if it is not there.
// PERMISSION_DENIED, RESOURCE_EXHAUSTED: it cannot be made.
absl::Status MakeStateFolder(const std::string& config_directory);

// Held until destroyed. Movable.
class LedgerLock {
 public:
  // Absent: another process holds it. Makes the folder with mode 0700.
  // PERMISSION_DENIED, RESOURCE_EXHAUSTED: the folder cannot be made or written.
  static absl::StatusOr<std::optional<LedgerLock>> TryAcquire(const std::string& config_directory);

  LedgerLock(LedgerLock&& other) noexcept;
  LedgerLock& operator=(LedgerLock&& other) noexcept;
  ~LedgerLock();

 private:
  explicit LedgerLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace headwater

#endif  // HEADWATER_CLI_LEDGER_LOCK_H_
