// What a table's folder holds that no version names.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_TABLE_FOLDER_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_TABLE_FOLDER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/task.h"
#include "common/storage/object_store.h"

namespace headwater {

// The first key, folder by folder in the order of names, that no attempt of this program staged:
// anything but the log's folder, and files of our names beside it and in folders of partitions
// (whose first is `server_source=…`, unless it has another name or none). Absent: there is none.
// Walks all folders, so it is meant for tables without a version.
absl::StatusOr<std::optional<std::string>> FindForeignKey(const ObjectStore& store);

// NOT_FOUND names the first of `files` that is not there as it was staged.
absl::Status CheckStaged(const ObjectStore& store, const std::vector<StagedFile>& files);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_TABLE_FOLDER_H_
