// What keeps tasks from one server, whatever its datasets want: hours in which it is left alone,
// how many tasks a minute it takes, whether it can be reached, and how many connections it bears.
// In memory: a coordinator that restarts finds out again.
#ifndef HEADWATER_COORDINATOR_PLAN_SERVER_GATE_H_
#define HEADWATER_COORDINATOR_PLAN_SERVER_GATE_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/model/dataset_spec.h"

namespace headwater {

// Circuit breaker (M. Nygard, Release It!): so many failures in a row to reach a server close its
// gate; then one task at a time tries it, later after each failure, until one succeeds.
inline constexpr int kFailuresToClose = 3;

// Thread-compatible.
class ServerGate {
 public:
  enum class Hold { kNone, kQuiet, kUnreachable, kRate, kConnections };
  struct Answer {
    Hold hold = Hold::kNone;
    // When to ask again. InfiniteFuture for kConnections: when a lease ends.
    absl::Time until = absl::InfiniteFuture();
  };

  // `wait`: before the first try of a server that cannot be reached, doubled for each further one.
  explicit ServerGate(absl::Duration wait = absl::Seconds(1)) : wait_(wait) {}

  // Whether a task may begin at `now`, when live leases have `in_flight` connections.
  Answer Ask(const ServerSpec& server, int in_flight, absl::Time now) const;

  // How many connections the server bears: `max_connections`, or fewer after it said that it has
  // too many, after an outage, and while only one task may try it.
  int Limit(const ServerSpec& server) const;

  void Began(const ServerSpec& server, absl::Time now);
  // A task has read there: probes and microbatches alike.
  void Succeeded(absl::Time now);
  // A task that was begun at `began` failed by its source. UNAVAILABLE: the server could not be
  // reached; what was begun before the last such failure is of the same try. RESOURCE_EXHAUSTED: it
  // was asked for more than it has. Other codes say that it is there.
  void Failed(const ServerSpec& server, const absl::Status& status, absl::Time began,
              absl::Time now);
  // Somebody asks for the server now: the next try does not wait any longer.
  void TryNow() { retry_at_ = absl::InfinitePast(); }

  bool unreachable() const { return failures_ >= kFailuresToClose; }
  int failures() const { return failures_; }  // Tries in a row that did not reach it.
  // The last of them; OK when there is none.
  const absl::Status& last_failure() const { return last_failure_; }

  // Connection time that the server has had in the last minutes, in seconds, halved each minute.
  // Of two servers with as much in flight, the one that has had less comes first.
  double Used(absl::Time now) const;
  void Use(absl::Duration connection_time, absl::Time now);

 private:
  static constexpr int kNoLimit = 1'000;  // The most that a configuration takes.

  void Reached();

  const absl::Duration wait_;
  int failures_ = 0;
  absl::Status last_failure_;
  absl::Time failed_at_ = absl::InfinitePast();
  absl::Time retry_at_ = absl::InfinitePast();
  absl::Time next_begin_ = absl::InfinitePast();  // By the rate.
  // Additive increase, multiplicative decrease (D. Chiu and R. Jain, 1989).
  int limit_ = kNoLimit;
  absl::Duration raise_after_;  // A success raises the limit by one, not sooner than that again.
  absl::Time raise_at_ = absl::InfinitePast();
  double used_ = 0;
  absl::Time used_at_ = absl::InfinitePast();
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_PLAN_SERVER_GATE_H_
