// The files of one attempt: made, found again, made durable, or removed.
#ifndef HEADWATER_WORKER_STAGE_STAGED_FILES_H_
#define HEADWATER_WORKER_STAGE_STAGED_FILES_H_

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/partition_path.h"

namespace headwater {

// Confined to one thread. Unless Keep() was called, destroying it removes every file it named;
// folders stay, since another attempt may be about to use them.
class StagedFiles {
 public:
  // `folder` is the table's; nothing is made yet.
  StagedFiles(std::string folder, int64_t fence);
  ~StagedFiles();
  StagedFiles(const StagedFiles&) = delete;
  StagedFiles& operator=(const StagedFiles&) = delete;

  // Names a new file of `piece`, relative to the table's folder, and makes its folders.
  // RESOURCE_EXHAUSTED, PERMISSION_DENIED: a folder cannot be made.
  absl::StatusOr<std::string> NewFile(int piece, const PartitionValues& partition);

  std::string FullPath(const std::string& path) const { return folder_ + "/" + path; }

  // Removes one file that NewFile() named.
  absl::Status Remove(const std::string& path);

  // Syncs every folder on the way to the files, so that their names are durable too.
  absl::Status SyncFolders() const;

  // The files belong to the manifest from here on.
  void Keep() { kept_ = true; }

 private:
  const std::string folder_;
  const int64_t fence_;
  int next_number_ = 0;
  bool kept_ = false;
  std::set<std::string> paths_;
  std::set<std::string> folders_;  // Full paths, to be synced.
  std::set<std::string> named_;    // Folders whose names are durable then.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_STAGED_FILES_H_
