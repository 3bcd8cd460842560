#include "worker/stage/staged_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/ids.h"
#include "common/base/status.h"
#include "common/data/staged_name.h"
#include "worker/stage/output_file.h"

namespace headwater {
namespace {

constexpr size_t kRandomDigits = 16;

// Folders whose names this process has made durable. Another attempt or process may have made a
// folder that is there, and not have come to syncing its name; without this memory each attempt
// would sync the same few folders once more.
class DurableFolders {
 public:
  bool Has(const std::string& folder) {
    const std::optional<Identity> found = IdentityOf(folder);
    absl::MutexLock lock(&mutex_);
    const auto known = folders_.find(folder);
    return known != folders_.end() && found == known->second;
  }
  void Add(const std::set<std::string>& folders) {
    absl::MutexLock lock(&mutex_);
    if (folders_.size() > kMost) folders_.clear();  // They are synced once more.
    for (const std::string& folder : folders) {
      const std::optional<Identity> found = IdentityOf(folder);
      if (found.has_value()) folders_.insert_or_assign(folder, *found);
    }
  }

 private:
  // A folder may be removed and made again under its name: that one is not durable.
  using Identity = std::pair<dev_t, ino_t>;
  static std::optional<Identity> IdentityOf(const std::string& folder) {
    struct stat found = {};
    if (stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) return std::nullopt;
    return Identity(found.st_dev, found.st_ino);
  }

  static constexpr size_t kMost = 50'000;  // Some megabytes.
  absl::Mutex mutex_;
  std::map<std::string, Identity> folders_ ABSL_GUARDED_BY(mutex_);
};

DurableFolders& Durable() {
  static auto* durable = new DurableFolders;  // Lives as long as any thread.
  return *durable;
}

}  // namespace

StagedFiles::StagedFiles(std::string folder, int64_t fence)
    : folder_(std::move(folder)), fence_(fence) {}

StagedFiles::~StagedFiles() {
  if (kept_) return;
  for (const std::string& path : paths_) unlink(FullPath(path).c_str());
}

absl::StatusOr<std::string> StagedFiles::NewFile(int piece, const PartitionValues& partition) {
  ASSIGN_OR_RETURN(const std::string partition_path, PartitionPath(partition));
  // A table without partitions has its files in its own folder.
  const std::string below = partition_path.empty() ? "" : absl::StrCat(partition_path, "/");
  const std::filesystem::path folder = below.empty()
                                           ? std::filesystem::path(folder_)
                                           : std::filesystem::path(folder_) / partition_path;
  // A name is durable once the folder that holds it has been synced: for the table's own folders
  // that is made sure of, above them only for what is made here.
  std::error_code ignored;
  for (std::filesystem::path at = folder; at.has_filename() && !Durable().Has(at.string());
       at = at.parent_path()) {
    const bool ours = at.native().size() >= folder_.size();
    if (!ours && std::filesystem::exists(at, ignored)) break;
    named_.insert(at.string());
    folders_.insert(at.has_parent_path() ? at.parent_path().string() : ".");
  }
  folders_.insert(folder.string());
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return FileError(error.value(), "creating folder", folder.string());
  std::string path = absl::StrCat(
      below, StagedName(fence_, piece, next_number_++, RandomId().substr(0, kRandomDigits)));
  paths_.insert(path);
  return path;
}

absl::Status StagedFiles::Remove(const std::string& path) {
  paths_.erase(path);
  if (unlink(FullPath(path).c_str()) != 0 && errno != ENOENT) {
    return FileError(errno, "removing", FullPath(path));
  }
  return absl::OkStatus();
}

absl::Status StagedFiles::SyncFolders() const {
  for (const std::string& folder : folders_) {
    const absl::Status synced = SyncFolder(folder);
    // Above the table's own folder it may be somebody else's, who does not let us look.
    if (absl::IsPermissionDenied(synced) && folder.size() < folder_.size()) continue;
    RETURN_IF_ERROR(synced);
  }
  Durable().Add(named_);
  return absl::OkStatus();
}

}  // namespace headwater
