// What the session's thread knows. Private to session_client.cc (connection and life) and
// session_leases.cc (offers, reports, verdicts and outcomes).
#ifndef HEADWATER_WORKER_SESSION_CLIENT_IMPL_H_
#define HEADWATER_WORKER_SESSION_CLIENT_IMPL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/base/bounded_queue.h"
#include "common/base/ids.h"
#include "common/rpc/channel.h"
#include "worker/session_client.h"
#include "worker/session_stream.h"

namespace headwater {

inline constexpr size_t kEvents = 4096;  // Far more than a worker's tasks and frames in flight.

// What the session's thread hears.
struct FrameReceived {
  int64_t stream;
  v1::CoordinatorFrame frame;
};
struct StreamClosed {
  int64_t stream;
  absl::Status status;
};
struct TaskFinished {
  Outcome outcome;
};
struct DeliverAnswered {
  absl::Status status;
  v1::DeliverResponse response;
};
struct DrainWanted {};
using Event = std::variant<FrameReceived, StreamClosed, TaskFinished, DeliverAnswered, DrainWanted>;

struct SessionClient::Impl {
  struct Lease {
    std::optional<Outcome> outcome;  // Once it has ended.
  };
  struct SentReport {
    absl::Time sent;
    std::set<LeaseRef> leases;
  };
  // One Deliver call under way. Belongs to the session's thread alone: the context holds the
  // channel, and a channel that ends on a thread of gRPC's, where callbacks and what they hold are
  // destroyed, takes away the queue that this very thread reads.
  struct Delivery {
    grpc::ClientContext context;
    v1::DeliverRequest request;
    v1::DeliverResponse response;
    std::vector<LeaseRef> leases;
    absl::Notification done;  // The callback has left.
  };

  // A coordinator. Kept for as long as the client lives: calls under way may hold its channel.
  struct Peer {
    Peer(std::string name, Endpoint where)
        : address(std::move(name)),
          endpoint(std::move(where)),
          stub(v1::SessionService::NewStub(OpenChannel(endpoint))) {}

    const std::string address;
    const Endpoint endpoint;
    const std::unique_ptr<v1::SessionService::Stub> stub;
  };

  Impl(SessionOptions given, std::vector<std::unique_ptr<Peer>> named, TaskHost* task_host)
      : options(std::move(given)),
        host(task_host),
        seed(std::hash<std::string>{}(boot_id)),
        peers(std::move(named)),
        turns(peers.size()) {}

  void Work();
  void Handle(FrameReceived event);
  void Handle(StreamClosed event);
  void Handle(TaskFinished event);
  void Handle(DeliverAnswered event);
  void Handle(DrainWanted event);

  void Welcome(const v1::Welcome& welcome);
  void Offers(const v1::Offers& offers);
  std::string Decline(const v1::Offer& offer);  // Why; empty: the task was taken.
  void Ack(const v1::ReportAck& ack);
  void Obey(const v1::LeaseVerdict& verdict);

  void DoWhatIsDue();
  absl::Time NextWake() const;
  void Connect();
  // The next connection is to the leader that a coordinator named, or to the next in turn.
  void FollowLeader(const std::string& address);
  void TakeTurn();
  v1::SessionService::Stub& stub() const { return *peers[peer]->stub; }
  void SayHello();
  void Report();
  void SelfFence();
  void Abandon(const LeaseRef& lease);
  void AbandonAll();
  void DeliverOutcomes();
  void Settle(const LeaseRef& lease, const v1::ItemStatus& verdict);
  void EndDrainWhenEmpty();
  void Publish();

  const SessionOptions options;
  TaskHost* const host;
  const std::string boot_id = RandomId();
  const uint64_t seed;
  BoundedQueue<Event> events{kEvents};
  std::thread thread;

  // The rest belongs to the session's thread.
  std::vector<std::unique_ptr<Peer>> peers;  // Those named in the options, then leaders.
  const size_t turns;                        // So many were named.
  size_t peer = 0;                           // The one to talk to.
  bool led_on = false;                       // Its answer was that another leads.
  std::unique_ptr<SessionStream> stream;
  int64_t stream_number = 0;
  bool welcomed = false;
  std::string session_id;
  int failed_connects = 0;
  absl::Time connect_at = absl::InfinitePast();
  absl::Duration heartbeat = absl::Seconds(3);
  absl::Duration self_fence_after = absl::Seconds(12);
  absl::Time report_at = absl::InfiniteFuture();
  absl::Time hello_sent;
  absl::Time proven = absl::InfinitePast();  // Sending time of the last acknowledged report.
  int64_t last_report = 0;
  std::map<int64_t, SentReport> reports;
  std::map<std::string, std::shared_ptr<const DatasetSpec>> specs;
  std::map<LeaseRef, Lease> leases;
  std::unique_ptr<Delivery> delivery;
  int failed_deliveries = 0;
  absl::Time deliver_at = absl::InfinitePast();
  bool draining = false;
  bool goodbye = false;

  mutable absl::Mutex mutex;
  int64_t held ABSL_GUARDED_BY(mutex) = 0;
  bool drained ABSL_GUARDED_BY(mutex) = false;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SESSION_CLIENT_IMPL_H_
