#include "coordinator/service/session_frames.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "common/model/proto_check.h"
#include "coordinator/service/session_service.h"

namespace headwater {
namespace {

absl::StatusOr<LeasePhase> PhaseFromProto(v1::Phase phase) {
  switch (phase) {
    case v1::PHASE_WAITING:
      return LeasePhase::kWaiting;
    case v1::PHASE_CONNECTING:
      return LeasePhase::kConnecting;
    case v1::PHASE_READING:
      return LeasePhase::kReading;
    case v1::PHASE_FINISHING:
      return LeasePhase::kFinishing;
    case v1::PHASE_DELIVERING:
      return LeasePhase::kDelivering;
    default:
      return BadField("report.phase", absl::StrCat("unknown value ", static_cast<int>(phase)));
  }
}

v1::Verdict VerdictToProto(LeaseVerdict verdict) {
  switch (verdict) {
    case LeaseVerdict::kKeep:
      return v1::VERDICT_KEEP;
    case LeaseVerdict::kCancel:
      return v1::VERDICT_CANCEL;
    case LeaseVerdict::kAbandon:
      return v1::VERDICT_ABANDON;
  }
  return v1::VERDICT_UNSPECIFIED;
}

template <typename Verdicts>
void AddVerdicts(const std::vector<std::pair<LeaseRef, LeaseVerdict>>& verdicts, Verdicts* out) {
  for (const auto& [lease, verdict] : verdicts) {
    v1::LeaseVerdict& added = *out->Add();
    *added.mutable_lease() = ToProto(lease);
    added.set_verdict(VerdictToProto(verdict));
  }
}

absl::StatusOr<Input> ReportToInput(const SessionId& session, const v1::Report& report) {
  Reported input{.session = session, .number = report.number(), .leases = {}};
  for (const v1::LeaseReport& lease : report.leases()) {
    LeaseReport converted;
    ASSIGN_OR_RETURN(converted.lease, FromProto(lease.lease()));
    ASSIGN_OR_RETURN(converted.phase, PhaseFromProto(lease.phase()));
    RETURN_IF_ERROR(CheckAtLeast("report.rows", lease.rows(), 0));
    RETURN_IF_ERROR(CheckAtLeast("report.bytes", lease.bytes(), 0));
    converted.rows = lease.rows();
    converted.bytes = lease.bytes();
    input.leases.push_back(std::move(converted));
  }
  return input;
}

void Fill(const SendWelcome& effect, v1::CoordinatorFrame& frame) {
  v1::Welcome& welcome = *frame.mutable_welcome();
  welcome.set_protocol(kProtocolMax);
  welcome.set_session_id(effect.session);
  welcome.set_term(effect.term);
  *welcome.mutable_heartbeat() = ToProto(effect.heartbeat);
  *welcome.mutable_lease_ttl() = ToProto(effect.lease_ttl);
  *welcome.mutable_self_fence_after() = ToProto(effect.self_fence_after);
  AddVerdicts(effect.held, welcome.mutable_held());
}

void Fill(const SendOffer& effect, v1::CoordinatorFrame& frame) {
  v1::Offers& offers = *frame.mutable_offers();
  if (effect.spec.has_value()) {
    v1::NamedDatasetSpec& named = *offers.add_datasets();
    named.set_digest(effect.task.dataset_digest);
    *named.mutable_spec() = ToProto(*effect.spec);
  }
  v1::Offer& offer = *offers.add_offers();
  *offer.mutable_task() = ToProto(effect.task);
  *offer.mutable_accept_within() = ToProto(effect.accept_within);
}

void Fill(const SendReportAck& effect, v1::CoordinatorFrame& frame) {
  frame.mutable_report_ack()->set_number(effect.number);
  AddVerdicts(effect.verdicts, frame.mutable_report_ack()->mutable_verdicts());
}

void Fill(const SendCancel& effect, v1::CoordinatorFrame& frame) {
  for (const LeaseRef& lease : effect.leases) {
    *frame.mutable_cancel()->add_leases() = ToProto(lease);
  }
}

void Fill(const SendDrain&, v1::CoordinatorFrame& frame) { frame.mutable_drain(); }

}  // namespace

absl::StatusOr<SessionOpened> HelloToInput(const SessionId& session, const v1::Hello& hello) {
  RETURN_IF_ERROR(CheckNotEmpty("hello.worker_name", hello.worker_name()));
  RETURN_IF_ERROR(CheckNotEmpty("hello.boot_id", hello.boot_id()));
  RETURN_IF_ERROR(CheckAtLeast("hello.slots", hello.slots(), 1));
  if (hello.protocol_min() > kProtocolMax || hello.protocol_max() < kProtocolMin ||
      hello.protocol_min() > hello.protocol_max()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "worker ", hello.worker_name(), " (build ", hello.build(), ") speaks protocol ",
        hello.protocol_min(), " to ", hello.protocol_max(), ", this coordinator ", kProtocolMin,
        " to ", kProtocolMax, ": install the same version of headwater on both"));
  }
  SessionOpened input;
  input.session = session;
  input.hello.name = hello.worker_name();
  input.hello.boot_id = hello.boot_id();
  input.hello.slots = hello.slots();
  for (const std::string& glob : hello.reachable_servers()) {
    RETURN_IF_ERROR(CheckNotEmpty("hello.reachable_servers", glob));
    input.hello.reachable_servers.push_back(glob);
  }
  input.hello.drivers.assign(hello.drivers().begin(), hello.drivers().end());
  for (const v1::LeaseRef& lease : hello.held()) {
    ASSIGN_OR_RETURN(LeaseRef converted, FromProto(lease));
    input.hello.held.push_back(std::move(converted));
  }
  return input;
}

absl::StatusOr<std::vector<Input>> FrameToInputs(const SessionId& session,
                                                 const v1::WorkerFrame& frame) {
  std::vector<Input> inputs;
  switch (frame.frame_case()) {
    case v1::WorkerFrame::kCredit:
      RETURN_IF_ERROR(CheckAtLeast("credit.tasks", frame.credit().tasks(), 0));
      inputs.push_back(CreditChanged{.session = session, .tasks = frame.credit().tasks()});
      return inputs;
    case v1::WorkerFrame::kReplies:
      for (const v1::OfferReply& reply : frame.replies().replies()) {
        OfferReplied input;
        input.session = session;
        ASSIGN_OR_RETURN(input.lease, FromProto(reply.lease()));
        input.accepted = reply.accepted();
        input.reason = reply.reason();
        inputs.push_back(std::move(input));
      }
      return inputs;
    case v1::WorkerFrame::kReport: {
      ASSIGN_OR_RETURN(Input report, ReportToInput(session, frame.report()));
      inputs.push_back(std::move(report));
      return inputs;
    }
    case v1::WorkerFrame::kDrainIntent:
      inputs.push_back(DrainRequested{.session = session});
      return inputs;
    case v1::WorkerFrame::kGoodbye:
      return inputs;
    case v1::WorkerFrame::kHello:
      return BadField("frame", "a second Hello on one stream");
    case v1::WorkerFrame::FRAME_NOT_SET:
      break;
  }
  return BadField("frame", "is empty, or of a kind that this coordinator does not know");
}

v1::CoordinatorFrame TakeFrame(std::deque<SessionEffect>& effects) {
  v1::CoordinatorFrame frame;
  const size_t kind = effects.front().index();
  const bool joins = std::holds_alternative<SendOffer>(effects.front()) ||
                     std::holds_alternative<SendCancel>(effects.front());
  do {
    std::visit([&](const auto& effect) { Fill(effect, frame); }, effects.front());
    effects.pop_front();
  } while (joins && !effects.empty() && effects.front().index() == kind &&
           frame.offers().offers_size() < kMaxOffers);
  return frame;
}

}  // namespace headwater
