// Runs whatever a task is so that an outcome comes of it.
#ifndef HEADWATER_WORKER_GUARDED_TASK_H_
#define HEADWATER_WORKER_GUARDED_TASK_H_

#include <exception>
#include <new>
#include <stop_token>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"

namespace headwater {

// The outcome whose result is what `run` returns; a failure where it throws. After a stop request
// a failure is kTask with CANCELLED, whatever failed first: nobody waits for the answer. Failures
// name the dataset.
template <typename Run>
Outcome RunGuarded(const DatasetSpec& dataset, const TaskSpec& task, const std::stop_token& stop,
                   const Run& run) {
  using Result = decltype(Outcome::result);
  Outcome outcome{task.lease, Failure{}};
  try {
    outcome.result =
        stop.stop_requested()
            ? Result(Failure{FailureKind::kTask, absl::CancelledError("stopped before it began")})
            : run();
  } catch (const std::bad_alloc&) {
    outcome.result = Failure{FailureKind::kTask, absl::ResourceExhaustedError("out of memory")};
  } catch (const std::exception& e) {
    outcome.result = Failure{FailureKind::kTask, absl::InternalError(e.what())};
  }
  auto* failure = std::get_if<Failure>(&outcome.result);
  if (failure == nullptr) return outcome;
  if (stop.stop_requested()) {
    *failure = Failure{FailureKind::kTask, absl::CancelledError(failure->status.message())};
  }
  failure->status =
      Annotate(failure->status, absl::StrCat(dataset.id.table, " on server ", dataset.id.server));
  return outcome;
}

}  // namespace headwater

#endif  // HEADWATER_WORKER_GUARDED_TASK_H_
