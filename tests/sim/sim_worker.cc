// Simulated workers, as worker/session_client.cc has them: sessions, offers, reports, self-fencing,
// deliveries. They die, freeze and lose their connection.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/disposition.h"
#include "tests/sim/sim_world.h"

namespace headwater {
namespace {

constexpr absl::Duration kHeartbeat = absl::Seconds(3);
constexpr absl::Duration kSelfFence = absl::Seconds(12);
constexpr absl::Duration kDeliverTimeout = absl::Seconds(10);
constexpr int kRoom = 3;  // Slots and queue.

}  // namespace

void SimWorld::StartWorker(const std::string& name) {
  if (workers_.contains(name)) return;
  Worker& worker = workers_[name];
  worker.name = name;
  worker.incarnation = ++incarnations_;
  worker.proven = now_;
  Connect(worker);
}

void SimWorld::KillWorker(const std::string& name) {
  const auto it = workers_.find(name);
  if (it == workers_.end()) return;
  Trace([&] { return absl::StrCat("worker ", name, " dies"); });
  const SessionId session = it->second.session;
  workers_.erase(it);
  if (!session.empty()) CutStream(session);
  Later(absl::Seconds(1 + Pick(30)), [this, name] { StartWorker(name); });
}

SimWorld::Worker* SimWorld::FindWorker(const std::string& name, int64_t incarnation) {
  const auto it = workers_.find(name);
  return it == workers_.end() || it->second.incarnation != incarnation ? nullptr : &it->second;
}

// What a worker does, or meets, later: nothing once it is dead, and not before it thaws.
void SimWorld::OnWorker(const Worker& worker, absl::Duration delay,
                        std::function<void(Worker&)> run) {
  Later(delay, [this, name = worker.name, incarnation = worker.incarnation, run = std::move(run)] {
    Worker* found = FindWorker(name, incarnation);
    if (found == nullptr) return;
    if (now_ < found->frozen_until) return OnWorker(*found, found->frozen_until - now_, run);
    run(*found);
  });
}

// Both ends notice, each in its own time; what is on its way is lost.
void SimWorld::CutStream(const SessionId& session) {
  const auto it = streams_.find(session);
  if (it == streams_.end() || it->second.cut) return;
  it->second.cut = true;
  const Stream& stream = it->second;
  const absl::Duration slow = Fault(2) ? Millis(30'000) : Millis(300);
  InProcess(slow, [this, session] { Feed({SessionClosed{session}}); });
  if (const Worker* worker = FindWorker(stream.worker, stream.incarnation)) {
    OnWorker(*worker, Fault(2) ? Millis(30'000) : Millis(300), [this, session](Worker& one) {
      if (one.session != session) return;
      one.session.clear();
      one.welcomed = false;
      one.reports.clear();
      OnWorker(one, Millis(2'000), [this](Worker& again) { Connect(again); });
    });
  }
  Later(absl::Minutes(1), [this, session] { streams_.erase(session); });
}

void SimWorld::FreezeWorker(Worker& worker) {
  ++counts_.frozen;
  worker.frozen_until = now_ + absl::Seconds(1 + Pick(60));
  worker.deaf_clock = Chance(0.5);
  Trace([&] { return absl::StrCat("worker ", worker.name, " freezes"); });
  if (Chance(0.3) && !worker.session.empty()) CutStream(worker.session);
}

void SimWorld::Connect(Worker& worker) {
  if (!worker.session.empty()) return;
  if (core_ == nullptr || (now_ < frozen_until_ && Chance(0.5))) {
    return OnWorker(worker, absl::Milliseconds(500 + Pick(2'000)),
                    [this](Worker& again) { Connect(again); });
  }
  worker.session = absl::StrCat("s", ++sessions_);
  streams_[worker.session] = {worker.name, worker.incarnation, false, now_, now_};
  worker.hello_sent = now_;
  WorkerHello hello;
  hello.name = worker.name;
  hello.slots = 2;
  for (const auto& [lease, held] : worker.held) hello.held.push_back(lease);
  ToCore(worker.session, SessionOpened{worker.session, hello});
}

// Frames of one stream arrive in their order. Those that may be missing are lost at times, which
// is more than gRPC does.
void SimWorld::ToCore(const SessionId& session, Input input) {
  const auto open = streams_.find(session);
  if (open == streams_.end()) return;  // Cut long ago: its worker was frozen meanwhile.
  Stream& stream = open->second;
  const bool needed =
      std::holds_alternative<SessionOpened>(input) || std::holds_alternative<CreditChanged>(input);
  if (stream.cut || (!needed && Fault())) return;
  stream.last_up = std::max(stream.last_up, now_ + (Fault() ? Millis(5'000) : Millis(30)));
  InProcess(stream.last_up - now_, [this, session, input = std::move(input)] {
    const auto it = streams_.find(session);
    if (it == streams_.end() || it->second.cut) return;
    const bool twice = std::holds_alternative<Reported>(input) && Fault();
    Feed(twice ? std::vector<Input>{input, input} : std::vector<Input>{input});
  });
}

void SimWorld::ToWorker(const SessionId& session, const Effect& frame) {
  const auto it = streams_.find(session);
  const bool needed = std::holds_alternative<SendWelcome>(frame);
  if (it == streams_.end() || it->second.cut || (!needed && Fault())) return;
  Stream& stream = it->second;
  const Worker* worker = FindWorker(stream.worker, stream.incarnation);
  if (worker == nullptr) return;
  stream.last_down = std::max(stream.last_down, now_ + (Fault() ? Millis(5'000) : Millis(30)));
  OnWorker(*worker, stream.last_down - now_, [this, session, frame](Worker& one) {
    const auto open = streams_.find(session);
    if (one.session == session && open != streams_.end() && !open->second.cut) OnFrame(one, frame);
  });
}

void SimWorld::OnFrame(Worker& worker, const Effect& frame) {
  if (const auto* welcome = std::get_if<SendWelcome>(&frame)) return OnWelcome(worker, *welcome);
  if (const auto* offer = std::get_if<SendOffer>(&frame)) return OnOffer(worker, *offer);
  if (const auto* ack = std::get_if<SendReportAck>(&frame)) return OnAck(worker, *ack);
  if (const auto* cancel = std::get_if<SendCancel>(&frame)) {
    for (const LeaseRef& lease : cancel->leases) {
      if (const auto it = worker.held.find(lease); it != worker.held.end())
        it->second.stopped = true;
    }
  }
}

void SimWorld::OnWelcome(Worker& worker, const SendWelcome& welcome) {
  worker.welcomed = true;
  worker.proven = worker.hello_sent;
  std::set<LeaseRef> kept;
  for (const auto& [lease, verdict] : welcome.held) {
    if (verdict == LeaseVerdict::kKeep) kept.insert(lease);
  }
  counts_.kept_leases += static_cast<int64_t>(kept.size());
  std::vector<LeaseRef> gone;
  for (const auto& [lease, held] : worker.held) {
    if (!kept.contains(lease)) gone.push_back(lease);
  }
  for (const LeaseRef& lease : gone) Abandon(worker, lease);
  ToCore(worker.session, CreditChanged{worker.session, kRoom});
  worker.delivering = 0;
  StartTicking(worker);
  Deliver(worker);
}

void SimWorld::OnOffer(Worker& worker, const SendOffer& offer) {
  const LeaseRef lease = offer.task.lease;
  const auto unfinished =
      std::count_if(worker.held.begin(), worker.held.end(),
                    [](const auto& entry) { return !entry.second.outcome.has_value(); });
  const bool taken = unfinished < kRoom;
  ToCore(worker.session, OfferReplied{worker.session, lease, taken, taken ? "" : "no credit"});
  if (!taken) return;
  worker.held[lease].task = offer.task;
  StartTicking(worker);
  const bool slow = Fault();  // So slow that it would be overtaken, if it did not report.
  OnWorker(worker, Millis(400), [this, lease, slow](Worker& one) {
    const auto it = one.held.find(lease);
    if (it == one.held.end()) return;  // Abandoned before it began.
    const Outcome outcome = OutcomeOf(it->second.task);
    OnWorker(one, slow ? absl::Seconds(20 + Pick(60)) : Millis(3'000),
             [this, outcome](Worker& later) { Finish(later, outcome); });
  });
}

void SimWorld::OnAck(Worker& worker, const SendReportAck& ack) {
  const auto found = worker.reports.find(ack.number);
  if (found == worker.reports.end()) return;
  const SentReport report = std::move(found->second);
  worker.reports.erase(worker.reports.begin(), std::next(found));
  worker.proven = std::max(worker.proven, report.sent);
  std::set<LeaseRef> kept;
  for (const auto& [lease, verdict] : ack.verdicts) {
    if (verdict == LeaseVerdict::kKeep) kept.insert(lease);
  }
  for (const LeaseRef& lease : report.leases) {
    if (!kept.contains(lease)) Abandon(worker, lease);
  }
}

// Its outcome finds no lease and is dropped.
void SimWorld::Abandon(Worker& worker, const LeaseRef& lease) { worker.held.erase(lease); }

void SimWorld::StartTicking(Worker& worker) {
  if (worker.ticking) return;
  worker.ticking = true;
  worker.proven = now_;  // As if it had reported all the while that it was idle.
  OnWorker(worker, kHeartbeat, [this](Worker& one) { Tick(one); });
}

void SimWorld::Tick(Worker& worker) {
  worker.ticking = false;
  if (std::exchange(worker.deaf_clock, false)) worker.proven = std::max(worker.proven, now_);
  if (!worker.held.empty() && now_ >= worker.proven + kSelfFence) worker.held.clear();
  if (worker.welcomed) Report(worker);
  if (worker.held.empty() && Chance(0.8)) return;  // Idle ones are let be, to save time.
  worker.ticking = true;
  const absl::Duration left = worker.proven + kSelfFence - now_;
  const absl::Duration next = left > absl::ZeroDuration() ? std::min(left, kHeartbeat) : kHeartbeat;
  OnWorker(worker, next, [this](Worker& one) { Tick(one); });
}

void SimWorld::Report(Worker& worker) {
  Reported report{worker.session, ++worker.last_report, {}};
  SentReport& sent = worker.reports[worker.last_report];
  sent.sent = now_;
  for (const auto& [lease, held] : worker.held) {
    report.leases.push_back({lease, LeasePhase::kReading, 1, 1});
    sent.leases.insert(lease);
  }
  ToCore(worker.session, report);
}

void SimWorld::Finish(Worker& worker, Outcome outcome) {
  const auto it = worker.held.find(outcome.lease);
  if (it == worker.held.end()) {
    // Nobody wants it any more; its files go, unless it died on the way.
    if (outcome.lease.fence > 0 && Chance(0.5)) {
      staged_.erase(outcome.lease.fence);
      DropFiles(outcome.lease.fence);
    }
    return;
  }
  if (it->second.stopped && Chance(0.7)) outcome.result = HandedBack{"stopped"};
  it->second.outcome = std::move(outcome);
  Deliver(worker);
}

// A unary call: it may be late, overtake the stream's frames, be lost either way, and come again.
void SimWorld::Deliver(Worker& worker) {
  if (!worker.welcomed || worker.delivering != 0) return;
  Delivered delivered{++calls_, worker.session, {}};
  for (const auto& [lease, held] : worker.held) {
    if (held.outcome.has_value()) delivered.outcomes.push_back(*held.outcome);
  }
  if (delivered.outcomes.empty()) return;
  worker.delivering = calls_;
  deliveries_[calls_] = {worker.name, worker.incarnation, delivered.outcomes};
  const int times = Fault() ? 2 : 1;  // Repeated on its way, which is more than gRPC does.
  for (int i = 0; i < times && !Fault(); ++i) {
    InProcess(Fault() ? Millis(40'000) : Millis(300), [this, delivered] { Feed({delivered}); });
  }
  OnWorker(worker, kDeliverTimeout, [this, call = calls_](Worker& one) {
    if (one.delivering != call) return;
    one.delivering = 0;
    Deliver(one);
  });
}

void SimWorld::PlayAnswer(const AnswerDeliver& answer) {
  const DeliverCall& call = deliveries_.at(answer.call);
  for (size_t i = 0; i < call.outcomes.size(); ++i) {  // I8
    const int64_t fence = call.outcomes[i].lease.fence;
    if (!answer.verdicts[i].ok()) ++counts_.refused_outcomes;
    const bool kept = std::holds_alternative<Manifest>(call.outcomes[i].result);
    if (answer.verdicts[i].ok() && kept && !recorded_.contains(fence))
      Fail(absl::StrCat("a manifest was acknowledged that no event has: fence ", fence));
  }
  const Worker* worker = FindWorker(call.worker, call.incarnation);
  if (worker == nullptr || Fault()) return;
  OnWorker(*worker, Millis(100), [this, answer, outcomes = call.outcomes](Worker& one) {
    if (one.delivering != answer.call) return;
    one.delivering = 0;
    for (size_t i = 0; i < outcomes.size(); ++i) Settle(one, outcomes[i].lease, answer.verdicts[i]);
    Deliver(one);
  });
}

void SimWorld::Settle(Worker& worker, const LeaseRef& lease, const absl::Status& verdict) {
  const auto it = worker.held.find(lease);
  if (it == worker.held.end() || DispositionOf(verdict.code()) == Disposition::kRetry) return;
  worker.held.erase(it);
}

}  // namespace headwater
