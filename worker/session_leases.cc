// Offers, reports, verdicts and outcomes: what a session does with its leases.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/disposition.h"
#include "common/base/log.h"
#include "common/model/model_proto.h"
#include "common/rpc/grpc_status.h"
#include "worker/session_client_impl.h"

namespace headwater {
namespace {

constexpr size_t kMaxReports = 64;       // Unacknowledged reports remembered.
constexpr size_t kMaxOutcomes = 256;     // In one Deliver call; a frame stays below the limit.
constexpr uint64_t kDeliverSeed = 0x64;  // Spreads deliveries apart from reconnects.

v1::Phase PhaseToProto(TaskPhase phase) {
  switch (phase) {
    case TaskPhase::kWaiting:
      return v1::PHASE_WAITING;
    case TaskPhase::kConnecting:
      return v1::PHASE_CONNECTING;
    case TaskPhase::kReading:
      return v1::PHASE_READING;
    case TaskPhase::kFinishing:
      return v1::PHASE_FINISHING;
  }
  return v1::PHASE_UNSPECIFIED;
}

}  // namespace

void SessionClient::Impl::Offers(const v1::Offers& offers) {
  for (const v1::NamedDatasetSpec& named : offers.datasets()) {
    absl::StatusOr<DatasetSpec> spec = FromProto(named.spec());
    if (spec.ok()) {
      specs[named.digest()] = std::make_shared<const DatasetSpec>(*std::move(spec));
    } else {
      Log(LogLevel::kError, "a dataset's spec was refused", {{"why", spec.status().ToString()}});
    }
  }
  v1::WorkerFrame frame;
  for (const v1::Offer& offer : offers.offers()) {
    v1::OfferReply& reply = *frame.mutable_replies()->add_replies();
    reply.mutable_lease()->set_task_id(offer.task().task_id());
    reply.mutable_lease()->set_fence(offer.task().fence());
    const std::string reason = Decline(offer);
    reply.set_accepted(reason.empty());
    reply.set_reason(reason);
  }
  stream->Write(std::move(frame));
}

std::string SessionClient::Impl::Decline(const v1::Offer& offer) {
  absl::StatusOr<TaskSpec> task = FromProto(offer.task());
  if (!task.ok()) return std::string(task.status().message());
  if (leases.contains(task->lease)) return "";  // Offered twice: it is held already.
  if (draining) return "draining";
  // A task whose outcome is under way has left its slot: the coordinator may have taken the
  // outcome, and offer the next task, before its answer is here.
  const int64_t unfinished = std::count_if(leases.begin(), leases.end(), [](const auto& entry) {
    return !entry.second.outcome.has_value();
  });
  if (unfinished >= options.slots + options.queue) return "no credit";
  const auto spec = specs.find(task->dataset_digest);
  if (spec == specs.end()) {
    return absl::StrCat("no valid spec has come for dataset ", task->dataset_digest);
  }
  leases.emplace(task->lease, Lease{});
  host->Take(*std::move(task), spec->second);
  return "";
}

void SessionClient::Impl::Report() {
  v1::WorkerFrame frame;
  v1::Report& report = *frame.mutable_report();
  report.set_number(++last_report);
  SentReport sent{.sent = options.clock->Now(), .leases = {}};
  for (const auto& [lease, state] : leases) {
    v1::LeaseReport& added = *report.add_leases();
    const TaskProgress progress = host->ProgressOf(lease);
    *added.mutable_lease() = ToProto(lease);
    added.set_phase(state.outcome.has_value() ? v1::PHASE_DELIVERING
                                              : PhaseToProto(progress.phase));
    added.set_rows(progress.rows);
    added.set_bytes(progress.bytes);
    sent.leases.insert(lease);
  }
  reports.emplace(last_report, std::move(sent));
  if (reports.size() > kMaxReports) reports.erase(reports.begin());
  report_at = options.clock->Now() + heartbeat;
  stream->Write(std::move(frame));
}

void SessionClient::Impl::Ack(const v1::ReportAck& ack) {
  const auto found = reports.find(ack.number());
  if (found == reports.end()) return;
  const SentReport report = std::move(found->second);
  reports.erase(reports.begin(), std::next(found));
  proven = std::max(proven, report.sent);
  std::set<LeaseRef> answered;
  for (const v1::LeaseVerdict& verdict : ack.verdicts()) {
    answered.insert({.task_id = verdict.lease().task_id(), .fence = verdict.lease().fence()});
    Obey(verdict);
  }
  for (const LeaseRef& lease : report.leases) {
    if (!answered.contains(lease)) Abandon(lease);
  }
}

void SessionClient::Impl::Obey(const v1::LeaseVerdict& verdict) {
  const LeaseRef lease{.task_id = verdict.lease().task_id(), .fence = verdict.lease().fence()};
  switch (verdict.verdict()) {
    case v1::VERDICT_KEEP:
      return;
    case v1::VERDICT_CANCEL:
      return host->Stop(lease);
    default:  // Also a verdict that this worker does not know: safety first.
      return Abandon(lease);
  }
}

void SessionClient::Impl::Abandon(const LeaseRef& lease) {
  if (leases.erase(lease) > 0) host->Stop(lease);  // Its outcome will find no lease and be dropped.
}

void SessionClient::Impl::AbandonAll() {
  for (const auto& [lease, state] : std::exchange(leases, {})) host->Stop(lease);
}

void SessionClient::Impl::SelfFence() {
  if (leases.empty()) return;
  Log(LogLevel::kWarning, "no report was acknowledged in time: stopping everything",
      {{"leases", absl::StrCat(leases.size())}});
  AbandonAll();
}

// ---- Outcomes ----

void SessionClient::Impl::Handle(TaskFinished event) {
  const auto found = leases.find(event.outcome.lease);
  if (found == leases.end()) return;
  found->second.outcome = std::move(event.outcome);
}

void SessionClient::Impl::DeliverOutcomes() {
  if (delivery != nullptr || !welcomed) return;
  auto next = std::make_unique<Delivery>();
  for (const auto& [lease, state] : leases) {
    if (!state.outcome.has_value() || next->leases.size() >= kMaxOutcomes) continue;
    *next->request.add_outcomes() = ToProto(*state.outcome);
    next->leases.push_back(lease);
    if (next->request.ByteSizeLong() > kMaxMessageBytes / 4) break;
  }
  if (next->leases.empty()) return;
  next->request.set_session_id(session_id);
  next->context.set_deadline(absl::ToChronoTime(absl::Now() + options.deliver_timeout));
  delivery = std::move(next);
  stub().async()->Deliver(
      &delivery->context, &delivery->request, &delivery->response,
      [this, sent = delivery.get()](grpc::Status status) {
        events.Push(DeliverAnswered{.status = FromGrpcStatus(status), .response = sent->response});
        sent->done.Notify();
      });
}

void SessionClient::Impl::Handle(DeliverAnswered event) {
  const std::unique_ptr<Delivery> answered = std::move(delivery);
  answered->done.WaitForNotification();
  const bool complete = event.status.ok() &&
                        event.response.verdicts_size() == static_cast<int>(answered->leases.size());
  if (complete) {
    failed_deliveries = 0;
    deliver_at = absl::InfinitePast();
    for (size_t i = 0; i < answered->leases.size(); ++i) {
      Settle(answered->leases[i], event.response.verdicts(static_cast<int>(i)));
    }
    return;
  }
  // Any error of the whole call: once more, until the leases are gone (self-fenced at the latest).
  ++failed_deliveries;
  deliver_at =
      options.clock->Now() + Backoff(failed_deliveries, seed ^ kDeliverSeed, options.reconnect);
  Log(LogLevel::kInfo, "outcomes were not delivered; trying again",
      {{"why", event.status.ToString()}});
}

void SessionClient::Impl::Settle(const LeaseRef& lease, const v1::ItemStatus& verdict) {
  const auto found = leases.find(lease);
  if (found == leases.end()) return;
  const auto code = static_cast<absl::StatusCode>(verdict.code());
  if (code != absl::StatusCode::kOk) {
    // A lease that is gone is everyday life: its run was cancelled, or it ran out.
    const bool gone = DispositionOf(code) == Disposition::kDrop;
    Log(gone ? LogLevel::kDebug : LogLevel::kWarning, "an outcome was refused",
        {{"task", lease.task_id}, {"why", verdict.message()}});
  }
  if (DispositionOf(code) == Disposition::kRetry) return;  // Stays, goes with the next delivery.
  const bool refused = code == absl::StatusCode::kInvalidArgument &&
                       !std::holds_alternative<Failure>(found->second.outcome->result);
  if (!refused) {
    leases.erase(found);
    return;
  }
  // What we made is not what the coordinator takes: say so, instead of letting the lease run out.
  found->second.outcome->result =
      Failure{.kind = FailureKind::kTask,
              .status = absl::InternalError(
                  absl::StrCat("the coordinator refused the outcome: ", verdict.message()))};
}

}  // namespace headwater
