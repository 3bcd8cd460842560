#include "coordinator/state/lease_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"

namespace headwater {
namespace {

absl::Status Gone(const LeaseRef& ref) {
  return absl::FailedPreconditionError(
      absl::StrCat("lease of task ", ref.task_id, " with fence ", ref.fence, " is gone"));
}

}  // namespace

void LeaseTable::Grant(const Lease& lease) {
  HW_CHECK(leases_.emplace(lease.ref, lease).second);
  Load& load = by_server_[lease.dataset.server];
  load.connections += lease.connections;
  load.backfills += lease.backfill ? lease.connections : 0;
  if (const auto kept = load.kept.find(lease.session); kept != load.kept.end()) {
    // What was used last is used first; the others are closed when their time has come.
    std::deque<absl::Time>& times = kept->second;
    times.resize(times.size() - std::min<size_t>(times.size(), lease.connections));
    if (times.empty()) load.kept.erase(kept);
  }
  ++by_session_[lease.session];
}

absl::Status LeaseTable::Accept(const LeaseRef& ref, const std::string& session,
                                absl::Time deadline) {
  Lease* lease = Find(ref);
  if (lease == nullptr || lease->session != session) return Gone(ref);
  lease->accepted = true;
  lease->deadline = deadline;
  return absl::OkStatus();
}

absl::Status LeaseTable::Renew(const LeaseRef& ref, const std::string& session,
                               absl::Time deadline) {
  return Accept(ref, session, deadline);  // A lease that is reported as held was accepted.
}

absl::Status LeaseTable::Adopt(const LeaseRef& ref, const std::string& session,
                               absl::Time deadline) {
  Lease* lease = Find(ref);
  if (lease == nullptr) return Gone(ref);
  --by_session_[lease->session];
  ++by_session_[session];
  lease->session = session;
  lease->accepted = true;
  lease->deadline = deadline;
  return absl::OkStatus();
}

bool LeaseTable::End(const LeaseRef& ref, absl::Time now) {
  const auto it = leases_.find(ref);
  if (it == leases_.end()) return false;
  const Lease lease = it->second;
  Remove(lease);
  // What was offered and never accepted has opened nothing.
  if (!lease.accepted || lease.session.empty() || lease.connections == 0 ||
      kept_ == absl::ZeroDuration()) {
    return true;
  }
  auto& kept = by_server_[lease.dataset.server].kept;
  std::erase_if(kept, [&](const auto& entry) { return entry.second.back() <= now; });
  std::deque<absl::Time>& times = kept[lease.session];
  while (!times.empty() && times.front() <= now) times.pop_front();
  times.insert(times.end(), static_cast<size_t>(lease.connections), now + kept_);
  return true;
}

void LeaseTable::Remove(const Lease& lease) {
  Load& load = by_server_[lease.dataset.server];
  load.connections -= lease.connections;
  load.backfills -= lease.backfill ? lease.connections : 0;
  --by_session_[lease.session];
  leases_.erase(lease.ref);
}

std::vector<Lease> LeaseTable::Expire(absl::Time now) {
  std::vector<Lease> expired;
  for (const auto& [ref, lease] : leases_) {
    if (lease.deadline <= now) expired.push_back(lease);
  }
  for (const Lease& lease : expired) Remove(lease);
  return expired;
}

const Lease* LeaseTable::Find(const LeaseRef& ref) const {
  const auto it = leases_.find(ref);
  return it == leases_.end() ? nullptr : &it->second;
}

Lease* LeaseTable::Find(const LeaseRef& ref) {
  const auto it = leases_.find(ref);
  return it == leases_.end() ? nullptr : &it->second;
}

std::vector<LeaseRef> LeaseTable::HeldBy(const std::string& session) const {
  std::vector<LeaseRef> held;
  for (const auto& [ref, lease] : leases_) {
    if (lease.session == session) held.push_back(ref);
  }
  return held;
}

int LeaseTable::CountOnServer(const std::string& server) const {
  const auto it = by_server_.find(server);
  return it == by_server_.end() ? 0 : it->second.connections;
}

int LeaseTable::CountBackfillsOnServer(const std::string& server) const {
  const auto it = by_server_.find(server);
  return it == by_server_.end() ? 0 : it->second.backfills;
}

int LeaseTable::CountAgainst(const std::string& server, const std::string& session,
                             absl::Time now) const {
  const auto it = by_server_.find(server);
  if (it == by_server_.end()) return 0;
  int64_t count = it->second.connections;
  for (const auto& [other, times] : it->second.kept) {
    if (other == session) continue;
    count += times.end() - std::upper_bound(times.begin(), times.end(), now);
  }
  return static_cast<int>(count);
}

std::vector<std::string> LeaseTable::KeepersOf(const std::string& server) const {
  std::vector<std::string> keepers;
  const auto it = by_server_.find(server);
  if (it == by_server_.end()) return keepers;
  for (const auto& [session, times] : it->second.kept) keepers.push_back(session);
  return keepers;
}

absl::Time LeaseTable::NextClosed(const std::string& server, const std::string& session,
                                  absl::Time now) const {
  absl::Time next = absl::InfiniteFuture();
  const auto it = by_server_.find(server);
  if (it == by_server_.end()) return next;
  for (const auto& [other, times] : it->second.kept) {
    if (other == session) continue;
    const auto open = std::upper_bound(times.begin(), times.end(), now);
    if (open != times.end()) next = std::min(next, *open);
  }
  return next;
}

bool LeaseTable::Keeps(const std::string& server, const std::string& session,
                       absl::Time now) const {
  const auto it = by_server_.find(server);
  if (it == by_server_.end()) return false;
  const auto kept = it->second.kept.find(session);
  if (kept == it->second.kept.end()) return false;
  // Leases that were granted since have taken some of them over.
  const auto open =
      kept->second.end() - std::upper_bound(kept->second.begin(), kept->second.end(), now);
  const auto used = std::count_if(leases_.begin(), leases_.end(), [&](const auto& entry) {
    return entry.second.session == session && entry.second.dataset.server == server;
  });
  return open > used;
}

int LeaseTable::CountOfSession(const std::string& session) const {
  const auto it = by_session_.find(session);
  return it == by_session_.end() ? 0 : it->second;
}

absl::Time LeaseTable::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [ref, lease] : leases_) next = std::min(next, lease.deadline);
  return next;
}

}  // namespace headwater
