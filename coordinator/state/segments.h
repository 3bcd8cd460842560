// How far a dataset is, range by range, as people are shown it.
#ifndef HEADWATER_COORDINATOR_STATE_SEGMENTS_H_
#define HEADWATER_COORDINATOR_STATE_SEGMENTS_H_

#include <vector>

#include "coordinator/state/dataset_state.h"
#include "headwater/v1/state.pb.h"

namespace headwater {

// Of its domain and its pieces, ascending; neighbours in the same state are one. An instant is, in
// this order: in flight, failed, fresh, stale, missing. The rows outside of the domain come last.
std::vector<v1::StateSegment> SegmentsOf(const DatasetState& dataset);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_SEGMENTS_H_
