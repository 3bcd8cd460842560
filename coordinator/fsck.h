// `fsck`: the ledger, the tables' logs and the tables' files against each other, beside whoever
// loads, publishes and collects meanwhile. Nothing is written.
//
//   for each table: take in all events ─► read the table ─► take in events up to just its last
//   commit ─► compare ─► each file ─► what the collector would say of the others
//
// So the two are compared as of one moment, whatever is being published. What seems wrong all the
// same (another program may be in the middle of something) is looked at once more.
#ifndef HEADWATER_COORDINATOR_FSCK_H_
#define HEADWATER_COORDINATOR_FSCK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/model/retention.h"
#include "coordinator/commit/file_check.h"
#include "coordinator/commit/garbage.h"
#include "coordinator/commit/takeover.h"
#include "coordinator/ledger/event_log.h"
#include "coordinator/state/cluster_state.h"
#include "headwater/v1/fsck.pb.h"

namespace headwater {

struct FsckTable {
  std::string table, uri;
  Retention retention;
};

// All outlive the call.
struct FsckOptions {
  TakeoverFactory* tables = nullptr;
  GarbageCollectorFactory* collectors = nullptr;
  FileChecker* files = nullptr;
  // Somebody appends to the log: the outcome of a commit that is under way is waited for, so long.
  absl::Duration patience = absl::ZeroDuration();
};

// `log` may be open for reading only, `state` is what ReplayLog() gave; it takes in what comes.
// Errors: the log's. What is wrong with a table is in the report.
absl::StatusOr<v1::FsckReport> Fsck(const std::vector<FsckTable>& tables, EventLog& log,
                                    ClusterState& state, const FsckOptions& options);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_FSCK_H_
