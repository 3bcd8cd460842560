// The log folder of a Delta table: names, listing, one entry at a time.
//
//   <table>/_delta_log/00000000000000000012.json          one version, never overwritten
//                      00000000000000000050.checkpoint.parquet
//                      _last_checkpoint                   a hint, may be missing or wrong
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_LOG_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/storage/object_store.h"
#include "coordinator/commit/delta/delta_actions.h"

namespace headwater {

std::string VersionKey(int64_t version);
std::string CheckpointKey(int64_t version);
inline constexpr char kLogFolder[] = "_delta_log";
inline constexpr char kLastCheckpointKey[] = "_delta_log/_last_checkpoint";

// What the folder holds.
struct DeltaListing {
  std::vector<int64_t> versions;     // Ascending.
  std::vector<int64_t> checkpoints;  // Classic single-file ones, ascending.
};
absl::StatusOr<DeltaListing> ListLog(const ObjectStore& store);

// NOT_FOUND: no such version. DATA_LOSS: not a log entry.
absl::StatusOr<DeltaVersion> ReadVersion(const ObjectStore& store, int64_t version);

// ALREADY_EXISTS: somebody else made this version.
absl::Status PutVersion(ObjectStore& store, int64_t version, const DeltaVersion& actions);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_LOG_H_
