// How far a dataset is, as a message: what snapshots of the ledger hold of it, what `state export`
// writes, and what the event ProgressSet puts in its place.
#ifndef HEADWATER_COORDINATOR_STATE_PROGRESS_H_
#define HEADWATER_COORDINATOR_STATE_PROGRESS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/state/dataset_state.h"
#include "headwater/v1/progress.pb.h"

namespace headwater {

v1::PieceSnapshot ToSnapshot(const Piece& piece);
absl::StatusOr<Piece> FromSnapshot(const v1::PieceSnapshot& piece);
v1::OutsideSnapshot ToSnapshot(const OutsidePiece& outside);
OutsidePiece FromSnapshot(const v1::OutsideSnapshot& outside);

// Everything that SetProgress() sets; nothing is in `stale`, since that is what `needs` have.
v1::DatasetProgress ProgressOf(const DatasetState& dataset);

// INVALID_ARGUMENT names what is wrong: pieces overlap, are empty or out of order, or a number is
// not one that the ledger could have written. `last_sequence` is the ledger's own.
absl::Status CheckProgress(const v1::DatasetProgress& progress, int64_t last_sequence);

// Puts `progress` in the place of domain, coverage and needs; what is stale gets a need of
// `sequence`, that of the event. Spec, probe, claims and failures stay as they are. Requires:
// CheckProgress().
void SetProgress(const v1::DatasetProgress& progress, int64_t sequence, DatasetState& dataset);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_PROGRESS_H_
