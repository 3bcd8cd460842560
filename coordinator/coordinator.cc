#include "coordinator/coordinator.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/base/bounded_queue.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "coordinator/commit_threads.h"
#include "coordinator/startup.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

constexpr size_t kQueueCapacity = 65'536;  // Some seconds of inputs at full speed.
constexpr size_t kBatch = 1024;            // Inputs in one durable transaction.
constexpr absl::Duration kWatchEvery = absl::Milliseconds(100);  // People read no faster.

// A question to the core that changes nothing.
struct Query {
  std::function<void()> run;
};
using Item = std::variant<Input, Query>;

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

[[noreturn]] void EndProcess(const absl::Status& status) {
  Log(LogLevel::kError, "the ledger cannot be written; the coordinator ends",
      {{"why", status.ToString()}});
  std::_Exit(1);
}

absl::Status Ended() { return absl::UnavailableError("the coordinator has ended"); }

}  // namespace

struct Coordinator::Impl {
  explicit Impl(CoordinatorOptions given)
      : options(std::move(given)),
        commits(
            options.committers, [this](const std::string& table) { return Locate(table); },
            [this](Input input) { Post(std::move(input)); }) {}

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
  CommitThreads commits;  // Posts into `items` until it is gone.
  std::thread thread;
  bool dead = false;  // The append failed. Core thread.
  int64_t snapshot_sequence = 0;
  std::vector<std::function<void(const absl::Status&)>> idle_waiters;  // Core thread.

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

template <typename Answer>
void Coordinator::Impl::AnswerCall(Answer answer) {
  std::function<void(Effect*)> done;
  {
    absl::MutexLock lock(&mutex);
    auto found = calls.find(answer.call);
    if (found == calls.end()) return;
    done = std::move(found->second);
    calls.erase(found);
  }
  Effect effect = std::move(answer);
  done(&effect);
}

// ---- The core thread ----

absl::Status Coordinator::Impl::Begin(std::unique_ptr<ClusterState> state) {
  core = std::make_unique<Core>(std::move(state), options.core);
  StepResult begun =
      core->Begin(options.workers_are_dead, options.config_digest, options.clock->Now());
  RETURN_IF_ERROR(Keep(begun));
  for (Effect& effect : begun.effects) Emit(std::move(effect));
  const Input configured = DatasetsConfigured{.datasets = options.datasets};
  return Step({&configured, 1});
}

void Coordinator::Impl::Work() {
  while (!items.Finished() && !dead) {
    std::vector<Item> batch = items.PopBatch(kBatch, *options.clock, NextWake());
    StepAll(std::move(batch));
    if (dead) break;
    UpdateWatches();
    if (!idle_waiters.empty() && core->Idle()) FireIdle(absl::OkStatus());
  }
  items.Close();
  FailAll();
}

absl::Time Coordinator::Impl::NextWake() const {
  absl::Time wake = core->NextDeadline();
  {
    absl::MutexLock lock(const_cast<absl::Mutex*>(&watch_mutex));
    for (const auto& [id, watch] : watches) {
      if (watch.dirty) wake = std::min(wake, watch.last_sent + kWatchEvery);
    }
  }
  return wake;
}

void Coordinator::Impl::StepAll(std::vector<Item> batch) {
  std::vector<Input> inputs;
  const auto step_or_die = [&](absl::Span<const Input> some) {
    if (dead || some.empty()) return;
    if (absl::Status status = Step(some); !status.ok()) {
      dead = true;
      options.die ? options.die(status) : EndProcess(status);
    }
  };
  const auto step = [&] {
    // First what time has ended, then what came in: a lease that ran out is not renewed any more.
    const Input ticked = Ticked{};
    if (core->NextDeadline() <= options.clock->Now()) step_or_die({&ticked, 1});
    step_or_die(inputs);
    inputs.clear();
  };
  for (Item& item : batch) {
    if (Query* query = std::get_if<Query>(&item)) {
      step();
      query->run();
    } else {
      inputs.push_back(std::get<Input>(std::move(item)));
    }
  }
  step();
}

absl::Status Coordinator::Impl::Step(absl::Span<const Input> inputs) {
  StepResult result = core->Step(inputs, options.clock->Now());
  RETURN_IF_ERROR(Keep(result));
  for (Effect& effect : result.effects) Emit(std::move(effect));
  SaveSnapshotWhenDue();
  return absl::OkStatus();
}

absl::Status Coordinator::Impl::Keep(const StepResult& step) {
  if (step.events.empty()) return absl::OkStatus();
  std::vector<std::string> payloads;
  payloads.reserve(step.events.size());
  for (const v1::Event& event : step.events) payloads.push_back(event.SerializeAsString());
  return options.log->Append(options.log->last_sequence() + 1, payloads);
}

void Coordinator::Impl::SaveSnapshotWhenDue() {
  const int64_t sequence = options.log->last_sequence();
  if (sequence - snapshot_sequence < options.snapshot_every) return;
  snapshot_sequence = sequence;  // Also when it fails: the log has everything, replay is longer.
  const absl::Status status = options.log->SaveSnapshot(sequence, core->state().Serialize());
  if (!status.ok()) {
    Log(LogLevel::kWarning, "the ledger's snapshot was not saved", {{"why", status.ToString()}});
  }
}

void Coordinator::Impl::Emit(Effect effect) {
  const auto to_session = [this](auto frame) {
    const SessionId session = frame.session;
    ToSession(session, std::move(frame));
  };
  std::visit(Overloaded{
                 [&](SendWelcome& frame) { to_session(std::move(frame)); },
                 [&](SendOffer& frame) { to_session(std::move(frame)); },
                 [&](SendReportAck& frame) { to_session(std::move(frame)); },
                 [&](SendCancel& frame) { to_session(std::move(frame)); },
                 [&](SendDrain& frame) { to_session(std::move(frame)); },
                 [&](CheckCommit& check) { commits.Run(std::move(check)); },
                 [&](Commit& commit) { commits.Run(std::move(commit)); },
                 [&](AbandonIntent& abandon) { commits.Run(std::move(abandon)); },
                 [&](RunChanged& run) {
                   absl::MutexLock lock(&watch_mutex);
                   for (auto& [id, watch] : watches) watch.dirty |= watch.run_id == run.run_id;
                 },
                 [&](auto& answer) { AnswerCall(std::move(answer)); },
             },
             effect);
}

void Coordinator::Impl::ToSession(const SessionId& session, SessionEffect effect) {
  std::shared_ptr<SessionSink> sink;
  {
    absl::MutexLock lock(&mutex);
    auto found = sinks.find(session);
    if (found == sinks.end()) return;  // Closed meanwhile: the core will hear of it.
    sink = found->second;
  }
  sink->Send(std::move(effect));
}

void Coordinator::Impl::UpdateWatches() {
  absl::MutexLock lock(&watch_mutex);
  const absl::Time now = options.clock->Now();
  for (auto it = watches.begin(); it != watches.end();) {
    Watch& watch = it->second;
    const RunState* run = core->state().FindRun(watch.run_id);
    const bool ended = run == nullptr || run->ended.has_value();
    if (!watch.dirty || (!ended && now < watch.last_sent + kWatchEvery)) {
      ++it;
      continue;
    }
    watch.dirty = false;
    watch.last_sent = now;
    watch.changed(core->DescribeRun(watch.run_id, now));
    it = ended ? watches.erase(it) : std::next(it);
  }
}

void Coordinator::Impl::FireIdle(const absl::Status& status) {
  for (const auto& waiter : std::exchange(idle_waiters, {})) waiter(status);
}

void Coordinator::Impl::FailAll() {
  // Queries that came after the end; inputs are dropped, their calls fail below.
  for (Item& item : items.PopBatch(kQueueCapacity, *options.clock, absl::InfinitePast())) {
    if (Query* query = std::get_if<Query>(&item)) query->run();
  }
  FireIdle(Ended());
  std::map<CallId, std::function<void(Effect*)>> open;
  {
    absl::MutexLock lock(&mutex);
    open.swap(calls);
    sinks.clear();
  }
  for (auto& [call, done] : open) done(nullptr);
  absl::MutexLock lock(&watch_mutex);
  for (auto& [id, watch] : std::exchange(watches, {})) watch.changed(Ended());
}

TableLocation Coordinator::Impl::Locate(const std::string& table) const {
  TableLocation location{.table = table, .uri = {}, .ledger_id = options.log->ledger_id()};
  for (const DatasetSpec& spec : options.datasets) {
    if (spec.id.table == table) location.uri = spec.target_uri;
  }
  if (!location.uri.empty()) return location;
  // No longer configured, but an intent of it may be open.
  for (const auto& [id, dataset] : core->state().datasets()) {
    if (id.table == table) location.uri = dataset.spec.target_uri;
  }
  return location;
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
void Coordinator::CancelRun(RunCancelRequested request, Callback<AnswerCancel> done) {
  impl_->Call(std::move(request), std::move(done));
}

void Coordinator::GetStatus(Callback<v1::GetStatusResponse> done) {
  impl_->Ask([this, done] { done(impl_->core->DescribeStatus(impl_->options.clock->Now())); },
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

const std::string& Coordinator::ledger_id() const { return impl_->options.log->ledger_id(); }

}  // namespace headwater
