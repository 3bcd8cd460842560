// What a Coordinator is made of. Private to coordinator.cc (calls, on any thread) and
// coordinator_thread.cc (the core thread).
#ifndef HEADWATER_COORDINATOR_COORDINATOR_IMPL_H_
#define HEADWATER_COORDINATOR_COORDINATOR_IMPL_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/bounded_queue.h"
#include "coordinator/archive_thread.h"
#include "coordinator/commit_threads.h"
#include "coordinator/coordinator.h"
#include "coordinator/garbage_thread.h"

namespace headwater {

constexpr size_t kQueueCapacity = 65'536;  // Some seconds of inputs at full speed.
constexpr absl::Duration kWatchEvery = absl::Milliseconds(100);  // People read no faster.

// A question to the core that changes nothing.
struct Query {
  std::function<void()> run;
};
using Item = std::variant<Input, Query>;

// What every call gets that the coordinator does not live to answer.
inline absl::Status Ended() { return absl::UnavailableError("the coordinator has ended"); }

struct Coordinator::Impl {
  explicit Impl(CoordinatorOptions given)
      : options(std::move(given)),
        commits(
            options.committers, [this](const std::string& table) { return Locate(table); },
            [this](Input input) { Post(std::move(input)); }),
        garbage(
            options.collectors, [this](const std::string& table) { return Locate(table); },
            [this](Input input) { Post(std::move(input)); }),
        archives(options.archive, [this](Input input) { Post(std::move(input)); }) {}

  // Any thread.
  bool Post(Input input) { return items.Push(Item(std::move(input))); }
  template <typename Answer>
  CallId Expect(Callback<Answer> done);
  template <typename Request, typename Answer>
  void Call(Request request, Callback<Answer> done);
  void Ask(std::function<void()> run, std::function<void()> refused);

  // Core thread; on the starting thread before it runs.
  absl::Status Begin(std::unique_ptr<ClusterState> state);
  void Work();
  void StepAll(std::vector<Item> batch);
  absl::Status Step(absl::Span<const Input> inputs);
  absl::Status Keep(const StepResult& step);
  void SaveSnapshotWhenDue();
  void Emit(Effect effect);
  void ToSession(const SessionId& session, SessionEffect effect);
  template <typename Answer>
  void AnswerCall(Answer answer);
  void UpdateWatches();
  void FireIdle(const absl::Status& status);
  void FireCollected();
  void FailAll();
  absl::Time NextWake() const;
  TableLocation Locate(const std::string& table) const;

  struct Watch {
    std::string run_id;
    Callback<v1::WatchRunResponse> changed;
    absl::Time last_sent = absl::InfinitePast();
    bool dirty = true;
  };

  CoordinatorOptions options;
  std::unique_ptr<Core> core;
  BoundedQueue<Item> items{kQueueCapacity};
  CommitThreads commits;   // Posts into `items` until it is gone.
  GarbageThread garbage;   // Likewise,
  ArchiveThread archives;  // and this.
  std::thread thread;
  bool dead = false;  // The append failed. Core thread.
  int64_t snapshot_sequence = 0;
  std::vector<std::function<void(const absl::Status&)>> idle_waiters;  // Core thread.
  std::vector<std::function<void()>> collect_waiters;                  // Core thread.

  absl::Mutex mutex;
  std::map<SessionId, std::shared_ptr<SessionSink>> sinks ABSL_GUARDED_BY(mutex);
  CallId last_call ABSL_GUARDED_BY(mutex) = 0;
  // Each takes the answer's effect, or null when the coordinator has ended.
  std::map<CallId, std::function<void(Effect*)>> calls ABSL_GUARDED_BY(mutex);

  // Held while a watch's callback runs, so that Unwatch() waits for it.
  absl::Mutex watch_mutex ABSL_ACQUIRED_BEFORE(mutex);
  WatchId last_watch ABSL_GUARDED_BY(watch_mutex) = 0;
  std::map<WatchId, Watch> watches ABSL_GUARDED_BY(watch_mutex);
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COORDINATOR_IMPL_H_
