// What `state set`, `state reset` and `state import` make of how far a dataset is: pure functions.
// None of them says more of a table than it has, and none forgets a piece that has files, whose
// reading could then cut it.
#ifndef HEADWATER_COORDINATOR_PLAN_STATE_CHANGE_H_
#define HEADWATER_COORDINATOR_PLAN_STATE_CHANGE_H_

#include <string>
#include <vector>

#include "coordinator/commit/takeover.h"
#include "coordinator/state/dataset_state.h"
#include "headwater/v1/progress.pb.h"

namespace headwater {

struct ChangedProgress {
  v1::DatasetProgress progress;
  std::vector<std::string> notes = {};  // For people.
};

// What is loaded in `window` is read again by the next run, or, `fresh`, is not unless it moves.
// `everything`: the rows outside of the domain as well.
ChangedProgress MarkProgress(const DatasetState& dataset, Range window, bool everything,
                             bool fresh);

// All is read and written again by the next run. What is known of the domain and of what has
// settled stays.
ChangedProgress ResetProgress(const DatasetState& dataset);

// What the table has, with what `imported` knows more of the same pieces: pieces that the table
// does not show with the same fence and fingerprint are left out. `last_sequence` is the ledger's.
ChangedProgress ImportProgress(const DatasetState& dataset, const TableSurvey& survey,
                               const v1::DatasetProgress& imported, int64_t last_sequence);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_PLAN_STATE_CHANGE_H_
