// Which files of a Delta table may go: pure functions of what its log says, what its folder holds
// and what time it is.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_GARBAGE_PLAN_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_GARBAGE_PLAN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/storage/object_store.h"
#include "coordinator/commit/delta/delta_snapshot.h"
#include "coordinator/commit/garbage.h"

namespace headwater {

// How long the table's replaced files stay: as configured, or longer if its property
// `delta.deletedFileRetentionDuration` says so; for ever when that cannot be read.
absl::Duration FilesRetention(const DeltaMetadata& metadata, const Retention& configured);
// How long entries of its log stay: its property `delta.logRetentionDuration`, but never less than
// kLeastLog, else as configured.
absl::Duration LogRetention(const DeltaMetadata& metadata, const Retention& configured);

struct FoundFile {
  std::string key;  // Under the table's folder.
  int64_t size_bytes = 0;
  absl::Time modified;
};

struct DoomedFile {
  FoundFile file;
  absl::Duration age;
  std::string why;
  std::optional<absl::Time> removed;  // By a version, at this time.
};

struct FilePlan {
  std::vector<DoomedFile> doomed;  // In the order of `found`.
  std::map<std::string, KeptFiles> kept;
};

// Of the files found outside of the log's folder: those that a version removed longer ago than the
// retention go, and those that attempts wrote which have ended and that no version ever named.
// Requires: `snapshot` is not older than the folder's listing by a version that added a file.
FilePlan PlanFiles(const std::vector<FoundFile>& found, const DeltaSnapshot& snapshot,
                   const GarbageRequest& request, absl::Time now);

struct LogPlan {
  // The checkpoint that older versions are not needed for. It must be readable before `doomed`,
  // all that is older, goes.
  int64_t checkpoint = -1;
  std::vector<DoomedFile> doomed;  // The oldest version first, so that what is left has no hole.
  std::map<std::string, KeptFiles> kept;
};

// Of the log's folder, whose entries are `entries`: what is older than a checkpoint from which
// every version within `retention` can be read. `hint` is what _last_checkpoint names: readers
// begin there. Without one everything stays.
LogPlan PlanLog(const std::vector<StoredEntry>& entries, std::optional<int64_t> hint,
                absl::Duration retention, absl::Time now);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_GARBAGE_PLAN_H_
