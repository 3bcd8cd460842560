// The state of a Delta table after one version: what replaying its log gives.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_SNAPSHOT_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_SNAPSHOT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/storage/object_store.h"
#include "coordinator/commit/delta/delta_actions.h"

namespace headwater {

// Thread-compatible.
class DeltaSnapshot {
 public:
  using TakeVersion = absl::FunctionRef<void(const DeltaVersion& actions)>;

  // Replays the log: from the newest checkpoint that can be read, else from version 0. A table that
  // does not exist has version -1. DATA_LOSS: the log has a hole, or an entry that is not one.
  static absl::StatusOr<DeltaSnapshot> Load(const ObjectStore& store);

  // Takes in the versions that have come since, and hands each to `taken` as well. When one cannot
  // be read, those before it have been taken.
  absl::Status Refresh(const ObjectStore& store, const TakeVersion& taken);

  // Takes one version in. Requires: it is version() + 1.
  void Apply(int64_t version, const DeltaVersion& actions);

  int64_t version() const { return version_; }
  bool exists() const { return version_ >= 0; }
  const std::optional<DeltaProtocol>& protocol() const { return protocol_; }
  const std::optional<DeltaMetadata>& metadata() const { return metadata_; }
  const std::map<std::string, DeltaAdd>& files() const { return files_; }  // Live ones, by path.
  // Removed ones that no checkpoint has forgotten, by path; none of them is live.
  const std::map<std::string, DeltaRemove>& removed() const { return removed_; }
  // Last transaction version of an application; 0: none.
  int64_t LastSequence(const std::string& app_id) const;
  const std::map<std::string, int64_t>& txns() const { return txns_; }  // By application.

  // The checkpoint from which the table was loaded; -1: it was replayed from its first version.
  int64_t checkpoint() const { return checkpoint_; }

  // Forgets the removes older than `expired`: files that no reader may still be looking at. One
  // that does not say when it was stays.
  void ForgetRemoved(absl::Time expired);

  // Everything a checkpoint holds.
  DeltaVersion ToCheckpoint() const;

 private:
  absl::Status LoadFrom(const ObjectStore& store, int64_t checkpoint);

  int64_t version_ = -1;
  int64_t checkpoint_ = -1;
  std::optional<DeltaProtocol> protocol_;
  std::optional<DeltaMetadata> metadata_;
  std::map<std::string, DeltaAdd> files_;
  std::map<std::string, DeltaRemove> removed_;
  std::map<std::string, int64_t> txns_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_SNAPSHOT_H_
