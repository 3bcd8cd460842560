// Runs one task about histories from offer to outcome: a verification of them, or a repair. It
// needs no source.
#ifndef HEADWATER_WORKER_HISTORY_RUNNER_H_
#define HEADWATER_WORKER_HISTORY_RUNNER_H_

#include <functional>
#include <stop_token>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"
#include "worker/change/history_mender.h"
#include "worker/task_host.h"

namespace headwater {

// How histories are looked at: CheckTargetHistories() and MendTargetHistories() of
// worker/registry.h, or a test's own.
struct HistoryWork {
  using Function =
      std::function<absl::StatusOr<Manifest>(const HistoryOptions&, const std::stop_token&)>;
  Function check, mend;
};

// As RunTask(). Its failures are of kind kTask; INTERNAL: the task has no files to look at.
// Requires: a microbatch or a verification with `histories`. Blocks; uses no other thread.
Outcome RunHistories(const DatasetSpec& dataset, const TaskSpec& task, const HistoryWork& work,
                     std::stop_token stop, const ProgressCallback& progress);

}  // namespace headwater

#endif  // HEADWATER_WORKER_HISTORY_RUNNER_H_
