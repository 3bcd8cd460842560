// Sessions, leases and outcomes.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/backoff.h"
#include "common/base/disposition.h"
#include "common/model/model_proto.h"
#include "common/model/write_proto.h"
#include "coordinator/core_impl.h"
#include "coordinator/plan/planner.h"

namespace headwater {
namespace {

absl::Status LeaseGone(const LeaseRef& ref) {
  return absl::FailedPreconditionError(absl::StrCat("task ", ref.task_id, " with fence ", ref.fence,
                                                    ": its lease is gone; drop the work"));
}

// The pieces that an attempt's manifest has. Of histories nothing is read.
std::vector<Extent> ReadOf(const Claim& claim) {
  return claim.histories ? std::vector<Extent>() : PiecesOf(claim.extent, claim.cuts);
}

}  // namespace

void Core::Impl::On(const SessionOpened& input) {
  Session& session = sessions[input.session];
  session = Session();
  session.hello = input.hello;
  SendWelcome welcome{input.session,
                      state->term(),
                      options.heartbeat,
                      options.lease_ttl,
                      options.self_fence_after,
                      {}};
  for (const LeaseRef& ref : input.hello.held) {
    const bool kept = leases.Adopt(ref, input.session, now + options.lease_ttl).ok();
    welcome.held.emplace_back(ref, kept ? LeaseVerdict::kKeep : LeaseVerdict::kAbandon);
  }
  Send(std::move(welcome));
}

void Core::Impl::On(const SessionClosed& input) {
  // Its leases stay until they run out: the worker may come back with them. What it had not
  // accepted goes back at once.
  for (const LeaseRef& ref : leases.HeldBy(input.session)) {
    const Lease lease = *leases.Find(ref);
    if (!lease.accepted)
      EndLease(lease, {FailureKind::kDrain, absl::UnavailableError("offer not accepted")});
  }
  sessions.erase(input.session);
}

void Core::Impl::On(const CreditChanged& input) {
  const auto it = sessions.find(input.session);
  if (it != sessions.end()) it->second.credit = std::max(0, input.tasks);
}

void Core::Impl::On(const DrainRequested& input) {
  const auto it = sessions.find(input.session);
  if (it == sessions.end()) return;
  it->second.draining = true;
  Send(SendDrain{input.session});
}

void Core::Impl::On(const OfferReplied& input) {
  if (input.accepted) {
    // A reply that comes too late finds no lease; the next report's ack tells the worker.
    (void)leases.Accept(input.lease, input.session, now + options.lease_ttl);
    return;
  }
  const Lease* lease = leases.Find(input.lease);
  if (lease == nullptr || lease->session != input.session) return;
  EndLease(Lease(*lease),
           {FailureKind::kDrain, absl::UnavailableError(absl::StrCat("declined: ", input.reason))});
}

void Core::Impl::On(const Reported& input) {
  SendReportAck ack{input.session, input.number, {}};
  std::set<LeaseRef> held;
  for (const LeaseReport& report : input.leases) {
    held.insert(report.lease);
    const bool keep = leases.Renew(report.lease, input.session, now + options.lease_ttl).ok();
    if (Lease* lease = leases.Find(report.lease); keep && lease != nullptr) {
      const absl::Time before = std::max(lease->reported, lease->since);
      if (now > before) {
        lease->rows_per_second =
            static_cast<double>(report.rows - lease->rows) / absl::ToDoubleSeconds(now - before);
      }
      lease->reported = now;
      lease->phase = report.phase;
      lease->rows = report.rows;
      lease->bytes = report.bytes;
    }
    ack.verdicts.emplace_back(report.lease, keep ? LeaseVerdict::kKeep : LeaseVerdict::kAbandon);
  }
  // What the worker accepted and no longer reports, it no longer does.
  for (const LeaseRef& ref : leases.HeldBy(input.session)) {
    const Lease lease = *leases.Find(ref);
    if (lease.accepted && !held.contains(ref)) {
      EndLease(lease, {FailureKind::kWorkerDeath,
                       absl::UnavailableError("its worker no longer holds it")});
    }
  }
  Send(std::move(ack));
}

void Core::Impl::ExpireLeases() {
  for (const Lease& lease : leases.Expire(now)) {
    const bool offered = !lease.accepted;
    EndLease(lease, {offered ? FailureKind::kDrain : FailureKind::kWorkerDeath,
                     absl::UnavailableError(offered ? "offer not accepted in time"
                                                    : "its worker was not heard of in time")});
  }
}

void Core::Impl::EndLease(const Lease& lease, const Failure& failure) {
  End(lease);
  if (failure.kind == FailureKind::kSource) TakeSourceFailure(lease, failure.status);
  const bool counted = failure.kind != FailureKind::kDrain;
  switch (lease.kind) {
    case TaskKind::kProbe:
      if (const auto it = probes.find(lease.dataset);
          it != probes.end() && it->second.task_id == lease.ref.task_id) {
        it->second.task_id.clear();
        if (counted) TakeProbeFailure(lease.dataset, failure);
      }
      break;
    case TaskKind::kVerification:
      TakeVerified(lease.ref.task_id, nullptr, &failure);
      break;
    case TaskKind::kMicrobatch:
      if (state->FindClaim(lease.ref.fence) == nullptr) break;
      if (counted) {
        FailAttempt(lease.ref.fence, failure);
      } else {
        Release(lease.ref.fence, std::string(failure.status.message()));
      }
      break;
  }
}

void Core::Impl::Release(int64_t fence, const std::string& reason) {
  v1::Event event;
  event.mutable_released()->set_fence(fence);
  event.mutable_released()->set_reason(reason);
  Emit(std::move(event));
}

void Core::Impl::FailAttempt(int64_t fence, const Failure& failure) {
  const DatasetState& dataset = *state->FindClaim(fence);
  const Claim& claim = dataset.claims.at(fence);
  if (claim.compaction) return FailCompaction(fence, failure);
  if (claim.histories) return FailMending(fence, failure);
  const Disposition disposition = DispositionOf(failure.status.code());
  if (disposition == Disposition::kDrop)
    return Release(fence, std::string(failure.status.message()));
  const Blocked* before = dataset.FindBlocked(claim.extent);
  // What no attempt can reach is no failure of this extent.
  const bool of_server = IsOfServer(dataset.spec.id, failure);
  const int attempts = (before == nullptr ? 0 : before->attempts) + (of_server ? 0 : 1);
  const int deaths = (before == nullptr ? 0 : before->deaths) +
                     (failure.kind == FailureKind::kWorkerDeath ? 1 : 0);
  const bool retried = disposition == Disposition::kRetry || disposition == Disposition::kInDoubt;
  v1::Event event;
  v1::AttemptFailed* failed = event.mutable_attempt_failed();
  failed->set_fence(fence);
  *failed->mutable_failure() = ToProto(failure);
  failed->set_attempts(attempts);
  failed->set_quarantined(!retried || attempts > dataset.spec.retries ||
                          deaths >= options.deaths_to_quarantine);
  // Before a server that nobody reaches, the gate waits.
  const absl::Duration wait =
      of_server ? absl::ZeroDuration()
                : Backoff(attempts, static_cast<uint64_t>(fence), {.base = options.backoff_base});
  *failed->mutable_not_before() = ToTimestamp(now + wait);
  const DatasetId id = dataset.spec.id;
  Emit(std::move(event));
  if (of_server) GiveUpServer(id);
}

void Core::Impl::On(const Delivered& input) {
  AnswerDeliver answer{input.call, {}};
  for (const Outcome& outcome : input.outcomes) answer.verdicts.push_back(Take(outcome));
  Send(std::move(answer));
}

absl::Status Core::Impl::Take(const Outcome& outcome) {
  const LeaseRef& ref = outcome.lease;
  if (taken.contains(ref.fence)) return absl::OkStatus();  // Handed in before: the same answer.
  const Lease* found = leases.Find(ref);
  if (found == nullptr) return LeaseGone(ref);
  const Lease lease = *found;
  if (const auto* probe = std::get_if<ProbeResult>(&outcome.result); probe != nullptr) {
    if (lease.kind != TaskKind::kProbe)
      return absl::InvalidArgumentError("a probe's result for another task");
    return TakeProbe(lease, *probe);
  }
  if (const auto* verified = std::get_if<Verification>(&outcome.result); verified != nullptr) {
    if (lease.kind != TaskKind::kVerification)
      return absl::InvalidArgumentError("a verification for another task");
    EndWell(lease);
    TakeVerified(ref.task_id, &verified->manifest, nullptr);
    return absl::OkStatus();
  }
  if (const auto* failure = std::get_if<Failure>(&outcome.result); failure != nullptr) {
    EndLease(lease, *failure);
    return absl::OkStatus();
  }
  if (const auto* back = std::get_if<HandedBack>(&outcome.result); back != nullptr) {
    EndLease(lease, {FailureKind::kDrain,
                     absl::UnavailableError(absl::StrCat("handed back: ", back->reason))});
    return absl::OkStatus();
  }
  if (lease.kind != TaskKind::kMicrobatch)
    return absl::InvalidArgumentError("a manifest for another task");
  const DatasetState* dataset = state->FindClaim(ref.fence);
  if (dataset == nullptr) return LeaseGone(ref);
  EndWell(lease);
  return TakeManifest(*dataset, dataset->claims.at(ref.fence), std::get<Manifest>(outcome.result));
}

absl::Status Core::Impl::TakeManifest(const DatasetState& dataset, const Claim& claim,
                                      const Manifest& manifest) {
  const int64_t fence = claim.fence;
  const std::vector<Extent> expected = ReadOf(claim);
  bool all_unchanged = true, same_pieces = expected.size() == manifest.pieces.size();
  for (size_t i = 0; same_pieces && i < expected.size(); ++i) {
    same_pieces = manifest.pieces[i].extent == expected[i];
    all_unchanged &= manifest.pieces[i].unchanged;
  }
  if (manifest.keyed.has_value() != (dataset.spec.keyed() && !claim.compaction)) {
    absl::Status wrong = absl::InternalError(
        absl::StrCat(ToString(dataset.spec.id), " ", Describe(dataset, claim.extent),
                     ": the manifest is not that of the write which the dataset asks for"));
    FailAttempt(fence, {FailureKind::kTask, wrong});
    return wrong;
  }
  if (!same_pieces) {
    absl::Status wrong = absl::InternalError(
        absl::StrCat(ToString(dataset.spec.id), " ", Describe(dataset, claim.extent),
                     ": the manifest's pieces are not those of the task (", manifest.pieces.size(),
                     " instead of ", expected.size(), ")"));
    FailAttempt(fence, {FailureKind::kTask, wrong});
    return wrong;
  }
  if (claim.compaction) {
    if (absl::Status same = CheckCompacted(dataset, claim, manifest); !same.ok()) {
      FailAttempt(fence, {FailureKind::kTask, same});
      return same;
    }
  }
  const auto gone = [&](const StagedPiece& piece) {
    return piece.unchanged && !dataset.Publishes(piece.extent, piece.fingerprint);
  };
  if (std::any_of(manifest.pieces.begin(), manifest.pieces.end(), gone)) {
    const std::string why = absl::StrCat(
        ToString(dataset.spec.id), " ", Describe(dataset, claim.extent),
        ": what it was compared with is gone from the table since; it is to be read again");
    FailAttempt(fence, {FailureKind::kTask, absl::AbortedError(why)});
    return absl::FailedPreconditionError(why);
  }
  taken.insert(fence);
  v1::Event event;
  // What is looked up by key may differ though its extent was read just so before.
  if (all_unchanged && (!manifest.keyed.has_value() || manifest.keyed->empty())) {
    event.mutable_confirmed()->set_fence(fence);
    event.mutable_confirmed()->set_rows_read(manifest.rows_read);
    event.mutable_confirmed()->set_bytes_read(manifest.bytes_read);
    event.mutable_confirmed()->set_rows_skipped(manifest.rows_skipped);
    if (manifest.keyed.has_value())
      event.mutable_confirmed()->set_rows_duplicate(manifest.keyed->duplicate_rows);
    for (const StagedPiece& piece : manifest.pieces) {
      const Piece* known =
          piece.extent.range.has_value() ? dataset.coverage.Find(*piece.extent.range) : nullptr;
      if (known == nullptr || !piece.checksum.has_value() || piece.checksum == known->checksum)
        continue;
      v1::StagedPiece* summed = event.mutable_confirmed()->add_checksums();
      *summed->mutable_extent() = ToProto(piece.extent);
      *summed->mutable_checksum() = ChecksumToProto(*piece.checksum);
    }
    if (manifest.empty_around.has_value())
      *event.mutable_confirmed()->mutable_empty_around() = ToProto(*manifest.empty_around);
  } else {
    event.mutable_staged()->set_fence(fence);
    *event.mutable_staged()->mutable_manifest() = ToProto(manifest);
  }
  Emit(std::move(event));
  return absl::OkStatus();
}

absl::Status Core::Impl::TakeProbe(const Lease& lease, const ProbeResult& result) {
  const DatasetId& id = lease.dataset;
  EndWell(lease);
  const auto it = probes.find(id);
  if (it == probes.end() || it->second.task_id != lease.ref.task_id) return LeaseGone(lease.ref);
  const ProbeWork work = std::move(it->second);
  probes.erase(it);
  const DatasetState& dataset = *state->FindDataset(id);
  absl::Status allowed = CheckPolicies(dataset, result);
  const absl::StatusOr<SchemaPlan> columns = PlanColumns(dataset, result);
  if (allowed.ok()) allowed = columns.status();
  if (!allowed.ok()) {
    FailDemands(id, work.run_ids, {FailureKind::kSource, allowed});
    AnswerPlanFailed(id, {FailureKind::kSource, allowed}, work.plans);
    return absl::OkStatus();
  }
  AnswerPlanned(id, result, columns->notices, work);
  // Only looked at; or a plan asked, and what the table has lost is not known yet: the run's own
  // probe comes after that.
  if (work.run_ids.empty() || unasked.contains(id.table)) return absl::OkStatus();
  v1::Event event;
  *event.mutable_probed()->mutable_dataset() = RefOf(id);
  *event.mutable_probed()->mutable_result() = ToProto(result);
  event.mutable_probed()->mutable_result()->clear_spread();  // Told, and of no use later.
  for (const std::string& run_id : work.run_ids) event.mutable_probed()->add_run_ids(run_id);
  event.mutable_probed()->set_asked_after(work.asked_after);
  for (std::string& notice : NewNotices(dataset, *columns))
    event.mutable_probed()->add_notices(std::move(notice));
  TakeColumns(id.table, columns->table);
  Emit(std::move(event));
  return absl::OkStatus();
}

void Core::Impl::TakeProbeFailure(const DatasetId& id, const Failure& failure) {
  ProbeWork& work = probes[id];
  work.task_id.clear();
  const Disposition disposition = DispositionOf(failure.status.code());
  if (disposition == Disposition::kDrop) return;  // Not its fault: offered again.
  if (IsOfServer(id, failure)) return GiveUpServer(id);
  ++work.failures;
  work.last_failure = failure.status;
  const bool retried = disposition == Disposition::kRetry || disposition == Disposition::kInDoubt;
  if (retried && work.failures <= state->FindDataset(id)->spec.retries) {
    work.not_before = now + Backoff(work.failures, id.table.size(), {.base = options.backoff_base});
    return;
  }
  const ProbeWork ended = std::move(work);
  probes.erase(id);
  FailDemands(id, ended.run_ids, failure);
  AnswerPlanFailed(id, failure, ended.plans);
}

}  // namespace headwater
