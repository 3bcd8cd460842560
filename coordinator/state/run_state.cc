// What a claim's end means for the demands that it serves, in numbers for the summary.
#include "coordinator/state/cluster_state.h"

namespace headwater {

void CountClaim(DemandState& demand, const DatasetState& dataset, const Claim& claim,
                bool changed) {
  ++demand.done;
  if (!changed) ++demand.unchanged;
  if (!claim.manifest.has_value()) return;
  demand.rows_read += claim.manifest->rows_read;
  demand.bytes_read += claim.manifest->bytes_read;
  demand.bytes_written += claim.manifest->bytes_staged;
  demand.truncated_values += claim.manifest->truncated_values;
  for (const StagedPiece& piece : claim.manifest->pieces) {
    if (piece.unchanged) continue;
    ++demand.pieces_written;
    demand.rows_written += piece.fingerprint.rows - piece.bad_rows;
    demand.bad_rows += piece.bad_rows;
    const bool replaces = piece.extent.range.has_value()
                              ? !dataset.coverage.Overlapping(*piece.extent.range).empty()
                              : dataset.outside.has_value();
    if (replaces && demand.rewritten.size() < kMaxListed) {
      demand.rewritten.push_back(Describe(dataset, piece.extent));
    }
  }
}

}  // namespace headwater
