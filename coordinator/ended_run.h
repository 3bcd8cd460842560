// A run that has ended, as people and the archive have it.
#ifndef HEADWATER_COORDINATOR_ENDED_RUN_H_
#define HEADWATER_COORDINATOR_ENDED_RUN_H_

#include "coordinator/state/run_state.h"
#include "headwater/v1/history.pb.h"

namespace headwater {

// Says of a run what it says ever after: nothing but the run itself goes into it. Requires: it has
// ended.
v1::EndedRun EndedRunOf(const RunState& run);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_ENDED_RUN_H_
