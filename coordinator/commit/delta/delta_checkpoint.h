// Classic (V1) checkpoints: the state of a table after one version, in one Parquet file, so that
// readers need not replay the whole log. Source: PROTOCOL.md of the Delta Lake project,
// "Checkpoints".
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_CHECKPOINT_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_CHECKPOINT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/commit/delta/delta_actions.h"

namespace headwater {

// `state` holds protocol, metadata, every live add, unexpired removes and the newest txn per appId,
// as if they were one version.
absl::StatusOr<std::string> EncodeCheckpoint(const DeltaVersion& state);

// DATA_LOSS: not a checkpoint, or a damaged one.
absl::StatusOr<DeltaVersion> DecodeCheckpoint(const std::string& bytes);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_CHECKPOINT_H_
