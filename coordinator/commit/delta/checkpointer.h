// When checkpoints of a table are written, and what they no longer hold.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_CHECKPOINTER_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_CHECKPOINTER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/storage/object_store.h"
#include "coordinator/commit/delta/delta_actions.h"
#include "coordinator/commit/delta/delta_snapshot.h"

namespace headwater {

// How long a checkpoint keeps the record of a removed file: the table's
// `delta.deletedFileRetentionDuration` ("interval 1 week"), 7 days when it has none, and for ever
// when it cannot be read.
absl::Duration TombstoneRetention(const DeltaMetadata& metadata);

// Another such property; absent: the table does not have it.
std::optional<absl::Duration> IntervalProperty(const DeltaMetadata& metadata,
                                               const std::string& name);

// Thread-compatible.
class Checkpointer {
 public:
  // `table` is for messages. A checkpoint is due `every` versions after the last one.
  Checkpointer(std::string table, int64_t every, const Clock* clock)
      : table_(std::move(table)), every_(every), clock_(clock), due_(every) {}

  // A table was loaded from its checkpoint `version`; -1: from its first version.
  void Loaded(int64_t version);

  // After a commit: writes the checkpoint of `snapshot` if one is due, and has the snapshot forget
  // removed files whose time has come and that were removed before `collected_before`: one that is
  // forgotten earlier is a file that the table never had. A commit stands without its checkpoint,
  // so a failure is logged and tried again with the next version; then after 2, 4, 8 … more, since
  // each try costs as much as the table is large.
  void Write(ObjectStore& store, DeltaSnapshot& snapshot,
             absl::Time collected_before = absl::InfiniteFuture());

 private:
  const std::string table_;
  const int64_t every_;
  const Clock* const clock_;
  int64_t due_;       // The version from which on the next one is to be written.
  int64_t wait_ = 1;  // Versions until the next try after a failure.
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_CHECKPOINTER_H_
