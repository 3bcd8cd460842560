#include "worker/worker.h"

#include <algorithm>
#include <deque>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/disposition.h"
#include "common/base/status.h"
#include "worker/canceller.h"

namespace headwater {
namespace {

// A connection after these errors of a task is as good as before: the task was at fault.
bool MayBeUsedAgain(const Outcome& outcome) {
  const Failure* failure = std::get_if<Failure>(&outcome.result);
  if (failure == nullptr) return !std::holds_alternative<HandedBack>(outcome.result);
  return failure->kind == FailureKind::kTask &&
         DispositionOf(failure->status.code()) == Disposition::kQuarantine;
}

// What runs a task that has none of a source, and so neither opens a connection nor keeps one from
// others; null: it has one.
const FileTaskRunner* FileRunnerOf(const WorkerOptions& options, const TaskSpec& task) {
  if (const auto* verification = std::get_if<VerificationTask>(&task.kind))
    return verification->histories ? &options.run_histories : nullptr;
  const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind);
  if (microbatch == nullptr) return nullptr;
  if (microbatch->histories) return &options.run_histories;
  return microbatch->inputs.empty() ? nullptr : &options.run_compaction;
}

int ConnectionsOf(const TaskSpec& task) {
  const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind);
  return microbatch == nullptr ? 1 : microbatch->connections;
}

}  // namespace

struct Worker::Impl : public TaskHost {
  struct Task {
    TaskSpec spec;
    std::shared_ptr<const DatasetSpec> dataset;
    TaskProgress progress;
    std::stop_source stop;
    bool stopped = false;  // Its stop was asked for. `stop` follows when the canceller gets to it.
  };

  explicit Impl(WorkerOptions given)
      : options(std::move(given)),
        sources(options.open_source, options.source_idle, options.session.clock),
        canceller(options.session.slots) {}

  // TaskHost, on the session's thread.
  void Take(TaskSpec task, std::shared_ptr<const DatasetSpec> dataset) override;
  void Stop(const LeaseRef& lease) override;
  void StopWaiting() override;
  TaskProgress ProgressOf(const LeaseRef& lease) const override;

  void CloseIdleSources();
  void RunSlot();
  std::shared_ptr<Task> NextTask();
  Outcome Run(Task& task);
  Outcome Finished(const Task& task, Outcome outcome) const;
  // What comes back while others are idle is looked at when the first of them is to be closed.
  bool MayCloseOrEnded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return (returned && nothing_idle) || ended;
  }
  bool HasTaskOrEnded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return !waiting.empty() || ended;
  }
  void HandBack(const std::shared_ptr<Task>& task);
  void StopRunning(Task& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  bool WasStopped(const Task& task) const;

  const WorkerOptions options;
  SourcePool sources;
  Canceller canceller;  // A thread for each slot: the session's must not wait for a server.
  std::unique_ptr<SessionClient> session;
  std::vector<std::thread> slots;
  std::thread closer;  // Slots may be busy for hours, and idle connections eat the caps of others.

  mutable absl::Mutex mutex;
  std::deque<std::shared_ptr<Task>> waiting ABSL_GUARDED_BY(mutex);
  // Waiting and running. A lease that was abandoned and granted again has another fence.
  std::map<LeaseRef, std::shared_ptr<Task>> tasks ABSL_GUARDED_BY(mutex);
  bool returned ABSL_GUARDED_BY(mutex) = false;      // A source, since idle ones were looked at.
  bool nothing_idle ABSL_GUARDED_BY(mutex) = false;  // Then.
  bool ended ABSL_GUARDED_BY(mutex) = false;
};

void Worker::Impl::Take(TaskSpec spec, std::shared_ptr<const DatasetSpec> dataset) {
  auto task = std::make_shared<Task>();
  task->spec = std::move(spec);
  task->dataset = std::move(dataset);
  absl::MutexLock lock(&mutex);
  tasks[task->spec.lease] = task;
  waiting.push_back(std::move(task));
}

void Worker::Impl::Stop(const LeaseRef& lease) {
  std::shared_ptr<Task> not_begun;
  {
    absl::MutexLock lock(&mutex);
    const auto found = tasks.find(lease);
    if (found == tasks.end()) return;
    const auto queued = std::find(waiting.begin(), waiting.end(), found->second);
    if (queued == waiting.end()) return StopRunning(*found->second);
    not_begun = std::move(*queued);
    waiting.erase(queued);
    tasks.erase(found);
  }
  HandBack(not_begun);
}

void Worker::Impl::StopRunning(Task& task) {
  if (!std::exchange(task.stopped, true)) canceller.Request(task.stop);
}

bool Worker::Impl::WasStopped(const Task& task) const {
  absl::MutexLock lock(&mutex);
  return task.stopped;
}

void Worker::Impl::StopWaiting() {
  std::deque<std::shared_ptr<Task>> stopped;
  {
    absl::MutexLock lock(&mutex);
    stopped.swap(waiting);
    for (const auto& task : stopped) tasks.erase(task->spec.lease);
  }
  for (const auto& task : stopped) HandBack(task);
}

void Worker::Impl::HandBack(const std::shared_ptr<Task>& task) {
  session->Finish({.lease = task->spec.lease, .result = HandedBack{.reason = "not begun"}});
}

TaskProgress Worker::Impl::ProgressOf(const LeaseRef& lease) const {
  absl::MutexLock lock(&mutex);
  const auto found = tasks.find(lease);
  return found == tasks.end() ? TaskProgress{} : found->second->progress;
}

void Worker::Impl::RunSlot() {
  while (std::shared_ptr<Task> task = NextTask()) {
    Outcome outcome = Run(*task);
    {
      absl::MutexLock lock(&mutex);
      const auto found = tasks.find(task->spec.lease);
      if (found != tasks.end() && found->second == task) tasks.erase(found);
    }
    session->Finish(std::move(outcome));
  }
}

// Blocks; null at the end.
std::shared_ptr<Worker::Impl::Task> Worker::Impl::NextTask() {
  absl::MutexLock lock(&mutex, absl::Condition(this, &Impl::HasTaskOrEnded));
  if (ended) return nullptr;
  std::shared_ptr<Task> task = std::move(waiting.front());
  waiting.pop_front();
  return task;
}

void Worker::Impl::CloseIdleSources() {
  while (true) {
    {
      absl::MutexLock lock(&mutex);
      returned = false;
    }
    const absl::Time wake = sources.CloseIdle();
    absl::MutexLock lock(&mutex);
    nothing_idle = wake == absl::InfiniteFuture();
    options.session.clock->Await(mutex, absl::Condition(this, &Impl::MayCloseOrEnded), wake);
    if (ended) return;
  }
}

Outcome Worker::Impl::Run(Task& task) {
  const auto progress = [&](const TaskProgress& now) {
    absl::MutexLock lock(&mutex);
    task.progress = now;
  };
  progress({.phase = TaskPhase::kConnecting});
  const ServerSpec& server = task.dataset->server;
  Outcome outcome;
  if (const FileTaskRunner* run = FileRunnerOf(options, task.spec); run != nullptr) {
    outcome = (*run)(*task.dataset, task.spec, task.stop.get_token(), progress);
    return Finished(task, std::move(outcome));
  }
  absl::StatusOr<std::unique_ptr<Source>> source = sources.Get(server, ConnectionsOf(task.spec));
  if (!source.ok()) {
    outcome.result = Failure{.kind = FailureKind::kSource, .status = source.status()};
  } else {
    outcome = options.run_task(*task.dataset, task.spec, **source, options.session.clock->Now(),
                               task.stop.get_token(), progress);
    // A stop that comes later finds nothing of this task that it could cancel.
    if (!WasStopped(task) && MayBeUsedAgain(outcome)) {
      sources.Return(server, *std::move(source));
      absl::MutexLock lock(&mutex);
      returned = true;
    }
  }
  return Finished(task, std::move(outcome));
}

Outcome Worker::Impl::Finished(const Task& task, Outcome outcome) const {
  outcome.lease = task.spec.lease;
  if (WasStopped(task) && std::holds_alternative<Failure>(outcome.result)) {
    outcome.result = HandedBack{.reason = "stopped"};
  }
  return outcome;
}

Worker::Worker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Worker::~Worker() { Shutdown(); }

absl::StatusOr<std::unique_ptr<Worker>> Worker::Start(WorkerOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  ASSIGN_OR_RETURN(impl->session, SessionClient::Create(impl->options.session, impl.get()));
  for (int i = 0; i < impl->options.session.slots; ++i) {
    impl->slots.emplace_back([started = impl.get()] { started->RunSlot(); });
  }
  impl->closer = std::thread([started = impl.get()] { started->CloseIdleSources(); });
  impl->session->Begin();
  return std::unique_ptr<Worker>(new Worker(std::move(impl)));
}

void Worker::Drain() {
  BeginDrain();
  WaitUntilDrained();
}
void Worker::BeginDrain() { impl_->session->Drain(); }
void Worker::WaitUntilDrained() { impl_->session->WaitUntilDrained(); }

void Worker::Shutdown() {
  impl_->session->Shutdown();  // Stops all tasks that hold leases.
  {
    absl::MutexLock lock(&impl_->mutex);
    impl_->ended = true;
    // Also those whose leases were abandoned earlier and that have not ended yet.
    for (const auto& [lease, task] : impl_->tasks) impl_->StopRunning(*task);
  }
  for (std::thread& slot : impl_->slots) {
    if (slot.joinable()) slot.join();
  }
  if (impl_->closer.joinable()) impl_->closer.join();
  impl_->canceller.End();
}

int64_t Worker::held() const { return impl_->session->held(); }

}  // namespace headwater
