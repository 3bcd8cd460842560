#include "coordinator/plan/server_gate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>

#include "common/base/backoff.h"
#include "common/base/check.h"
#include "common/data/quiet_window.h"

namespace headwater {
namespace {

// No server that is back waits longer to be noticed.
constexpr absl::Duration kLongestWait = absl::Minutes(1);
// Long enough to see whether a server that had too many connections bears one more.
constexpr absl::Duration kRaiseAfter = absl::Seconds(30);
constexpr absl::Duration kHalfLife = absl::Minutes(1);

}  // namespace

ServerGate::Answer ServerGate::Ask(const ServerSpec& server, int in_flight, absl::Time now) const {
  if (!server.quiet_windows.empty()) {
    absl::TimeZone zone;
    HW_CHECK(absl::LoadTimeZone(server.timezone, &zone));
    const std::optional<absl::Time> until = QuietUntil(server.quiet_windows, zone, now);
    if (until.has_value()) return {Hold::kQuiet, *until};
  }
  if (unreachable() && retry_at_ > now) return {Hold::kUnreachable, retry_at_};
  if (next_begin_ > now) return {Hold::kRate, next_begin_};
  if (in_flight >= Limit(server)) return {Hold::kConnections, absl::InfiniteFuture()};
  return {};
}

int ServerGate::Limit(const ServerSpec& server) const {
  return unreachable() ? 1 : std::min(limit_, server.max_connections);
}

void ServerGate::Began(const ServerSpec& server, absl::Time now) {
  if (server.max_tasks_per_minute > 0) {
    next_begin_ = now + absl::Minutes(1) / server.max_tasks_per_minute;
  }
}

void ServerGate::Reached() {
  if (unreachable()) {  // It may be just up: its connections come one by one.
    limit_ = 1;
    raise_after_ = absl::ZeroDuration();
    raise_at_ = absl::InfinitePast();
  }
  failures_ = 0;
  last_failure_ = absl::OkStatus();
}

void ServerGate::Succeeded(absl::Time now) {
  Reached();
  if (limit_ >= kNoLimit || now < raise_at_) return;
  ++limit_;
  raise_at_ = now + raise_after_;
}

void ServerGate::Failed(const ServerSpec& server, const absl::Status& status, absl::Time began,
                        absl::Time now) {
  if (status.code() == absl::StatusCode::kUnavailable) {
    last_failure_ = status;
    if (began < failed_at_) return;
    failed_at_ = now;
    ++failures_;
    if (!unreachable()) return;
    retry_at_ =
        now + Backoff(failures_ - kFailuresToClose + 1, std::hash<std::string>()(server.name),
                      {.base = wait_, .cap = kLongestWait});
    return;
  }
  Reached();
  if (status.code() != absl::StatusCode::kResourceExhausted) return;
  // Those that were begun together fail together, and count once.
  if (limit_ < server.max_connections && now < raise_at_) return;
  limit_ = std::max(1, Limit(server) / 2);
  raise_after_ = kRaiseAfter;
  raise_at_ = now + kRaiseAfter;
}

double ServerGate::Used(absl::Time now) const {
  if (used_ == 0) return 0;
  return used_ * std::exp2(-absl::FDivDuration(now - used_at_, kHalfLife));
}

void ServerGate::Use(absl::Duration connection_time, absl::Time now) {
  used_ = Used(now) + absl::ToDoubleSeconds(connection_time);
  used_at_ = now;
}

}  // namespace headwater
