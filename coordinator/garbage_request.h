// What the ledger says of a table to whoever goes through its folder.
#ifndef HEADWATER_COORDINATOR_GARBAGE_REQUEST_H_
#define HEADWATER_COORDINATOR_GARBAGE_REQUEST_H_

#include <string>

#include "coordinator/commit/garbage.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

// What attempts may still publish in the table, as of `state`. Published, retention and dry_run are
// the caller's to fill in.
GarbageRequest GarbageRequestOf(const ClusterState& state, const std::string& table);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_GARBAGE_REQUEST_H_
