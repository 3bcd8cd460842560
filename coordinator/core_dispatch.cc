// Dispatch: which task goes to which worker next. Bands first, then the server with the least work
// in flight, so that many blocked microbatches of one server delay no other.
#include <algorithm>
#include <array>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/model/model_proto.h"
#include "coordinator/core_impl.h"
#include "coordinator/plan/planner.h"

namespace headwater {
namespace {

constexpr int kBackfillShare = 10;  // Every tenth dispatch looks at backfills first.

bool ComesFirst(const ServerChoice& a, const ServerChoice& b) {
  return std::tie(a.load, a.used, *a.server) < std::tie(b.load, b.used, *b.server);
}

// Of the source, that a task uses.
int ConnectionsOf(const TaskSpec& task) {
  if (const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind))
    return microbatch->connections;
  const auto* verification = std::get_if<VerificationTask>(&task.kind);
  return verification != nullptr && verification->histories ? 0 : 1;
}

// Why a demand ends that lacks rows, and of which nothing can be claimed, now or later.
Failure OnlyWithQuarantined(const DatasetState& dataset) {
  for (const Blocked& blocked : dataset.blocked) {
    if (!blocked.quarantined) continue;
    return {blocked.failure.kind,
            absl::Status(blocked.failure.status.code(),
                         absl::StrCat(ToString(dataset.spec.id),
                                      ": what is left can only be read together with ",
                                      Describe(dataset, blocked.extent),
                                      ", which failed: ", blocked.failure.status.message()))};
  }
  return {FailureKind::kTask,
          absl::InternalError(absl::StrCat(
              ToString(dataset.spec.id), ": what is left cannot be claimed; please report this"))};
}

}  // namespace

void Core::Impl::On(const DatasetsConfigured& input) {
  next_collection.reset();
  for (const DatasetSpec& spec : input.datasets) {
    configured_tables.insert(spec.id.table);
    const std::string digest = DigestOf(spec);
    const DatasetState* known = state->FindDataset(spec.id);
    if (known != nullptr && known->digest == digest) continue;
    v1::Event event;
    *event.mutable_dataset_defined()->mutable_spec() = ToProto(spec);
    event.mutable_dataset_defined()->set_digest(digest);
    Emit(std::move(event));
  }
}

void Core::Impl::Dispatch() {
  room_at = absl::InfiniteFuture();
  FindFreeSessions();
  if (free_sessions.empty()) return;
  std::vector<ServerChoice> servers = ServersByLoad();
  while (!free_sessions.empty() && OfferOne(servers)) {
  }
}

void Core::Impl::FindFreeSessions() {
  free_sessions.clear();
  for (const auto& [id, session] : sessions) {
    const int left = session.credit - leases.CountOfSession(id);
    if (!session.draining && left > 0) free_sessions.emplace(-left, id);
  }
}

std::vector<ServerChoice> Core::Impl::ServersByLoad() {
  std::map<std::string, DatasetId> verified;  // By server: one that waits for a verification.
  for (const auto& [call, verify] : verifications) {
    for (const auto& [id, task] : verify.queued) {
      if (verified.emplace(id.server, id).second) agenda.Know(id.server);
    }
  }
  std::vector<ServerChoice> servers;
  for (const auto& [name, work] : agenda.servers()) {
    const auto verification = verified.find(name);
    if (work.empty() && verification == verified.end()) continue;
    const DatasetId& any = !work.awake.empty()    ? *work.awake.begin()
                           : !work.probes.empty() ? *work.probes.begin()
                                                  : verification->second;
    const ServerSpec& spec = state->FindDataset(any)->spec.server;
    if (!Admits(spec)) continue;
    ServerChoice choice;
    choice.load = leases.CountOnServer(name);
    choice.used = GateOf(name).Used(now);
    choice.cap = GateOf(name).Limit(spec);
    choice.server = &name;
    choice.spec = &spec;
    choice.work = &work;
    servers.push_back(choice);
  }
  std::sort(servers.begin(), servers.end(), ComesFirst);
  return servers;
}

bool Core::Impl::OfferOne(std::vector<ServerChoice>& servers) {
  const bool backfills_first = dispatch_count % kBackfillShare == kBackfillShare - 1;
  // Offers for the first server that has something to offer; true when there is one.
  const auto offer = [&](auto none, auto offer_for) {
    for (size_t i = 0; i < servers.size(); ++i) {
      if (none(servers[i])) continue;
      if (offer_for(servers[i])) {
        Served(servers, i);
        return true;
      }
      none(servers[i]) = true;
    }
    return false;
  };
  if (offer([](ServerChoice& choice) -> bool& { return choice.no_probe; },
            [&](const ServerChoice& choice) { return OfferProbe(choice); })) {
    return true;
  }
  for (const Band band : backfills_first ? std::array{kBackfill, kManual, kIncremental, kRepair}
                                         : std::array{kManual, kIncremental, kRepair, kBackfill}) {
    if (band == kBackfill && OfferCompaction()) return true;  // Few, and runs wait for them.
    if (band == kRepair && OfferHistories()) return true;     // Few, and no server waits.
    if (offer([=](ServerChoice& choice) -> bool& { return choice.no_microbatch[band]; },
              [&](const ServerChoice& choice) { return OfferMicrobatch(choice, band); })) {
      return true;
    }
  }
  return offer([](ServerChoice& choice) -> bool& { return choice.no_verification; },
               [&](const ServerChoice& choice) { return OfferVerification(choice); });
}

void Core::Impl::Served(std::vector<ServerChoice>& servers, size_t index) {
  ServerChoice choice = servers[index];
  servers.erase(servers.begin() + static_cast<ptrdiff_t>(index));
  ++dispatch_count;
  if (!Admits(*choice.spec)) return;
  choice.load = leases.CountOnServer(*choice.server);
  choice.used = GateOf(*choice.server).Used(now);
  servers.insert(std::upper_bound(servers.begin(), servers.end(), choice, ComesFirst), choice);
}

Session* Core::Impl::PickSession(const ServerChoice& choice, SessionId& id) {
  const std::string& server = *choice.server;
  const std::vector<SessionId> keepers = leases.KeepersOf(server);
  // Without room for one that keeps no connection there, there is none for any such session.
  const bool full = leases.CountAgainst(server, "", now) >= choice.cap;
  bool strangers_wait = false;
  const std::pair<int, SessionId>* best = nullptr;
  for (const auto& entry : free_sessions) {
    const SessionId& session_id = entry.second;
    // Of those with as much credit, one that need not connect.
    if (best != nullptr && (keepers.empty() || entry.first != best->first)) break;
    const bool keeps = std::find(keepers.begin(), keepers.end(), session_id) != keepers.end();
    if (!keeps && (strangers_wait || best != nullptr)) continue;
    const Session& session = sessions.at(session_id);
    if (!Reaches(session.hello, server) || !HasDriver(session.hello, *choice.spec)) continue;
    if (full && leases.CountAgainst(server, session_id, now) >= choice.cap) {
      room_at = std::min(room_at, leases.NextClosed(server, session_id, now));
      strangers_wait |= !keeps;
      continue;
    }
    const bool connected = keeps && leases.Keeps(server, session_id, now);
    if (best == nullptr || connected) best = &entry;
    if (connected) break;
  }
  if (best == nullptr) return nullptr;
  id = best->second;
  return &sessions.at(id);
}

std::string Core::Impl::NewTaskId(const char* prefix) {
  return absl::StrCat(prefix, "-", state->term(), "-", ++task_count);
}

void Core::Impl::Offer(const SessionId& session_id, Session& session, const DatasetState& dataset,
                       TaskKind kind, const LeaseRef& ref, TaskSpec task, bool backfill) {
  task.lease = ref;
  task.dataset_digest = dataset.digest;
  const int connections = ConnectionsOf(task);
  leases.Grant({.ref = ref,
                .kind = kind,
                .dataset = dataset.spec.id,
                .session = session_id,
                .backfill = backfill,
                .since = now,
                .deadline = now + options.accept_within,
                .connections = connections,
                .run_id = task.run_id});
  const int left = session.credit - leases.CountOfSession(session_id);
  free_sessions.erase({-left - 1, session_id});
  if (left > 0) free_sessions.emplace(-left, session_id);
  if (connections > 0) GateOf(dataset.spec.id.server).Began(dataset.spec.server, now);
  SendOffer offer{session_id, std::move(task), std::nullopt, options.accept_within};
  if (session.known_specs.insert(dataset.digest).second) offer.spec = dataset.spec;
  Send(std::move(offer));
}

bool Core::Impl::IsProbedNow(const std::string& server) {
  for (const auto& [ref, lease] : leases.leases()) {
    if (lease.kind != TaskKind::kProbe || lease.dataset.server != server ||
        now >= lease.since + options.probes_together) {
      continue;
    }
    room_at = std::min(room_at, lease.since + options.probes_together);
    return true;
  }
  return false;
}

bool Core::Impl::OfferProbe(const ServerChoice& choice) {
  if (choice.work->probes.empty() || IsProbedNow(*choice.server)) return false;
  for (auto it = choice.work->probes.begin(); it != choice.work->probes.end();) {
    const DatasetState& dataset = *state->FindDataset(*it++);
    const DatasetId& id = dataset.spec.id;
    std::vector<std::string> waiting;
    for (const std::string& run_id : dataset.live_runs) {
      const DemandState& demand = state->FindRun(run_id)->demands.at(id);
      if (demand.phase == DemandPhase::kWaitingForProbe) waiting.push_back(run_id);
    }
    std::set<CallId> planning;
    for (const auto& [call, plan] : plans) {
      if (plan.waiting.contains(id)) planning.insert(call);
    }
    if (waiting.empty() && planning.empty()) {
      agenda.DropProbe(id);
      continue;
    }
    ProbeWork& work = probes[id];
    if (!work.task_id.empty() || work.not_before > now) continue;
    SessionId session_id;
    Session* session = PickSession(choice, session_id);
    if (session == nullptr) return false;
    work.task_id = NewTaskId("probe");
    work.run_ids = waiting;
    work.plans = planning;
    work.asked_after = state->last_sequence();
    TaskSpec task;
    task.run_id = waiting.empty() ? "" : waiting.front();
    ProbeTask probe;
    probe.tail = dataset.TailStretches();
    probe.estimates = !planning.empty();
    probe.checksum = dataset.AsksChecksumFirst();
    probe.known_tail = dataset.KnownTail();
    if (probe.checksum || !probe.known_tail.empty())
      probe.table_schema = state->ColumnsOf(id.table);
    task.kind = std::move(probe);
    Offer(session_id, *session, dataset, TaskKind::kProbe, {work.task_id, 0}, std::move(task),
          false);
    return true;
  }
  return false;
}

int Core::Impl::FreeConnections(const ServerChoice& choice, Band band) const {
  const int free = choice.cap - leases.CountOnServer(*choice.server);
  if (!SparesLast(band) || choice.cap < 2) return free;
  return std::min(free, choice.cap - 1 - leases.CountBackfillsOnServer(*choice.server));
}

bool Core::Impl::OfferMicrobatch(const ServerChoice& choice, Band band) {
  for (auto it = choice.work->awake.begin(); it != choice.work->awake.end();) {
    const DatasetState& dataset = *state->FindDataset(*it++);
    const DatasetId& id = dataset.spec.id;
    if (dataset.live_runs.empty()) {
      agenda.Sleep(id, absl::InfiniteFuture());
      continue;
    }
    // Its runs have been told, or the table is still to be looked at.
    if (!tables[id.table].stopped.ok() || unasked.contains(id.table)) continue;
    if (FreeConnections(choice, band) < 1) continue;
    absl::Time retry_at = absl::InfiniteFuture();
    bool stays_awake = false;
    std::vector<std::string> stuck;
    for (const std::string& run_id : dataset.live_runs) {
      const RunState& run = *state->FindRun(run_id);
      const DemandState& demand = run.demands.at(id);
      if (demand.demand.histories()) continue;
      const NextClaimResult next = NextClaim(dataset, demand, now, run.pace);
      retry_at = std::min(retry_at, next.retry_at);
      if (!next.claim.has_value()) {
        const bool waits = next.retry_at != absl::InfiniteFuture() || !dataset.claims.empty();
        if (demand.phase == DemandPhase::kActive && !demand.met() && !waits) {
          stuck.push_back(run_id);
        }
        continue;
      }
      if (BandOf(run) != band || IsPaced(run, *choice.server)) {
        stays_awake = true;
        continue;
      }
      const bool needs_base = dataset.spec.keyed() || demand.demand.differing();
      if (needs_base && !HasBase(dataset, next.claim->extent)) {
        stays_awake = true;
        continue;
      }
      return OfferClaim(choice, dataset, run_id, *next.claim, band);
    }
    if (!stuck.empty()) {
      FailDemands(id, stuck, OnlyWithQuarantined(dataset));
      return true;
    }
    if (!stays_awake) agenda.Sleep(id, retry_at);
  }
  return false;
}

bool Core::Impl::OfferClaim(const ServerChoice& choice, const DatasetState& dataset,
                            const std::string& run_id, const PlannedClaim& claim, Band band) {
  SessionId session_id;
  Session* session = PickSession(choice, session_id);
  if (session == nullptr) return false;
  const int free = std::min(FreeConnections(choice, band),
                            choice.cap - leases.CountAgainst(*choice.server, session_id, now));
  const std::string task_id = NewTaskId("microbatch");
  v1::Event event;
  v1::Granted* granted = event.mutable_granted();
  granted->set_whole(dataset.adopted);
  *granted->mutable_dataset() = RefOf(dataset.spec.id);
  *granted->mutable_extent() = ToProto(claim.extent);
  for (int64_t cut : claim.cuts) granted->add_cuts(cut);
  granted->set_task_id(task_id);
  const v1::Demand& demand = state->FindRun(run_id)->demands.at(dataset.spec.id).demand;
  // Where files are not as they were published all is read again.
  granted->set_differing(demand.differing() && bases.at(dataset.spec.id).base.has_value());
  granted->set_connections(granted->differing() ? 1
                                                : std::clamp(WantedConnections(dataset), 1, free));
  TaskSpec task;
  task.run_id = run_id;
  const int64_t fence = Emit(std::move(event));
  MicrobatchTask microbatch = MicrobatchOf(dataset, dataset.claims.at(fence));
  microbatch.table_schema = state->ColumnsOf(dataset.spec.id.table);
  microbatch.checksums = dataset.WantsChecksum(claim.extent);
  // What is read again because somebody asks for it is read; of a static table the probe has told.
  if (SparesLast(band) || dataset.spec.strategy == Strategy::kStatic) {
    for (KnownPiece& known : microbatch.known) known.checksum.reset();
  }
  if (dataset.spec.keyed() || microbatch.differing) microbatch.base = TakeBase(dataset.spec.id);
  task.kind = std::move(microbatch);
  Offer(session_id, *session, dataset, TaskKind::kMicrobatch, {task_id, fence}, std::move(task),
        SparesLast(band));
  return true;
}

bool Core::Impl::OfferVerification(const ServerChoice& choice) {
  for (auto& [call, verify] : verifications) {
    for (auto it = verify.queued.begin(); it != verify.queued.end(); ++it) {
      const DatasetId id = it->first;
      if (id.server != *choice.server || it->second.histories) continue;
      SessionId session_id;
      Session* session = PickSession(choice, session_id);
      if (session == nullptr) return false;
      const DatasetState& dataset = *state->FindDataset(id);
      if (!TakeVerificationBase(dataset, it->second)) continue;
      OfferQueued(session_id, *session, verify, it);
      return true;
    }
  }
  return false;
}

void Core::Impl::CancelUnwanted() {
  std::map<SessionId, std::vector<LeaseRef>> cancelled;
  std::vector<Lease> unwanted;
  for (const auto& [ref, lease] : leases.leases()) {
    if (lease.kind != TaskKind::kMicrobatch) continue;
    const DatasetState* dataset = state->FindClaim(ref.fence);
    const bool wanted = dataset != nullptr &&
                        (dataset->claims.at(ref.fence).histories ? !RunsMending(*dataset).empty()
                                                                 : !dataset->live_runs.empty());
    if (wanted) continue;
    unwanted.push_back(lease);
  }
  for (const Lease& lease : unwanted) {
    if (!lease.session.empty()) cancelled[lease.session].push_back(lease.ref);
    EndLease(lease, {FailureKind::kDrain, absl::CancelledError("no run wants it any more")});
  }
  for (auto& [session, refs] : cancelled) Send(SendCancel{session, std::move(refs)});
}

}  // namespace headwater
