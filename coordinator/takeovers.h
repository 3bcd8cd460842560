// `state heal` and `repair --adopt`: a ledger makes tables its own, by what their logs say. While
// nobody publishes: the caller holds the lock of the ledger (cli/ledger_lock.h), and no coordinator
// has it open.
//
//   survey every table ─► show, ask ─► for each: one version of the table, then the ledger's events
//
// The table comes first: until the ledger has its events, it refuses the table or knows less than
// the table has, and the same takeover can be done once more.
#ifndef HEADWATER_COORDINATOR_TAKEOVERS_H_
#define HEADWATER_COORDINATOR_TAKEOVERS_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/model/dataset_spec.h"
#include "coordinator/commit/takeover.h"
#include "coordinator/ledger/event_log.h"
#include "coordinator/plan/takeover_plan.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

// One table, what was found in it, and what becomes of its datasets.
struct TableTakeoverPlan {
  std::string table, uri;
  std::string refused;  // Why it is left alone; empty: it is taken.
  TableSurvey survey;
  std::vector<std::pair<DatasetId, PlannedTakeover>> datasets;
  std::set<std::string> servers;  // Configured ones.
};

struct TakeoverScope {
  // Files of other writers are taken over in these datasets,
  std::set<DatasetId> adopted = {};
  // of which the tables belong to this ledger already, unless it is empty: then every configured
  // table is taken, whoever it says that it belongs to.
  std::string ledger_id = {};
};

// Reads all configured tables, or with `scope.ledger_id` those of the datasets in `scope.adopted`.
// In a table that belongs to that ledger only those datasets are set which have files to adopt;
// where there is nothing to do there is no plan.
// Errors: a table that cannot be read, since what it has ever seen is not known then.
absl::StatusOr<std::vector<TableTakeoverPlan>> PlanTakeovers(
    const std::vector<DatasetSpec>& datasets, TakeoverFactory& factory, const TakeoverScope& scope);

// For people.
v1::TakeoverReport ReportOf(const std::vector<TableTakeoverPlan>& plans);

// Makes the new, empty `log` the ledger of these tables. It begins far above all fences and
// sequences that they have seen, and above `floor`. ABORTED: somebody has written one of them
// meanwhile.
absl::Status Heal(const std::vector<DatasetSpec>& datasets,
                  const std::vector<TableTakeoverPlan>& plans, TakeoverFactory& factory,
                  int64_t floor, EventLog& log, const Clock& clock = Clock::Real());

// Has the ledger, whose state `state` is, take these tables over. What was being loaded of their
// datasets is given up. FAILED_PRECONDITION: a commit in one of them has no outcome yet; ABORTED:
// as for Heal().
absl::Status Adopt(const std::vector<DatasetSpec>& datasets,
                   const std::vector<TableTakeoverPlan>& plans, TakeoverFactory& factory,
                   EventLog& log, ClusterState& state, const Clock& clock = Clock::Real());

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_TAKEOVERS_H_
