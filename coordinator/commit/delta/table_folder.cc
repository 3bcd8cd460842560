#include "coordinator/commit/delta/table_folder.h"

#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/staged_name.h"
#include "coordinator/commit/delta/delta_log.h"

namespace headwater {

absl::StatusOr<std::optional<std::string>> FindForeignKey(const ObjectStore& store) {
  std::deque<std::string> folders = {""};  // Still to be looked into.
  while (!folders.empty()) {
    const std::string folder = std::move(folders.front());
    folders.pop_front();
    ASSIGN_OR_RETURN(const std::vector<std::string> names, store.List(folder));
    for (const std::string& name : names) {
      if (folder.empty() && name == kLogFolder) continue;
      const std::string key = folder.empty() ? name : absl::StrCat(folder, "/", name);
      if (IsStagedName(name)) continue;
      if (!absl::StrContains(name, '=')) return key;  // No partition, whatever the columns' names.
      ASSIGN_OR_RETURN(const std::optional<int64_t> size, store.SizeOf(key));
      if (size.has_value()) return key;  // A file with the name of a folder.
      folders.push_back(key);
    }
  }
  return std::optional<std::string>();
}

absl::Status CheckStaged(const ObjectStore& store, const std::vector<StagedFile>& files) {
  for (const StagedFile& file : files) {
    ASSIGN_OR_RETURN(const std::optional<int64_t> size, store.SizeOf(file.path));
    if (size == file.size_bytes) continue;
    return absl::NotFoundError(absl::StrCat(
        "staged file ", file.path,
        size.has_value() ? absl::StrCat(" has ", *size, " bytes, expected ") : " is gone: it had ",
        file.size_bytes, ". Its rows are to be read again"));
  }
  return absl::OkStatus();
}

}  // namespace headwater
