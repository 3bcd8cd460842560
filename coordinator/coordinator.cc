#include "coordinator/coordinator.h"

#include <utility>

#include "absl/synchronization/notification.h"
#include "common/base/status.h"
#include "coordinator/coordinator_impl.h"
#include "coordinator/startup.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

// ---- Calls ----

template <typename Answer>
CallId Coordinator::Impl::Expect(Callback<Answer> done) {
  absl::MutexLock lock(&mutex);
  const CallId call = ++last_call;
  calls.emplace(call, [done = std::move(done)](Effect* effect) {
    effect == nullptr ? done(Ended()) : done(std::get<Answer>(std::move(*effect)));
  });
  return call;
}

template <typename Request, typename Answer>
void Coordinator::Impl::Call(Request request, Callback<Answer> done) {
  request.call = Expect<Answer>(std::move(done));
  const CallId call = request.call;
  if (Post(std::move(request))) return;
  std::function<void(Effect*)> refused;
  {
    absl::MutexLock lock(&mutex);
    auto found = calls.find(call);
    if (found == calls.end()) return;  // FailAll() was faster.
    refused = std::move(found->second);
    calls.erase(found);
  }
  refused(nullptr);
}

void Coordinator::Impl::Ask(std::function<void()> run, std::function<void()> refused) {
  if (!items.Push(Item(Query{std::move(run)}))) refused();
}

// ---- The door ----

Coordinator::Coordinator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Coordinator::~Coordinator() { Shutdown(); }

absl::StatusOr<std::unique_ptr<Coordinator>> Coordinator::Start(CoordinatorOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  ASSIGN_OR_RETURN(ReplayedState replayed, ReplayLog(*impl->options.log));
  RETURN_IF_ERROR(StartAboveTables(impl->options.datasets, *impl->options.committers,
                                   *impl->options.log, *replayed.state));
  impl->snapshot_sequence = replayed.snapshot_sequence;
  RETURN_IF_ERROR(impl->Begin(std::move(replayed.state)));
  impl->thread = std::thread([started = impl.get()] { started->Work(); });
  return std::unique_ptr<Coordinator>(new Coordinator(std::move(impl)));
}

void Coordinator::Shutdown() {
  impl_->items.Close();
  if (impl_->thread.joinable()) impl_->thread.join();
  impl_->garbage.Stop();
  impl_->archives.Stop();
  impl_->commits.Stop();
}

void Coordinator::OpenSession(SessionOpened hello, std::shared_ptr<SessionSink> sink) {
  {
    absl::MutexLock lock(&impl_->mutex);
    impl_->sinks[hello.session] = std::move(sink);
  }
  const SessionId session = hello.session;
  if (!Post(std::move(hello))) CloseSession(session);
}

void Coordinator::CloseSession(const SessionId& session) {
  std::shared_ptr<SessionSink> sink;  // Destroyed without the lock.
  {
    absl::MutexLock lock(&impl_->mutex);
    auto found = impl_->sinks.find(session);
    if (found == impl_->sinks.end()) return;
    sink = std::move(found->second);
    impl_->sinks.erase(found);
  }
  Post(SessionClosed{.session = session});
}

bool Coordinator::Post(Input input) { return impl_->Post(std::move(input)); }

void Coordinator::Deliver(Delivered request, Callback<AnswerDeliver> done) {
  impl_->Call(std::move(request), std::move(done));
}
void Coordinator::SubmitRun(RunSubmitted request, Callback<AnswerRun> done) {
  impl_->Call(std::move(request), std::move(done));
}
void Coordinator::Plan(PlanRequested request, Callback<AnswerPlan> done) {
  impl_->Call(std::move(request), std::move(done));
}
void Coordinator::Verify(VerifyRequested request, Callback<AnswerVerify> done) {
  impl_->Call(std::move(request), std::move(done));
}
void Coordinator::Collect(GarbageRequested request, Callback<AnswerGarbage> done) {
  impl_->Call(std::move(request), std::move(done));
}
void Coordinator::CancelRun(RunCancelRequested request, Callback<AnswerCancel> done) {
  impl_->Call(std::move(request), std::move(done));
}

void Coordinator::ChangeState(StateChangeRequested request, Callback<AnswerStateChange> done) {
  impl_->Call(std::move(request), std::move(done));
}

void Coordinator::GetState(std::vector<DatasetId> datasets, Callback<v1::GetStateResponse> done) {
  impl_->Ask(
      [this, datasets = std::move(datasets), done] { done(impl_->core->DescribeState(datasets)); },
      [done] { done(Ended()); });
}

void Coordinator::GetHistory(RunQuery query, Callback<v1::GetHistoryResponse> done) {
  impl_->Ask(
      [this, query = std::move(query), done] { done(FindEndedRuns(impl_->core->state(), query)); },
      [done] { done(Ended()); });
}

void Coordinator::GetStatus(Callback<v1::GetStatusResponse> done) {
  impl_->Ask([this, done] { done(impl_->core->DescribeStatus(impl_->options.clock->Now())); },
             [done] { done(Ended()); });
}

void Coordinator::Explain(std::vector<DatasetId> datasets, std::string id,
                          Callback<v1::ExplainResponse> done) {
  impl_->Ask([this, datasets = std::move(datasets), id = std::move(id),
              done] { done(impl_->core->Explain(datasets, id, impl_->options.clock->Now())); },
             [done] { done(Ended()); });
}

Coordinator::WatchId Coordinator::WatchRun(const std::string& run_id,
                                           Callback<v1::WatchRunResponse> changed) {
  WatchId id;
  {
    absl::MutexLock lock(&impl_->watch_mutex);
    id = ++impl_->last_watch;
    impl_->watches.emplace(id, Impl::Watch{.run_id = run_id, .changed = std::move(changed)});
  }
  // Wakes the core thread, which then looks at the watches.
  impl_->Ask([] {},
             [this, id] {
               absl::MutexLock lock(&impl_->watch_mutex);
               auto found = impl_->watches.find(id);
               if (found == impl_->watches.end()) return;  // FailAll() was faster.
               found->second.changed(Ended());
               impl_->watches.erase(found);
             });
  return id;
}

void Coordinator::Unwatch(WatchId watch) {
  absl::MutexLock lock(&impl_->watch_mutex);
  impl_->watches.erase(watch);
}

absl::Status Coordinator::WaitIdle() {
  absl::Notification fired;
  absl::Status result = Ended();
  impl_->Ask(
      [&] {
        impl_->idle_waiters.push_back([&](const absl::Status& status) {
          result = status;
          fired.Notify();
        });
      },
      [&] { fired.Notify(); });
  fired.WaitForNotification();
  return result;
}

void Coordinator::FinishCollections(absl::Duration limit) {
  absl::Notification fired;
  Post(CollectionsWanted{});
  impl_->Ask([&] { impl_->collect_waiters.push_back([&] { fired.Notify(); }); },
             [&] { fired.Notify(); });
  if (fired.WaitForNotificationWithTimeout(limit)) return;
  impl_->garbage.Interrupt();
  impl_->archives.Interrupt();
  fired.WaitForNotification();  // Within what removing or writing one file takes.
}

const std::string& Coordinator::ledger_id() const { return impl_->options.log->ledger_id(); }

}  // namespace headwater
