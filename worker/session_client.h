// A worker's side of the session protocol: says hello, answers offers, reports what it holds,
// delivers outcomes, and stops everything when it can no longer be sure that its leases stand.
//
//   lease = offered → accepted ─ running ─► finished ─ delivered ─► gone
//                        └──── abandoned: verdict, missing in an ack, or self-fenced ──► gone
//
// One thread of its own decides; gRPC's threads only bring it events. Connections are made again
// for ever, with jittered backoff; held leases are named in Hello and kept when the coordinator
// says so.
#ifndef HEADWATER_WORKER_SESSION_CLIENT_H_
#define HEADWATER_WORKER_SESSION_CLIENT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/model/task.h"
#include "worker/task_host.h"

namespace headwater {

struct SessionOptions {
  // Of a coordinator, as in common/rpc/channel.h; or several with commas between them, of
  // coordinators that take turns: each is tried, and the leader that one of them names.
  std::string address;
  std::string name;  // Of the worker, for people.
  std::string build;
  std::map<std::string, std::string> labels;
  int slots = 1;
  int queue = 1;  // Tasks held beyond the slots, so that a slot that ends finds its next at once.
  std::vector<std::string> drivers;
  std::vector<std::string> reachable_servers;  // Globs; empty: all.
  const Clock* clock = &Clock::Real();
  BackoffOptions reconnect = {.base = absl::Milliseconds(100), .cap = absl::Seconds(1)};
  absl::Duration deliver_timeout = absl::Seconds(10);  // Of one call; it is repeated.
};

// Thread-safe.
class SessionClient {
 public:
  // Makes a client that does nothing before Begin(). `host` must outlive it. INVALID_ARGUMENT: the
  // address (common/rpc/channel.h), no name, no slots.
  static absl::StatusOr<std::unique_ptr<SessionClient>> Create(SessionOptions options,
                                                               TaskHost* host);

  // Starts the session's thread; the first connection may fail as later ones may. Call once.
  void Begin();
  ~SessionClient();  // Shutdown().

  // A task has ended. Delivers its outcome, again and again while the coordinator cannot be reached
  // and the lease is held; drops it when the lease is gone. Never blocks for the network.
  void Finish(Outcome outcome);

  // Takes no new offers, hands back what no slot has begun, lets the rest finish, says goodbye and
  // ends. Repeatable. A coordinator may ask for it, too.
  void Drain();

  // Blocks until a drain is complete, or Shutdown() was called.
  void WaitUntilDrained();

  // Ends the session now: the host is told to stop everything, leases run out at the coordinator.
  // Repeatable.
  void Shutdown();

  // Leases held: accepted and neither delivered nor abandoned. For people and tests.
  int64_t held() const;

 private:
  struct Impl;
  explicit SessionClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SESSION_CLIENT_H_
