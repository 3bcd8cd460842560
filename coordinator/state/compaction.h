// Compaction: a unit that has settled in several small pieces becomes one piece, of the same rows.
// Nothing is read at the source, so coverage, needs and what reads have confirmed stay as they are.
#ifndef HEADWATER_COORDINATOR_STATE_COMPACTION_H_
#define HEADWATER_COORDINATOR_STATE_COMPACTION_H_

#include <cstddef>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/state/dataset_state.h"
#include "coordinator/state/run_state.h"

namespace headwater {

// Of one demand: a run that comes upon a thousand such units stays short, and the next goes on.
inline constexpr size_t kMaxCompactions = 16;
// In one compaction: its task names the files of all. What it makes is put together by a later one.
inline constexpr size_t kMaxCompactedPieces = 256;

// Whether the published pieces of `range` can be put together: all of it has settled, they cover it
// and end with it, two of them or more have rows, all are of one spec_version, and no row of theirs
// is in the quarantine. Only with strategy `incremental`: others read whole units.
bool IsCompactable(const DatasetState& dataset, Range range);

// The first ranges of settled units that are compactable, at most kMaxCompactions; and remembers
// from where on there are any, so that the next call costs what has been published or has settled
// since.
std::vector<Range> TakeCompactable(DatasetState& dataset);

// One more compaction has failed at `at`, one after the other: the first one is tried again by the
// next run, then it waits 10 s · 2ⁿ, at most five minutes. Ticks come each second, and what fails
// may be large.
void NoteCompactionFailed(DatasetState& dataset, absl::Time at);

// Whether a demand goes on wanting `range` compacted: it is compactable, nothing in it is
// quarantined, and what is to be read again there is what the demand itself waits for.
bool WantsCompacted(const DatasetState& dataset, const DemandState& demand, Range range);

// Whether `range` can be compacted now: neither is it being loaded, nor to be read again.
bool MayCompactNow(const DatasetState& dataset, Range range);

// What the pieces of `range` are together: their rows, and the lowest fill_seq of theirs. Its fence
// is to be set. Requires: IsCompactable().
Piece CompactedPiece(const DatasetState& dataset, Range range);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_COMPACTION_H_
