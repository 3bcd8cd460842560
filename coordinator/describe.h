// What people are told: pure functions from state to the admin protocol's messages. Also used
// without a coordinator, on a ledger that is replayed read-only.
#ifndef HEADWATER_COORDINATOR_DESCRIBE_H_
#define HEADWATER_COORDINATOR_DESCRIBE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/state/cluster_state.h"
#include "coordinator/state/lease_table.h"
#include "headwater/v1/admin.pb.h"

namespace headwater {

v1::WatchRunResponse DescribeRun(const ClusterState& state, const RunState& run,
                                 const LeaseTable& leases, int64_t workers, absl::Time now);

// Without workers and with live = false: the caller adds what only a coordinator knows.
v1::GetStatusResponse DescribeStatus(const ClusterState& state, absl::Time now);

// What is recorded of these datasets and their tables, without the ledger's id.
v1::GetStateResponse DescribeState(const ClusterState& state,
                                   const std::vector<DatasetId>& datasets);

// One dataset's line of a plan, after `demand` has been activated on `dataset`.
v1::PlannedDataset DescribePlan(const DatasetState& dataset, const DemandState& demand,
                                const Pace& pace);

// "61d", "3h", "12m": the largest whole unit.
std::string Brief(absl::Duration duration);

// "2026-11-23 16:30:00 Europe/Oslo (15:30 UTC)"; only in UTC when the zone is that or not known.
std::string DescribeInstant(absl::Time time, const std::string& timezone);

// What the last read row's cursor says: the bound as text, or empty.
std::string BoundText(const DatasetState& dataset);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_DESCRIBE_H_
