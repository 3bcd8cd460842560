// Between a worker's session and its slots: who runs what the coordinator offers.
#ifndef HEADWATER_WORKER_TASK_HOST_H_
#define HEADWATER_WORKER_TASK_HOST_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "common/model/dataset_spec.h"
#include "common/model/task.h"

namespace headwater {

// Where a task is; the session adds `delivering` by itself.
enum class TaskPhase { kWaiting, kConnecting, kReading, kFinishing };

struct TaskProgress {
  TaskPhase phase = TaskPhase::kWaiting;
  int64_t rows = 0;
  int64_t bytes = 0;
};

// Called by one thread at a time, when the phase changes and after each batch. Must not block.
using ProgressCallback = std::function<void(const TaskProgress&)>;

// Called on the session's thread; no method may block. For every task taken, exactly one outcome
// comes back through SessionClient::Finish(), also after Stop().
class TaskHost {
 public:
  virtual ~TaskHost() = default;

  // Queues the task for a slot.
  virtual void Take(TaskSpec task, std::shared_ptr<const DatasetSpec> dataset) = 0;

  // Has the task end soon, as soon as its source can be cancelled; one that no slot has begun ends
  // at once, handed back. Nothing happens when it is not there any more. Repeatable.
  virtual void Stop(const LeaseRef& lease) = 0;

  // Ends what no slot has begun, handed back; what runs goes on.
  virtual void StopWaiting() = 0;

  virtual TaskProgress ProgressOf(const LeaseRef& lease) const = 0;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_TASK_HOST_H_
