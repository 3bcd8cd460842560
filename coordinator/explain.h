// Why something runs, waits, has failed or is missing: what the state knows of it. What only a
// coordinator knows comes from the caller. Pure functions.
#ifndef HEADWATER_COORDINATOR_EXPLAIN_H_
#define HEADWATER_COORDINATOR_EXPLAIN_H_

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "coordinator/state/cluster_state.h"
#include "coordinator/state/lease_table.h"
#include "headwater/v1/admin.pb.h"

namespace headwater {

// One reason, by its code and in words (v1::Explanation).
struct Reason {
  std::string code;
  std::string why;
  absl::Time until = absl::InfiniteFuture();  // InfiniteFuture: time alone does not help.
};

struct ExplainSources {
  // Of the coordinator; null without one.
  const LeaseTable* leases = nullptr;
  // Why nothing more of a live demand is under way.
  std::function<Reason(const DatasetState&, const RunState&, const DemandState&)> why_waits;
  // Why what is staged of a table is not published yet.
  std::function<Reason(const std::string& table)> why_staged;
  // The worker's name of a session; empty for no session.
  std::function<std::string(const std::string& session)> worker;
};

// What can be said without a coordinator.
ExplainSources WithoutCoordinator();

// Adds what there is to say of `dataset`: everything under way, everything that is wanted and
// waits, what failed, and what is missing or stale without being wanted; or that it is all there.
void Explain(const ClusterState& state, const DatasetState& dataset, const ExplainSources& sources,
             absl::Time now, v1::ExplainResponse& response);

// A task that a worker has. `worker`: as ExplainSources::worker.
v1::TaskInFlight DescribeTask(const DatasetState& dataset, const Lease& lease,
                              const std::string& worker, absl::Time now);

// At most 20 of `ranges` in words, and their number.
v1::RangeList DescribeRanges(const DatasetState& dataset, const std::vector<Range>& ranges);

// What of the domain is not loaded; and what is loaded and to be read again.
std::vector<Range> MissingRanges(const DatasetState& dataset);
std::vector<Range> StaleRanges(const DatasetState& dataset);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_EXPLAIN_H_
