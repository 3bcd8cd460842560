// How much of what is wanted one microbatch takes, and where its pieces end.
#ifndef HEADWATER_COORDINATOR_PLAN_MICROBATCH_SHAPE_H_
#define HEADWATER_COORDINATOR_PLAN_MICROBATCH_SHAPE_H_

#include <cstdint>
#include <vector>

#include "coordinator/state/cluster_state.h"
#include "coordinator/state/dataset_state.h"

namespace headwater {

// One unit from the start of `wanted`, or its last one (`pace.newest_first`), less where that would
// take too long, and grown to what must be read with it. With `through_emptiness` it goes on to
// where the source's next rows are, when a read has shown that there are none before. Requires: a
// probed dataset; `wanted` is not empty.
Range ShapeOf(const DatasetState& dataset, Range wanted, const Pace& pace,
              bool through_emptiness = true);

// Where the pieces of a microbatch of `range` end, strictly inside of it, ascending.
std::vector<int64_t> CutsOf(const DatasetState& dataset, Range range);

// Whether the last probe saw rows of the tail move that `range` shares an instant with.
bool TailMovedIn(const DatasetState& dataset, const Range& range);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_PLAN_MICROBATCH_SHAPE_H_
