// Garbage collection beside the core: one thread goes through one table after the other, so that no
// commit and no step ever waits for it.
#ifndef HEADWATER_COORDINATOR_GARBAGE_THREAD_H_
#define HEADWATER_COORDINATOR_GARBAGE_THREAD_H_

#include <functional>
#include <stop_token>
#include <thread>

#include "common/base/bounded_queue.h"
#include "coordinator/commit/garbage.h"
#include "coordinator/core.h"

namespace headwater {

// Confined to one thread, but for Interrupt() and the thread inside.
class GarbageThread {
 public:
  // `post` takes a GarbageCollected for each effect; it is called from the thread inside. `locate`
  // finds a table's folder, on the caller's thread. `factory` may be null: then nothing can be
  // collected. All must outlive this object.
  GarbageThread(GarbageCollectorFactory* factory,
                std::function<TableLocation(const std::string&)> locate,
                std::function<void(Input)> post);
  ~GarbageThread();  // Stop().

  // Queues the effect. Never blocks: the core has at most one under way.
  void Run(CollectGarbage effect);

  // Has the collection under way end soon, not complete, and answers CANCELLED to those that come
  // after it. Thread-safe.
  void Interrupt() { stop_.request_stop(); }

  // Interrupt(), and waits for the thread. Repeatable.
  void Stop();

 private:
  struct Work {
    TableLocation location;
    CollectGarbage effect;
  };
  void Loop();
  GarbageReport Collect(const Work& work);

  GarbageCollectorFactory* const factory_;
  const std::function<TableLocation(const std::string&)> locate_;
  const std::function<void(Input)> post_;
  std::stop_source stop_;
  BoundedQueue<Work> work_;
  std::thread thread_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_GARBAGE_THREAD_H_
