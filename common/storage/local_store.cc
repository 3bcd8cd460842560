#include "common/storage/local_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "common/base/failpoint.h"
#include "common/base/ids.h"
#include "common/base/status.h"

namespace headwater {
namespace {

namespace fs = std::filesystem;

constexpr char kTemporary[] = ".tmp-";  // What is being written, or was when a process died.

absl::Status Errno(int error, absl::string_view doing, const std::string& path) {
  const std::string message = absl::StrCat(doing, " ", path, ": ", std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(
          absl::StrCat(message, "; free some space, then run again"));
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
      return absl::NotFoundError(message);
    case EEXIST:
      return absl::AlreadyExistsError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::Status SyncFolder(const std::string& folder) {
  RETURN_IF_ERROR(Failpoint("store.before_folder_sync"));
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Errno(errno, "opening folder", folder);
  const absl::Cleanup closer = [fd] { close(fd); };
  return fsync(fd) == 0 ? absl::OkStatus() : Errno(errno, "syncing folder", folder);
}

// Creates `folder` and its missing parents, each durable in its own parent.
absl::Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  if (folder.empty() || fs::is_directory(folder, error)) return absl::OkStatus();
  RETURN_IF_ERROR(MakeFolder(folder.parent_path()));
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
    return Errno(errno, "creating folder", folder.string());
  return SyncFolder(folder.parent_path().string());
}

absl::Status WriteAll(int fd, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Errno(errno, "writing", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(fd) == 0 ? absl::OkStatus() : Errno(errno, "syncing", path);
}

class LocalStore final : public ObjectStore {
 public:
  explicit LocalStore(std::string root) : root_(std::move(root)) {}

  absl::StatusOr<std::string> Read(absl::string_view key) const override;
  absl::StatusOr<std::optional<int64_t>> SizeOf(absl::string_view key) const override;
  absl::StatusOr<std::vector<std::string>> List(absl::string_view prefix) const override;
  absl::StatusOr<std::vector<StoredEntry>> ListEntries(absl::string_view prefix) const override;
  absl::Status PutIfAbsent(absl::string_view key, absl::string_view bytes) override;
  absl::Status Put(absl::string_view key, absl::string_view bytes) override;
  absl::Status Delete(absl::string_view key) override;
  absl::StatusOr<int64_t> DropUnfinished(absl::string_view prefix, absl::Time before) override;
  absl::Status Persist(absl::string_view key) override;
  const std::string& root() const override { return root_; }

 private:
  absl::StatusOr<fs::path> PathOf(absl::string_view key) const;
  // All names in the folder `prefix`, those of what is being written as well, sorted.
  absl::StatusOr<std::vector<std::string>> NamesIn(absl::string_view prefix) const;
  // Makes the folder of a key, and its name durable all the way down from the top.
  absl::Status MakeDurableFolder(const fs::path& folder);
  // A temporary file beside `path` with `bytes`, durable. The caller removes it.
  absl::StatusOr<std::string> WriteTemporary(const fs::path& path, absl::string_view bytes);

  const std::string root_;
  absl::Mutex mutex_;
  std::set<std::string> durable_ ABSL_GUARDED_BY(mutex_);  // Folders that were made so.
};

absl::StatusOr<fs::path> LocalStore::PathOf(absl::string_view key) const {
  for (absl::string_view part : absl::StrSplit(key, '/')) {
    if (part.empty() || part == "." || part == ".." || part.find('\0') != absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat("not a key under ", root_, ": '", key, "'"));
    }
  }
  return fs::path(root_) / std::string(key);
}

absl::StatusOr<std::string> LocalStore::Read(absl::string_view key) const {
  ASSIGN_OR_RETURN(const fs::path path, PathOf(key));
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Errno(errno, "opening", path.string());
  const absl::Cleanup closer = [fd] { close(fd); };
  std::string bytes;
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Errno(errno, "reading", path.string());
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(got));
  }
}

absl::StatusOr<std::optional<int64_t>> LocalStore::SizeOf(absl::string_view key) const {
  ASSIGN_OR_RETURN(const fs::path path, PathOf(key));
  struct stat info {};
  if (stat(path.c_str(), &info) == 0) {
    return S_ISREG(info.st_mode) ? std::optional<int64_t>(info.st_size) : std::nullopt;
  }
  if (errno == ENOENT || errno == ENOTDIR) return std::optional<int64_t>();
  return Errno(errno, "looking at", path.string());
}

absl::StatusOr<std::vector<std::string>> LocalStore::NamesIn(absl::string_view prefix) const {
  fs::path folder = root_;
  if (!prefix.empty()) {
    ASSIGN_OR_RETURN(folder, PathOf(prefix));
  }
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename().string());
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory) {
    return Errno(error.value(), "listing", folder.string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::vector<std::string>> LocalStore::List(absl::string_view prefix) const {
  ASSIGN_OR_RETURN(std::vector<std::string> names, NamesIn(prefix));
  std::erase_if(names, [](const std::string& name) { return absl::StartsWith(name, kTemporary); });
  return names;
}

absl::StatusOr<std::vector<StoredEntry>> LocalStore::ListEntries(absl::string_view prefix) const {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, List(prefix));
  std::vector<StoredEntry> entries;
  for (const std::string& name : names) {
    const fs::path path = fs::path(root_) / std::string(prefix) / name;
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) {
      if (errno == ENOENT) continue;  // Gone since it was listed.
      return Errno(errno, "looking at", path.string());
    }
    const bool folder = S_ISDIR(info.st_mode);
    if (!folder && !S_ISREG(info.st_mode)) continue;
    entries.push_back(
        {name, folder, folder ? 0 : info.st_size, absl::TimeFromTimespec(info.st_mtim)});
  }
  return entries;
}

absl::Status LocalStore::MakeDurableFolder(const fs::path& folder) {
  std::error_code error;
  {
    absl::MutexLock lock(&mutex_);
    if (durable_.contains(folder.string()) && fs::is_directory(folder, error))
      return absl::OkStatus();
  }
  RETURN_IF_ERROR(MakeFolder(folder));
  // A folder that is there may have been made a moment ago, by a process that died before its name
  // was durable or that has not come that far.
  for (fs::path name = folder; name != name.root_path(); name = name.parent_path()) {
    const absl::Status synced = SyncFolder(name.parent_path().string());
    // From the root upwards folders may be somebody else's, who does not let us look, or of a kind
    // that cannot be synced.
    const bool above_root = name.native().size() < root_.size();
    if (!synced.ok() && above_root) break;
    if (absl::IsPermissionDenied(synced) && name.native() == root_) break;
    RETURN_IF_ERROR(synced);
  }
  absl::MutexLock lock(&mutex_);
  durable_.insert(folder.string());
  return absl::OkStatus();
}

absl::StatusOr<std::string> LocalStore::WriteTemporary(const fs::path& path,
                                                       absl::string_view bytes) {
  RETURN_IF_ERROR(MakeDurableFolder(path.parent_path()));
  const std::string temporary =
      (path.parent_path() / absl::StrCat(kTemporary, RandomId())).string();
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return Errno(errno, "creating", temporary);
  const absl::Status written = WriteAll(fd, bytes, temporary);
  close(fd);
  if (!written.ok()) {
    unlink(temporary.c_str());
    return written;
  }
  return temporary;
}

absl::Status LocalStore::PutIfAbsent(absl::string_view key, absl::string_view bytes) {
  ASSIGN_OR_RETURN(const fs::path path, PathOf(key));
  ASSIGN_OR_RETURN(const std::string temporary, WriteTemporary(path, bytes));
  const absl::Cleanup remover = [&] { unlink(temporary.c_str()); };
  RETURN_IF_ERROR(Failpoint("store.before_link"));
  if (link(temporary.c_str(), path.c_str()) != 0) return Errno(errno, "putting", path.string());
  RETURN_IF_ERROR(Failpoint("store.after_link"));
  // The name exists from here on: a failure to sync it leaves the outcome in doubt.
  const absl::Status synced = SyncFolder(path.parent_path().string());
  return synced.ok() ? synced : absl::UnknownError(synced.message());
}

absl::Status LocalStore::Put(absl::string_view key, absl::string_view bytes) {
  ASSIGN_OR_RETURN(const fs::path path, PathOf(key));
  ASSIGN_OR_RETURN(const std::string temporary, WriteTemporary(path, bytes));
  const absl::Cleanup remover = [&] { unlink(temporary.c_str()); };  // Gone when all went well.
  RETURN_IF_ERROR(Failpoint("store.before_rename"));
  if (rename(temporary.c_str(), path.c_str()) != 0) return Errno(errno, "replacing", path.string());
  RETURN_IF_ERROR(Failpoint("store.after_rename"));
  return SyncFolder(path.parent_path().string());
}

absl::Status LocalStore::Persist(absl::string_view key) {
  ASSIGN_OR_RETURN(const fs::path path, PathOf(key));
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Errno(errno, "opening", path.string());
  const absl::Cleanup closer = [fd] { close(fd); };
  struct stat info {};
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
    return Errno(EISDIR, "syncing", path.string());
  if (fsync(fd) != 0) return Errno(errno, "syncing", path.string());
  RETURN_IF_ERROR(MakeDurableFolder(path.parent_path()));
  return SyncFolder(path.parent_path().string());
}

absl::Status LocalStore::Delete(absl::string_view key) {
  ASSIGN_OR_RETURN(const fs::path path, PathOf(key));
  if (unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return absl::OkStatus();
  return Errno(errno, "deleting", path.string());
}

absl::StatusOr<int64_t> LocalStore::DropUnfinished(absl::string_view prefix, absl::Time before) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(prefix));
  int64_t dropped = 0;
  for (const std::string& name : names) {
    if (!absl::StartsWith(name, kTemporary)) continue;
    const fs::path path = fs::path(root_) / std::string(prefix) / name;
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (absl::TimeFromTimespec(info.st_mtim) >= before) continue;
    if (unlink(path.c_str()) == 0) {
      ++dropped;
    } else if (errno != ENOENT) {
      return Errno(errno, "deleting", path.string());
    }
  }
  return dropped;
}

}  // namespace

std::unique_ptr<ObjectStore> OpenLocalStore(absl::string_view root) {
  absl::ConsumePrefix(&root, "file://");
  // Absolute and plain, so that every folder on the way has a parent to be synced in.
  std::error_code error;
  fs::path path = fs::absolute(fs::path(std::string(root)), error).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "lake/"
  return std::make_unique<LocalStore>(path.string());
}

}  // namespace headwater
