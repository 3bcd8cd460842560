#include "coordinator/core.h"

#include <algorithm>
#include <array>
#include <utility>

#include "coordinator/core_impl.h"
#include "coordinator/describe.h"

namespace headwater {
namespace {

// The datasets that `event`, not yet applied, is about: what may be claimed of others, and how far
// their runs are, stays as it is.
std::vector<DatasetId> DatasetsIn(const ClusterState& state, const v1::Event& event) {
  std::vector<DatasetId> ids;
  const auto add_claims = [&](const auto& fences) {
    for (const int64_t fence : fences) ids.push_back(state.FindClaim(fence)->spec.id);
  };
  const auto add_run = [&](const std::string& run_id) {
    for (const auto& [id, demand] : state.FindRun(run_id)->demands) ids.push_back(id);
  };
  switch (event.kind_case()) {
    case v1::Event::kDatasetDefined:
      return {
          {event.dataset_defined().spec().table(), event.dataset_defined().spec().server().name()}};
    case v1::Event::kProbed:
      return {IdOf(event.probed().dataset())};
    case v1::Event::kDemandsFailed:
      return {IdOf(event.demands_failed().dataset())};
    case v1::Event::kGranted:
      return {IdOf(event.granted().dataset())};
    case v1::Event::kStaged:
      add_claims(std::array{event.staged().fence()});
      return ids;
    case v1::Event::kConfirmed:
      add_claims(std::array{event.confirmed().fence()});
      return ids;
    case v1::Event::kAttemptFailed:
      add_claims(std::array{event.attempt_failed().fence()});
      return ids;
    case v1::Event::kReleased:
      add_claims(std::array{event.released().fence()});
      return ids;
    case v1::Event::kPublished:
      add_claims(event.published().fences());
      return ids;
    case v1::Event::kAbandoned:
      add_claims(state.tables().at(event.abandoned().table()).intended->fences());
      return ids;
    case v1::Event::kRunStarted:
      for (const v1::Demand& demand : event.run_started().demands()) {
        ids.push_back(IdOf(demand.dataset()));
      }
      return ids;
    case v1::Event::kLost:
      return {IdOf(event.lost().dataset())};
    case v1::Event::kProgressSet:
      return {IdOf(event.progress_set().dataset())};
    case v1::Event::kCompactionDropped:
      return {IdOf(event.compaction_dropped().dataset())};
    case v1::Event::kRunCancelled:
      add_run(event.run_cancelled().run_id());
      return ids;
    case v1::Event::kRunEnded:
      add_run(event.run_ended().run_id());
      return ids;
    case v1::Event::kTermBegan:
    case v1::Event::kIntended:
    case v1::Event::kTableColumns:
    case v1::Event::kPlanned:
    case v1::Event::kCollected:
    case v1::Event::kTableTaken:
    case v1::Event::kRunsArchived:
    case v1::Event::KIND_NOT_SET:
      return ids;
  }
  return ids;
}

}  // namespace

int64_t Core::Impl::Emit(v1::Event event) {
  *event.mutable_at() = ToTimestamp(now);
  const int64_t sequence = state->last_sequence() + 1;
  const std::vector<DatasetId> touched = DatasetsIn(*state, event);
  state->Apply(sequence, event);
  for (const DatasetId& id : touched) Touch(id);
  if (event.has_run_started()) {
    changed_runs.insert(event.run_started().run_id());
    runs_to_end.insert(event.run_started().run_id());
    for (const DatasetId& id : touched) unasked.insert(id.table);
  }
  step.events.push_back(std::move(event));
  return sequence;
}

void Core::Impl::Touch(const DatasetId& id) {
  const std::set<std::string>& runs = state->FindDataset(id)->live_runs;
  if (!runs.empty()) agenda.Wake(id);
  NoteCompactions(id);
  NoteHistories(id);
  changed_runs.insert(runs.begin(), runs.end());
  runs_to_end.insert(runs.begin(), runs.end());
}

void Core::Impl::Handle(const Input& input) {
  std::visit([this](const auto& one) { On(one); }, input);
}

void Core::Impl::Advance() {
  AskTables();
  StartCommits();
  AskFiles();
  EndRuns();
  CancelUnwanted();
  agenda.WakeDue(now);
  Dispatch();
  AskBases();  // That dispatch found wanting.
  EndRuns();   // Of which dispatch found that nothing can be claimed.
  FinishPlans();
  FinishVerifications();
  StartCollections();
  FinishGarbageCalls();
  StartArchiving();
}

StepResult Core::Impl::TakeStep() {
  for (const std::string& id : changed_runs) Send(RunChanged{id});
  changed_runs.clear();
  return std::exchange(step, {});
}

Core::Core(std::unique_ptr<ClusterState> state, const CoreOptions& options)
    : impl_(std::make_unique<Impl>(std::move(state), options)) {}
Core::~Core() = default;

StepResult Core::Begin(bool workers_are_dead, const std::string& config_digest, absl::Time now) {
  impl_->now = now;
  impl_->collect_from = impl_->archive_from = now + impl_->options.collect_after_start;
  v1::Event begun;
  begun.mutable_term_began()->set_term(impl_->state->term() + 1);
  begun.mutable_term_began()->set_workers_are_dead(workers_are_dead);
  begun.mutable_term_began()->set_config_digest(config_digest);
  impl_->Emit(std::move(begun));
  std::vector<std::pair<int64_t, DatasetId>> live;
  for (const auto& [id, dataset] : impl_->state->datasets()) {
    if (!dataset.live_runs.empty()) impl_->unasked.insert(id.table);
    impl_->Touch(id);
    for (const auto& [fence, claim] : dataset.claims) {
      if (!claim.manifest.has_value()) live.emplace_back(fence, id);
    }
  }
  impl_->runs_to_end = impl_->state->live_runs();
  for (const auto& [fence, id] : live) {
    if (workers_are_dead) {
      impl_->Release(fence, "its worker ended with the last coordinator");
      continue;
    }
    // Its worker gets one lease time to come back with it.
    const Claim& claim = impl_->state->FindClaim(fence)->claims.at(fence);
    impl_->leases.Grant({.ref = {claim.task_id, fence},
                         .kind = TaskKind::kMicrobatch,
                         .dataset = id,
                         .session = "",
                         .accepted = true,
                         .since = now,
                         .deadline = now + impl_->options.lease_ttl,
                         .connections = claim.connections});
  }
  impl_->Advance();
  return impl_->TakeStep();
}

StepResult Core::Step(absl::Span<const Input> inputs, absl::Time now) {
  impl_->now = std::max(now, impl_->now);  // A clock that jumps back stands still here.
  impl_->ExpireLeases();                   // What time has ended, no input of this step can renew.
  for (const Input& input : inputs) impl_->Handle(input);
  impl_->Advance();
  return impl_->TakeStep();
}

absl::Time Core::NextDeadline() const {
  absl::Time next = std::min(impl_->leases.NextDeadline(), impl_->agenda.NextWake());
  next = std::min({next, impl_->room_at, impl_->NextCollectionWake(), impl_->NextArchivingWake()});
  for (const auto& [id, probe] : impl_->probes) {
    if (probe.task_id.empty() && probe.not_before > impl_->now)
      next = std::min(next, probe.not_before);
  }
  for (const auto& [name, table] : impl_->tables) {
    if (table.phase == TableWork::Phase::kIdle && table.retry_at > impl_->now)
      next = std::min(next, table.retry_at);
  }
  return next;
}

const ClusterState& Core::state() const { return *impl_->state; }

bool Core::Impl::Idle() const {
  if (!state->live_runs().empty()) return false;
  for (const auto& [name, table] : tables) {
    if (table.phase != TableWork::Phase::kIdle) return false;
  }
  for (const auto& [name, fences] : state->staged()) {
    const auto table = tables.find(name);
    const bool stuck = table != tables.end() && table->second.told();
    if (!stuck) return false;
  }
  return plans.empty() && verifications.empty() && garbage_calls.empty();
}

bool Core::Idle() const { return impl_->Idle(); }

bool Core::WantsToCollect() const {
  return impl_->collecting.has_value() || impl_->CollectionIsDue() || impl_->archiving ||
         impl_->ArchivingIsDue();
}

absl::StatusOr<v1::WatchRunResponse> Core::DescribeRun(const std::string& run_id,
                                                       absl::Time now) const {
  const RunState* run = impl_->state->FindRun(run_id);
  if (run == nullptr) return absl::NotFoundError("no such run: " + run_id);
  return headwater::DescribeRun(*impl_->state, *run, impl_->leases,
                                static_cast<int64_t>(impl_->sessions.size()), now);
}

v1::GetStatusResponse Core::DescribeStatus(absl::Time now) const {
  v1::GetStatusResponse status = headwater::DescribeStatus(*impl_->state, now);
  for (const auto& [id, session] : impl_->sessions) {
    v1::WorkerStatus* worker = status.add_workers();
    worker->set_name(session.hello.name);
    worker->set_slots(session.hello.slots);
    worker->set_held(impl_->leases.CountOfSession(id));
  }
  std::map<DatasetId, v1::DatasetStatus*> shown;
  for (v1::DatasetStatus& dataset : *status.mutable_datasets()) {
    shown.emplace(IdOf(dataset.dataset()), &dataset);
    const auto gate = impl_->gates.find(dataset.dataset().server());
    if (gate == impl_->gates.end() || !gate->second.unreachable()) continue;
    dataset.set_condition("unreachable");
    dataset.set_last_error(std::string(gate->second.last_failure().message()));
  }
  for (const auto& [ref, lease] : impl_->leases.leases()) {
    *shown.at(lease.dataset)->add_tasks() = DescribeTask(
        *impl_->state->FindDataset(lease.dataset), lease, impl_->WorkerOf(lease.session), now);
  }
  status.set_live(true);
  return status;
}

}  // namespace headwater
