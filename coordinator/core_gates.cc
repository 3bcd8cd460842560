// Servers as they are found to be: each has a gate (plan/server_gate.h) that learns from what ends,
// and one that cannot be reached fails those who wait for it, together.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "coordinator/core_impl.h"

namespace headwater {

ServerGate& Core::Impl::GateOf(const std::string& server) {
  return gates.try_emplace(server, options.backoff_base).first->second;
}

bool Core::Impl::Admits(const ServerSpec& server) {
  const ServerGate::Answer answer =
      GateOf(server.name).Ask(server, leases.CountOnServer(server.name), now);
  room_at = std::min(room_at, answer.until);
  return answer.hold == ServerGate::Hold::kNone;
}

bool Core::Impl::IsPaced(const RunState& run, const std::string& server) const {
  if (run.pace.max_active == 0 && run.pace.max_per_server == 0) return false;
  int active = 0, there = 0;
  for (const auto& [ref, lease] : leases.leases()) {
    if (lease.kind != TaskKind::kMicrobatch || lease.run_id != run.id) continue;
    ++active;
    if (lease.dataset.server == server) ++there;
  }
  return (run.pace.max_active > 0 && active >= run.pace.max_active) ||
         (run.pace.max_per_server > 0 && there >= run.pace.max_per_server);
}

void Core::Impl::End(const Lease& lease) {
  if (!leases.End(lease.ref, now)) return;
  GateOf(lease.dataset.server).Use((now - lease.since) * lease.connections, now);
}

void Core::Impl::EndWell(const Lease& lease) {
  End(lease);
  if (lease.connections > 0) GateOf(lease.dataset.server).Succeeded(now);
}

void Core::Impl::TakeSourceFailure(const Lease& lease, const absl::Status& status) {
  const ServerSpec& server = state->FindDataset(lease.dataset)->spec.server;
  GateOf(server.name).Failed(server, status, lease.since, now);
}

bool Core::Impl::IsOfServer(const DatasetId& id, const Failure& failure) {
  return failure.kind == FailureKind::kSource &&
         failure.status.code() == absl::StatusCode::kUnavailable && GateOf(id.server).unreachable();
}

void Core::Impl::GiveUpServer(const DatasetId& id) {
  const ServerGate& gate = GateOf(id.server);
  if (gate.failures() < kFailuresToClose + state->FindDataset(id)->spec.retries) return;
  const Failure failure{
      FailureKind::kSource,
      absl::Status(gate.last_failure().code(),
                   absl::StrCat("server ", id.server, " cannot be reached, ", gate.failures(),
                                " tries in a row: ", gate.last_failure().message()))};
  std::set<CallId> planning;
  for (const auto& [call, plan] : plans) planning.insert(call);
  std::vector<std::pair<DatasetId, std::vector<std::string>>> waiting;
  for (const auto& [other, dataset] : state->datasets()) {
    if (other.server != id.server) continue;
    probes.erase(other);
    AnswerPlanFailed(other, failure, planning);
    std::vector<std::string> runs;
    for (const std::string& run_id : dataset.live_runs) {
      const DemandState& demand = state->FindRun(run_id)->demands.at(other);
      if (!demand.ended() && !demand.demand.histories()) runs.push_back(run_id);
    }
    waiting.emplace_back(other, std::move(runs));
  }
  for (const auto& [other, runs] : waiting) FailDemands(other, runs, failure);
  FailVerifications(id.server, failure);
}

}  // namespace headwater
