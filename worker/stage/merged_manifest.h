// What several writers staged of one attempt, each a part of its rows, as one manifest.
#ifndef HEADWATER_WORKER_STAGE_MERGED_MANIFEST_H_
#define HEADWATER_WORKER_STAGE_MERGED_MANIFEST_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/model/task.h"

namespace headwater {

// The manifest of all `parts` together: fingerprints are order-free sums, files are counted
// together. A piece that equals one of `known` is unchanged and has no files here: those in the
// parts are to be removed. Only the whole can be compared, so no part may have been.
// Requires: at least one part. INTERNAL: they do not describe the same pieces of the same columns.
absl::StatusOr<Manifest> MergeManifests(const std::vector<Manifest>& parts,
                                        const std::vector<KnownPiece>& known);

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_MERGED_MANIFEST_H_
