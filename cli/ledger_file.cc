#include "cli/ledger_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {
namespace {

// Of a SQLite file: what is not yet in it, and who reads that.
constexpr const char* kBeside[] = {"-wal", "-shm"};

absl::Status Failed(absl::string_view doing, const std::string& path,
                    const std::error_code& error) {
  return absl::PermissionDeniedError(absl::StrCat(doing, " ", path, ": ", error.message()));
}

absl::Status Move(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  return error ? Failed("renaming", from, error) : absl::OkStatus();
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("opening", folder, {errno, std::generic_category()});
  const bool synced = fsync(fd) == 0;
  const std::error_code error(errno, std::generic_category());
  close(fd);
  return synced ? absl::OkStatus() : Failed("syncing", folder, error);
}

// A name that nothing has: two replacements may come within a second.
std::string FreeName(const std::string& path, absl::string_view done, absl::Time now) {
  const std::string name = absl::StrCat(
      path, ".", done, "-", absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone()));
  std::string free = name;
  std::error_code error;
  const auto taken = [&] {
    return std::filesystem::exists(free, error) ||
           std::filesystem::exists(absl::StrCat(free, "-wal"), error);
  };
  for (int i = 2; taken(); ++i) free = absl::StrCat(name, "-", i);
  return free;
}

}  // namespace

absl::StatusOr<std::string> PutLedgerFileAway(const std::string& path, absl::string_view done,
                                              absl::Time now) {
  std::error_code error;
  std::string kept;
  // The file last: without its -wal it is an older ledger, whose tables belong to the new one.
  for (const char* suffix : {"-shm", "-wal", ""}) {
    if (!std::filesystem::exists(absl::StrCat(path, suffix), error)) continue;
    if (kept.empty()) kept = FreeName(path, done, now);
    RETURN_IF_ERROR(Move(absl::StrCat(path, suffix), absl::StrCat(kept, suffix)));
  }
  RETURN_IF_ERROR(SyncFolderOf(path));
  return kept;
}

absl::StatusOr<std::string> ReplaceLedgerFile(const std::string& path, const std::string& made,
                                              absl::Time now) {
  ASSIGN_OR_RETURN(std::string kept, PutLedgerFileAway(path, "before-heal", now));
  RETURN_IF_ERROR(Move(made, path));
  RETURN_IF_ERROR(SyncFolderOf(path));
  return kept;
}

absl::Status RemoveLedgerFile(const std::string& made) {
  std::error_code error;
  std::filesystem::remove(made, error);
  for (const char* suffix : kBeside) {
    if (!error) std::filesystem::remove(absl::StrCat(made, suffix), error);
  }
  return error ? Failed("removing", made, error) : absl::OkStatus();
}

}  // namespace headwater
