#include "cli/ledger_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {
namespace {

std::string FolderOf(const std::string& config_directory) {
  return config_directory + "/.headwater";
}

absl::Status Failed(absl::string_view doing, const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat(doing, " ", path, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(message);
  return absl::PermissionDeniedError(message);
}

}  // namespace

std::string LedgerPath(const std::string& config_directory) {
  return FolderOf(config_directory) + "/ledger.db";
}

std::string BackupFolder(const std::string& config_directory) {
  return FolderOf(config_directory) + "/backups";
}

std::string HistoryFolder(const std::string& config_directory) {
  return FolderOf(config_directory) + "/history";
}

std::string SocketAddress(const std::string& config_directory) {
  return absl::StrCat("unix:", FolderOf(config_directory), "/socket");
}

absl::Status MakeStateFolder(const std::string& config_directory) {
  const std::string folder = FolderOf(config_directory);
  if (mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return Failed("creating folder", folder);
}

absl::StatusOr<std::optional<LedgerLock>> LedgerLock::TryAcquire(
    const std::string& config_directory) {
  RETURN_IF_ERROR(MakeStateFolder(config_directory));
  const std::string path = FolderOf(config_directory) + "/lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Failed("opening", path);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return std::optional<LedgerLock>(LedgerLock(fd));
  const bool held = errno == EWOULDBLOCK;
  const absl::Status failed = held ? absl::OkStatus() : Failed("locking", path);
  close(fd);
  if (!held) return failed;
  return std::optional<LedgerLock>();
}

LedgerLock::LedgerLock(LedgerLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

LedgerLock& LedgerLock::operator=(LedgerLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

LedgerLock::~LedgerLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace headwater
