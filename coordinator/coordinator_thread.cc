// The core thread: inputs in batches, one durable transaction for each, then its effects.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/base/log.h"
#include "common/base/status.h"
#include "coordinator/coordinator_impl.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

constexpr size_t kBatch = 1024;  // Inputs in one durable transaction.

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

}  // namespace

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
    if (!collect_waiters.empty() && (!core->Idle() || !core->WantsToCollect())) FireCollected();
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
                 [&](ListFiles& list) { commits.Run(std::move(list)); },
                 [&](CollectGarbage& collect) {
                   const auto retention = options.retention.find(collect.table);
                   if (retention != options.retention.end())
                     collect.request.retention = retention->second;
                   garbage.Run(std::move(collect));
                 },
                 [&](ArchiveRuns& archive) { archives.Run(std::move(archive)); },
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

void Coordinator::Impl::FireCollected() {
  for (const auto& waiter : std::exchange(collect_waiters, {})) waiter();
}

void Coordinator::Impl::FailAll() {
  // Queries that came after the end; inputs are dropped, their calls fail below.
  for (Item& item : items.PopBatch(kQueueCapacity, *options.clock, absl::InfinitePast())) {
    if (Query* query = std::get_if<Query>(&item)) query->run();
  }
  FireIdle(Ended());
  FireCollected();
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

}  // namespace headwater
