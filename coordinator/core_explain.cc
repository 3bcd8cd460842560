// Why something waits that the core could do: the same checks that dispatch makes, in words.
#include <algorithm>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/glob.h"
#include "common/config/connection_string.h"
#include "coordinator/core_impl.h"
#include "coordinator/describe.h"

namespace headwater {

bool Reaches(const WorkerHello& hello, const std::string& server) {
  return hello.reachable_servers.empty() ||
         std::any_of(hello.reachable_servers.begin(), hello.reachable_servers.end(),
                     [&](const std::string& glob) { return GlobMatches(glob, server); });
}

bool HasDriver(const WorkerHello& hello, const ServerSpec& server) {
  const std::string driver = DriverOf(server.url);
  return driver.empty() || hello.drivers.empty() ||
         std::find(hello.drivers.begin(), hello.drivers.end(), driver) != hello.drivers.end();
}

std::optional<Reason> Core::Impl::WhyNotServer(const DatasetState& dataset, Band band) const {
  static const ServerGate* const kOpen = new ServerGate();
  const ServerSpec& server = dataset.spec.server;
  const auto known = gates.find(server.name);
  const ServerGate& gate = known == gates.end() ? *kOpen : known->second;
  const int in_flight = leases.CountOnServer(server.name);
  const ServerGate::Answer answer = gate.Ask(server, in_flight, now);
  const int limit = gate.Limit(server);
  switch (answer.hold) {
    case ServerGate::Hold::kQuiet:
      return Reason{
          "quiet",
          absl::StrCat("server ", server.name, " is left alone until ",
                       DescribeInstant(answer.until, server.timezone), " (quiet_windows)"),
          answer.until};
    case ServerGate::Hold::kUnreachable:
      return Reason{
          "unreachable",
          absl::StrCat("server ", server.name, " could not be reached in ", gate.failures(),
                       " tries: ", std::string(gate.last_failure().message())),
          answer.until};
    case ServerGate::Hold::kRate:
      return Reason{"rate",
                    absl::StrCat("server ", server.name, " takes ", server.max_tasks_per_minute,
                                 " tasks a minute (max_tasks_per_minute)"),
                    answer.until};
    case ServerGate::Hold::kConnections:
      return Reason{
          "cap", absl::StrCat("all ", limit, " connections of server ", server.name, " are in use",
                              limit < server.max_connections
                                  ? absl::StrCat(" (of ", server.max_connections,
                                                 ": it is spared after failures)")
                                  : " (max_connections)")};
    case ServerGate::Hold::kNone:
      break;
  }
  const bool kept =
      SparesLast(band) && limit >= 2 && leases.CountBackfillsOnServer(server.name) >= limit - 1;
  if (!kept) return std::nullopt;
  return Reason{"kept", absl::StrCat("the last of ", limit, " connections of server ", server.name,
                                     " is kept from backfills and repairs")};
}

std::optional<Reason> Core::Impl::WhyNoWorker(const DatasetState& dataset) const {
  const ServerSpec& server = dataset.spec.server;
  std::set<std::string> drivers;
  int ready = 0, reaching = 0, able = 0, free = 0;
  for (const auto& [id, session] : sessions) {
    if (session.draining) continue;
    ++ready;
    if (!Reaches(session.hello, server.name)) continue;
    ++reaching;
    drivers.insert(session.hello.drivers.begin(), session.hello.drivers.end());
    if (!HasDriver(session.hello, server)) continue;
    ++able;
    if (session.credit > leases.CountOfSession(id)) ++free;
  }
  if (ready == 0) return Reason{"no_worker", "no worker is connected; start `headwater worker`"};
  if (reaching == 0) {
    return Reason{"no_worker",
                  absl::StrCat("none of ", ready, " workers may reach server ", server.name)};
  }
  if (able == 0) {
    return Reason{
        "no_driver",
        absl::StrCat("no worker has the driver ", DriverOf(server.url), " of server ", server.name,
                     "; those that reach it have ", absl::StrJoin(drivers, ", "))};
  }
  if (free == 0) return Reason{"no_slot", absl::StrCat("all slots of ", able, " workers are busy")};
  return std::nullopt;
}

Reason Core::Impl::WhyWaits(const DatasetState& dataset, const RunState& run,
                            const DemandState& demand) const {
  const DatasetId& id = dataset.spec.id;
  if (const auto table = tables.find(id.table);
      table != tables.end() && !table->second.stopped.ok()) {
    return {"table", absl::StrCat("nothing more is written to table ", id.table, ": ",
                                  std::string(table->second.stopped.message()))};
  }
  if (unasked.contains(id.table)) {
    return {"table", absl::StrCat("table ", id.table, " is looked at first")};
  }
  if (demand.demand.histories()) return WhyMendingWaits(dataset);
  if (demand.phase == DemandPhase::kWaitingForProbe) {
    if (const auto probe = probes.find(id); probe != probes.end()) {
      const ProbeWork& work = probe->second;
      if (!work.task_id.empty()) return {"probe", "its source is being probed"};
      if (work.not_before > now) {
        return {"backoff",
                absl::StrCat("its probe is tried again after ", work.failures,
                             " failures, last: ", std::string(work.last_failure.message())),
                work.not_before};
      }
    }
  } else {
    const NextClaimResult next = NextClaim(dataset, demand, now, run.pace);
    if (!next.claim.has_value()) {
      if (!dataset.claims.empty()) {
        return {"claim",
                "what is left is being read together with other pieces, or was read "
                "before it was asked for: it waits for them"};
      }
      return {"backoff", "what is left is tried again after a failure", next.retry_at};
    }
  }
  if (demand.phase == DemandPhase::kActive && IsPaced(run, id.server)) {
    return {"pace",
            "its run has as many microbatches under way as it may (--max-active, "
            "--per-server)"};
  }
  if (auto reason = WhyNotServer(dataset, BandOf(run)); reason.has_value()) return *reason;
  if (auto reason = WhyNoWorker(dataset); reason.has_value()) return *reason;
  if (room_at > now && room_at < absl::InfiniteFuture()) {
    return {"cap",
            absl::StrCat("other workers still hold connections of server ", id.server, " open"),
            room_at};
  }
  return {"next", "it is next"};
}

Reason Core::Impl::WhyStaged(const std::string& table) const {
  const auto work = tables.find(table);
  if (work != tables.end() && !work->second.stopped.ok()) {
    return {"table", absl::StrCat("read and staged; nothing is published in table ", table, ": ",
                                  std::string(work->second.stopped.message()))};
  }
  if (work != tables.end() && work->second.retry_at > now) {
    return {"staged",
            absl::StrCat("read and staged; table ", table, " is tried again after ",
                         work->second.failures, " failures"),
            work->second.retry_at};
  }
  return {"staged", absl::StrCat("read and staged; it is being published in table ", table)};
}

std::string Core::Impl::WorkerOf(const SessionId& session) const {
  if (session.empty()) return "";
  const auto known = sessions.find(session);
  return known == sessions.end() ? "that is away" : known->second.hello.name;
}

ExplainSources Core::Impl::Sources() const {
  ExplainSources sources;
  sources.leases = &leases;
  sources.why_waits = [this](const DatasetState& dataset, const RunState& run,
                             const DemandState& demand) { return WhyWaits(dataset, run, demand); };
  sources.why_staged = [this](const std::string& table) { return WhyStaged(table); };
  sources.worker = [this](const std::string& session) { return WorkerOf(session); };
  return sources;
}

absl::StatusOr<std::vector<DatasetId>> Core::Impl::DatasetsOf(const std::string& id) const {
  std::vector<DatasetId> ids;
  if (const RunState* run = state->FindRun(id); run != nullptr) {
    for (const auto& [dataset, demand] : run->demands) ids.push_back(dataset);
    return ids;
  }
  for (const auto& [ref, lease] : leases.leases()) {
    if (ref.task_id == id) return std::vector<DatasetId>{lease.dataset};
  }
  int64_t fence = 0;
  if (absl::SimpleAtoi(id, &fence)) {
    if (const DatasetState* dataset = state->FindClaim(fence); dataset != nullptr)
      return std::vector<DatasetId>{dataset->spec.id};
    for (const auto& [dataset_id, dataset] : state->datasets()) {
      for (const auto& [from, piece] : dataset.coverage.pieces()) {
        if (piece.fence == fence) return std::vector<DatasetId>{dataset_id};
      }
    }
  }
  return absl::NotFoundError(absl::StrCat("no run, task or fence '", id,
                                          "' is known; `headwater status` names what there is"));
}

absl::StatusOr<v1::ExplainResponse> Core::Explain(const std::vector<DatasetId>& datasets,
                                                  const std::string& id, absl::Time now) const {
  std::vector<DatasetId> wanted = datasets;
  if (!id.empty()) {
    absl::StatusOr<std::vector<DatasetId>> found = impl_->DatasetsOf(id);
    if (!found.ok()) return found.status();
    wanted = *std::move(found);
  }
  v1::ExplainResponse response;
  response.set_live(true);
  const ExplainSources sources = impl_->Sources();
  for (const DatasetId& one : wanted) {
    const DatasetState* dataset = impl_->state->FindDataset(one);
    if (dataset != nullptr) headwater::Explain(*impl_->state, *dataset, sources, now, response);
  }
  return response;
}

}  // namespace headwater
