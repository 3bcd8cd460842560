#include "worker/stage/staged_files.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status.h"
#include "worker/stage/output_file.h"

namespace headwater {
namespace {

constexpr size_t kRandomDigits = 16;

}  // namespace

StagedFiles::StagedFiles(std::string folder, int64_t fence)
    : folder_(std::move(folder)), fence_(fence) {}

StagedFiles::~StagedFiles() {
  if (kept_) return;
  for (const std::string& path : paths_) unlink(FullPath(path).c_str());
}

absl::StatusOr<std::string> StagedFiles::NewFile(int piece, const PartitionValues& partition) {
  ASSIGN_OR_RETURN(const std::string partition_path, PartitionPath(partition));
  const std::filesystem::path folder = std::filesystem::path(folder_) / partition_path;
  // The first ancestor that exists holds the entry of the first new one: it is synced as well.
  std::filesystem::path ancestor = folder;
  std::error_code ignored;
  while (!ancestor.empty() && !std::filesystem::exists(ancestor, ignored) &&
         ancestor != ancestor.parent_path()) {
    folders_.insert(ancestor.string());
    ancestor = ancestor.parent_path();
  }
  folders_.insert(ancestor.empty() ? "." : ancestor.string());
  folders_.insert(folder.string());
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return FileError(error.value(), "creating folder", folder.string());
  std::string path = absl::StrCat(partition_path, "/hw-", fence_, "-p", piece, "-", next_number_++,
                                  "-", RandomId().substr(0, kRandomDigits), ".parquet");
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
  for (const std::string& folder : folders_) RETURN_IF_ERROR(SyncFolder(folder));
  return absl::OkStatus();
}

}  // namespace headwater
