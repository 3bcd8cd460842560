// Runs, and maps of sequences, as the ledger's snapshot has them, and back; a part of snapshot.cc.
#ifndef HEADWATER_COORDINATOR_STATE_RUN_SNAPSHOT_H_
#define HEADWATER_COORDINATOR_STATE_RUN_SNAPSHOT_H_

#include "absl/status/statusor.h"
#include "common/data/range_set.h"
#include "coordinator/state/run_state.h"
#include "headwater/v1/snapshot.pb.h"

namespace headwater {

v1::RunSnapshot ToSnapshot(const RunState& run);
// Errors: of FromProto(), for what a run has failed by.
absl::StatusOr<RunState> FromSnapshot(const v1::RunSnapshot& snapshot);

void PutNeeds(const SequenceMap& needs, google::protobuf::RepeatedPtrField<v1::NeedSnapshot>* out);
SequenceMap TakeNeeds(const google::protobuf::RepeatedPtrField<v1::NeedSnapshot>& needs);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_RUN_SNAPSHOT_H_
