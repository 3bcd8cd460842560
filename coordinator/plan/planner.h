// Turns demands into claims: which extent of a dataset is to be read next, and where its pieces are
// cut. Pure functions of the state; nothing is planned ahead, so a million missing microbatches
// cost nothing until each is dispatched.
#ifndef HEADWATER_COORDINATOR_PLAN_PLANNER_H_
#define HEADWATER_COORDINATOR_PLAN_PLANNER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/model/task.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

struct PlannedClaim {
  Extent extent;
  std::vector<int64_t> cuts;
};

struct NextClaimResult {
  std::optional<PlannedClaim> claim;
  // Without a claim: when something that is blocked now may be tried. InfiniteFuture: nothing is.
  absl::Time retry_at = absl::InfiniteFuture();
};

// The first extent that meets a part of `demand` and can be claimed at `now`, by `pace` the last
// one: at most one unit, or what `pace` says instead (but a move of the outside rows into the
// domain is one claim), widened to whole published pieces, clear of live claims and of blocked
// extents. Of a dataset that was `adopted` it is everything.
NextClaimResult NextClaim(const DatasetState& dataset, const DemandState& demand, absl::Time now,
                          const Pace& pace = {});

// How many connections to its server one read of `dataset` asks for: several only where the last
// probe found that the whole can be divided. As configured, or by the estimated rows, when one
// connection is left to others; never more than the server takes.
int WantedConnections(const DatasetState& dataset);

// What a worker is told for a claim, with the published pieces that it may find unchanged.
MicrobatchTask MicrobatchOf(const DatasetState& dataset, const Claim& claim);

// One microbatch that would be dispatched, and why. Estimates are -1 where nothing tells.
struct PlannedMicrobatch {
  Extent extent;
  // never loaded, new rows, asked, changed, lookback, read whole each time, stale, outside
  std::string why;
  int64_t rows = -1;
  int64_t bytes = -1;   // Of the source's rows, as they are read.
  double seconds = -1;  // Of one connection.
};

// Every microbatch that `demand` would cause, and why, as if nothing else happened. At most `limit`
// are listed; count and sums are exact.
struct DemandPlan {
  int64_t microbatches = 0;
  std::vector<PlannedMicrobatch> listed;
  std::string why;
  int64_t rows = 0, bytes = -1;  // -1: nothing tells.
  double seconds = -1;
};
DemandPlan PlanDemand(const DatasetState& dataset, const DemandState& demand, const Pace& pace,
                      int limit);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_PLAN_PLANNER_H_
