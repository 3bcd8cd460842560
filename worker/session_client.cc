#include "worker/session_client.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "common/model/proto_check.h"
#include "worker/session_client_impl.h"

namespace headwater {
namespace {

constexpr int kProtocol = 1;
constexpr size_t kBatch = 256;  // Events handled before what is due is looked at again.

}  // namespace

void SessionClient::Impl::Work() {
  while (!events.Finished()) {
    DoWhatIsDue();
    Publish();
    for (Event& event : events.PopBatch(kBatch, *options.clock, NextWake())) {
      std::visit([this](auto& one) { Handle(std::move(one)); }, event);
    }
  }
  AbandonAll();
  stream.reset();
  if (delivery != nullptr) {
    delivery->context.TryCancel();
    delivery->done.WaitForNotification();
  }
  Publish();
}

void SessionClient::Impl::DoWhatIsDue() {
  const absl::Time now = options.clock->Now();
  if (now >= proven + self_fence_after) SelfFence();
  if (stream == nullptr && !goodbye && now >= connect_at) Connect();
  if (welcomed && now >= report_at) Report();
  if (now >= deliver_at) DeliverOutcomes();
  EndDrainWhenEmpty();
}

absl::Time SessionClient::Impl::NextWake() const {
  absl::Time wake = absl::InfiniteFuture();
  if (!leases.empty()) wake = std::min(wake, proven + self_fence_after);
  if (stream == nullptr && !goodbye) wake = std::min(wake, connect_at);
  if (welcomed) wake = std::min(wake, report_at);
  if (delivery == nullptr && deliver_at > options.clock->Now()) wake = std::min(wake, deliver_at);
  return wake;
}

void SessionClient::Impl::Publish() {
  absl::MutexLock lock(&mutex);
  held = static_cast<int64_t>(leases.size());
  drained = goodbye;
}

// ---- The stream ----

void SessionClient::Impl::Connect() {
  const int64_t number = ++stream_number;
  stream = std::make_unique<SessionStream>(
      stub(),
      [this, number](v1::CoordinatorFrame frame) {
        events.Push(FrameReceived{.stream = number, .frame = std::move(frame)});
      },
      [this, number](absl::Status status) {
        events.Push(StreamClosed{.stream = number, .status = std::move(status)});
      });
  SayHello();
}

void SessionClient::Impl::FollowLeader(const std::string& address) {
  for (size_t i = 0; i < peers.size(); ++i) {
    if (peers[i]->address != address) continue;
    led_on = peer != i;
    peer = i;
    return;
  }
  absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(address);
  if (!endpoint.ok()) return;  // Nobody leads, or not for us: the next in turn may know.
  peers.push_back(std::make_unique<Peer>(address, *std::move(endpoint)));
  peer = peers.size() - 1;
  led_on = true;
}

void SessionClient::Impl::TakeTurn() { peer = peer + 1 < turns ? peer + 1 : 0; }

void SessionClient::Impl::SayHello() {
  v1::WorkerFrame frame;
  v1::Hello& hello = *frame.mutable_hello();
  hello.set_protocol_min(kProtocol);
  hello.set_protocol_max(kProtocol);
  hello.set_build(options.build);
  hello.set_worker_name(options.name);
  hello.set_boot_id(boot_id);
  for (const auto& [key, value] : options.labels) (*hello.mutable_labels())[key] = value;
  hello.set_slots(options.slots);
  for (const std::string& driver : options.drivers) hello.add_drivers(driver);
  for (const std::string& server : options.reachable_servers) hello.add_reachable_servers(server);
  for (const auto& [lease, state] : leases) *hello.add_held() = ToProto(lease);
  hello_sent = options.clock->Now();
  stream->Write(std::move(frame));
}

void SessionClient::Impl::Handle(StreamClosed event) {
  if (event.stream != stream_number || stream == nullptr) return;
  stream.reset();
  welcomed = false;
  reports.clear();
  specs.clear();
  if (goodbye) return;
  if (!std::exchange(led_on, false)) TakeTurn();
  ++failed_connects;
  const absl::Duration wait = Backoff(failed_connects, seed, options.reconnect);
  connect_at = options.clock->Now() + wait;
  Log(LogLevel::kInfo, "the session with the coordinator ended",
      {{"why", event.status.ToString()}, {"again_in", absl::FormatDuration(wait)}});
}

void SessionClient::Impl::Handle(FrameReceived event) {
  if (event.stream != stream_number || stream == nullptr) return;
  switch (event.frame.frame_case()) {
    case v1::CoordinatorFrame::kWelcome:
      return Welcome(event.frame.welcome());
    case v1::CoordinatorFrame::kOffers:
      return Offers(event.frame.offers());
    case v1::CoordinatorFrame::kReportAck:
      return Ack(event.frame.report_ack());
    case v1::CoordinatorFrame::kCancel:
      for (const v1::LeaseRef& lease : event.frame.cancel().leases()) {
        host->Stop({.task_id = lease.task_id(), .fence = lease.fence()});
      }
      return;
    case v1::CoordinatorFrame::kDrain:
      return Handle(DrainWanted{});
    case v1::CoordinatorFrame::kNotLeader:
      return FollowLeader(event.frame.not_leader().leader_address());
    case v1::CoordinatorFrame::kRestarting:
    case v1::CoordinatorFrame::FRAME_NOT_SET:
      return;  // The stream's end follows, or it is of a later protocol.
  }
}

void SessionClient::Impl::Welcome(const v1::Welcome& welcome) {
  const absl::StatusOr<absl::Duration> beat = FromProto("heartbeat", welcome.heartbeat());
  const absl::StatusOr<absl::Duration> fence =
      FromProto("self_fence_after", welcome.self_fence_after());
  if (!beat.ok() || !fence.ok() || *beat <= absl::ZeroDuration() || *fence < *beat) {
    Log(LogLevel::kError, "the coordinator's Welcome makes no sense; closing the session");
    stream->CloseWrites();
    return;
  }
  welcomed = true;
  session_id = welcome.session_id();
  failed_connects = 0;
  failed_deliveries = 0;
  deliver_at = absl::InfinitePast();
  heartbeat = *beat;
  self_fence_after = *fence;
  proven = hello_sent;  // Hello named all held leases, its answer acknowledges them.
  std::set<LeaseRef> kept;
  for (const v1::LeaseVerdict& verdict : welcome.held()) {
    Obey(verdict);
    if (verdict.verdict() != v1::VERDICT_ABANDON) {
      kept.insert({.task_id = verdict.lease().task_id(), .fence = verdict.lease().fence()});
    }
  }
  std::vector<LeaseRef> gone;
  for (const auto& [lease, state] : leases) {
    if (!kept.contains(lease)) gone.push_back(lease);
  }
  for (const LeaseRef& lease : gone) Abandon(lease);
  report_at = options.clock->Now() + heartbeat;
  v1::WorkerFrame frame;
  if (draining) {
    frame.mutable_drain_intent();
  } else {
    frame.mutable_credit()->set_tasks(options.slots + options.queue);
  }
  stream->Write(std::move(frame));
}

// ---- The end ----

void SessionClient::Impl::Handle(DrainWanted) {
  if (draining) return;
  draining = true;
  if (welcomed) {
    v1::WorkerFrame frame;
    frame.mutable_drain_intent();
    stream->Write(std::move(frame));
  }
  host->StopWaiting();
}

void SessionClient::Impl::EndDrainWhenEmpty() {
  if (!draining || goodbye || !leases.empty()) return;
  goodbye = true;
  if (stream == nullptr) return;
  v1::WorkerFrame frame;
  frame.mutable_goodbye();
  stream->Write(std::move(frame));
  stream->CloseWrites();
}

SessionClient::SessionClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SessionClient::~SessionClient() { Shutdown(); }

absl::StatusOr<std::unique_ptr<SessionClient>> SessionClient::Create(SessionOptions options,
                                                                     TaskHost* host) {
  RETURN_IF_ERROR(CheckNotEmpty("worker name", options.name));
  RETURN_IF_ERROR(CheckAtLeast("worker slots", options.slots, 1));
  RETURN_IF_ERROR(CheckAtLeast("worker queue", options.queue, 0));
  std::vector<std::unique_ptr<Impl::Peer>> peers;
  for (const absl::string_view address : absl::StrSplit(options.address, ',')) {
    ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Parse(address));
    peers.push_back(std::make_unique<Impl::Peer>(std::string(address), std::move(endpoint)));
  }
  auto impl = std::make_unique<Impl>(std::move(options), std::move(peers), host);
  return std::unique_ptr<SessionClient>(new SessionClient(std::move(impl)));
}

void SessionClient::Begin() {
  impl_->thread = std::thread([this] { impl_->Work(); });
}

void SessionClient::Finish(Outcome outcome) {
  impl_->events.Push(TaskFinished{.outcome = std::move(outcome)});
}

void SessionClient::Drain() { impl_->events.Push(DrainWanted{}); }

void SessionClient::WaitUntilDrained() {
  absl::MutexLock lock(&impl_->mutex);
  impl_->mutex.Await(absl::Condition(&impl_->drained));
}

void SessionClient::Shutdown() {
  impl_->events.Close();
  if (impl_->thread.joinable()) impl_->thread.join();
  absl::MutexLock lock(&impl_->mutex);
  impl_->drained = true;  // Nobody waits for what will not come.
}

int64_t SessionClient::held() const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->held;
}

}  // namespace headwater
