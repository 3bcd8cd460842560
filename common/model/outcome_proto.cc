// What a worker hands in. The nouns it is made of: model_proto.cc.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "common/model/proto_check.h"
#include "common/model/write_proto.h"

namespace headwater {
namespace {

absl::StatusOr<FailureKind> KindFromProto(v1::FailureKind kind) {
  switch (kind) {
    case v1::FAILURE_KIND_SOURCE:
      return FailureKind::kSource;
    case v1::FAILURE_KIND_TASK:
      return FailureKind::kTask;
    case v1::FAILURE_KIND_WORKER_DEATH:
      return FailureKind::kWorkerDeath;
    case v1::FAILURE_KIND_DRAIN:
      return FailureKind::kDrain;
    default:
      return BadField("failure.kind", absl::StrCat("unknown value ", static_cast<int>(kind)));
  }
}

v1::FailureKind KindToProto(FailureKind kind) {
  switch (kind) {
    case FailureKind::kSource:
      return v1::FAILURE_KIND_SOURCE;
    case FailureKind::kTask:
      return v1::FAILURE_KIND_TASK;
    case FailureKind::kWorkerDeath:
      return v1::FAILURE_KIND_WORKER_DEATH;
    case FailureKind::kDrain:
      return v1::FAILURE_KIND_DRAIN;
  }
  return v1::FAILURE_KIND_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<TailCheck> TailFromProto(const v1::TailCheck& check) {
  TailCheck result;
  result.rows = check.rows();
  ASSIGN_OR_RETURN(result.range, FromProto(check.range()));
  RETURN_IF_ERROR(CheckAtLeast("tail.rows", check.rows(), 0));
  if (check.has_max_cursor()) result.max_cursor = check.max_cursor();
  if (check.has_checksum()) {
    ASSIGN_OR_RETURN(result.checksum, ChecksumFromProto(check.checksum()));
  }
  return result;
}

v1::TailCheck TailToProto(const TailCheck& check) {
  v1::TailCheck result;
  *result.mutable_range() = ToProto(check.range);
  result.set_rows(check.rows);
  if (check.max_cursor.has_value()) result.set_max_cursor(*check.max_cursor);
  if (check.checksum.has_value()) *result.mutable_checksum() = ChecksumToProto(*check.checksum);
  return result;
}

absl::StatusOr<ProbeResult> FromProto(const v1::ProbeResult& result) {
  ProbeResult probe;
  probe.transactions_known = result.transactions_known();
  ASSIGN_OR_RETURN(probe.cursor_type, FromProto(result.cursor_type()));
  ASSIGN_OR_RETURN(probe.schema, FromProto(result.schema()));
  if (!result.has_source_clock()) return BadField("source_clock", "is absent");
  ASSIGN_OR_RETURN(probe.source_clock, FromProto("source_clock", result.source_clock()));
  if (result.has_oldest_transaction()) {
    ASSIGN_OR_RETURN(probe.oldest_transaction,
                     FromProto("oldest_transaction", result.oldest_transaction()));
  }
  if (result.has_replay_time()) {
    ASSIGN_OR_RETURN(probe.replay_time, FromProto("replay_time", result.replay_time()));
  }
  if (result.has_minimum()) probe.minimum = result.minimum();
  if (result.has_bound()) probe.bound = result.bound();
  RETURN_IF_ERROR(CheckAtLeast("null_rows", result.null_rows(), 0));
  RETURN_IF_ERROR(CheckAtLeast("future_rows", result.future_rows(), 0));
  RETURN_IF_ERROR(CheckAtLeast("estimated_rows", result.estimated_rows(), -1));
  probe.null_rows = result.null_rows();
  probe.future_rows = result.future_rows();
  probe.estimated_rows = result.estimated_rows();
  probe.divisible = result.divisible();
  if (result.notices_size() > result.schema().columns_size()) {
    return BadField("notices",
                    absl::StrCat("expected at most one per column, found ", result.notices_size()));
  }
  probe.notices.assign(result.notices().begin(), result.notices().end());
  if (result.tail_size() > kMaxTail) {
    return BadField("tail", absl::StrCat("expected at most 8, found ", result.tail_size()));
  }
  for (const v1::TailCheck& check : result.tail()) {
    ASSIGN_OR_RETURN(TailCheck converted, TailFromProto(check));
    probe.tail.push_back(std::move(converted));
  }
  if (result.spread_size() > kMaxSpread) {
    return BadField(
        "spread", absl::StrCat("expected at most ", kMaxSpread, ", found ", result.spread_size()));
  }
  for (const v1::SpreadStep& step : result.spread()) {
    if (!(step.before() >= 0 && step.at() >= 0))
      return BadField("spread", "expected numbers of rows from 0 on");
    probe.spread.push_back({step.value(), step.before(), step.at()});
  }
  if (result.has_checksum()) {
    ASSIGN_OR_RETURN(probe.checksum, ChecksumFromProto(result.checksum()));
  }
  return probe;
}

v1::ProbeResult ToProto(const ProbeResult& result) {
  v1::ProbeResult probe;
  probe.set_cursor_type(ToProto(result.cursor_type));
  *probe.mutable_schema() = ToProto(result.schema);
  *probe.mutable_source_clock() = ToProto(result.source_clock);
  probe.set_transactions_known(result.transactions_known);
  if (result.oldest_transaction.has_value()) {
    *probe.mutable_oldest_transaction() = ToProto(*result.oldest_transaction);
  }
  if (result.replay_time.has_value()) *probe.mutable_replay_time() = ToProto(*result.replay_time);
  if (result.minimum.has_value()) probe.set_minimum(*result.minimum);
  if (result.bound.has_value()) probe.set_bound(*result.bound);
  probe.set_null_rows(result.null_rows);
  probe.set_future_rows(result.future_rows);
  for (const TailCheck& check : result.tail) *probe.add_tail() = TailToProto(check);
  probe.set_estimated_rows(result.estimated_rows);
  probe.set_divisible(result.divisible);
  for (const SpreadStep& step : result.spread) {
    v1::SpreadStep& added = *probe.add_spread();
    added.set_value(step.value);
    added.set_before(step.before);
    added.set_at(step.at);
  }
  for (const std::string& notice : result.notices) probe.add_notices(notice);
  if (result.checksum.has_value()) *probe.mutable_checksum() = ChecksumToProto(*result.checksum);
  return probe;
}

absl::StatusOr<Failure> FromProto(const v1::Failure& failure) {
  Failure result;
  ASSIGN_OR_RETURN(result.kind, KindFromProto(failure.kind()));
  if (failure.code() <= 0 ||
      failure.code() > static_cast<int>(absl::StatusCode::kUnauthenticated)) {
    return BadField("failure.code",
                    absl::StrCat("expected an error code of 1 to 16, found ", failure.code()));
  }
  result.status = absl::Status(static_cast<absl::StatusCode>(failure.code()), failure.message());
  return result;
}

v1::Failure ToProto(const Failure& failure) {
  v1::Failure result;
  result.set_kind(KindToProto(failure.kind));
  result.set_code(static_cast<int>(failure.status.code()));
  result.set_message(ValidUtf8(failure.status.message()));
  return result;
}

absl::StatusOr<Outcome> FromProto(const v1::Outcome& outcome) {
  Outcome result;
  ASSIGN_OR_RETURN(result.lease, FromProto(outcome.lease()));
  switch (outcome.result_case()) {
    case v1::Outcome::kManifest: {
      RETURN_IF_ERROR(CheckFence(result.lease, /*is_attempt=*/true));
      ASSIGN_OR_RETURN(Manifest manifest, FromProto(outcome.manifest()));
      RETURN_IF_ERROR(CheckFilesHoldAllRows(manifest));
      result.result = std::move(manifest);
      return result;
    }
    case v1::Outcome::kProbe: {
      RETURN_IF_ERROR(CheckFence(result.lease, /*is_attempt=*/false));
      ASSIGN_OR_RETURN(result.result, FromProto(outcome.probe()));
      return result;
    }
    case v1::Outcome::kVerification: {
      RETURN_IF_ERROR(CheckFence(result.lease, /*is_attempt=*/false));
      ASSIGN_OR_RETURN(Manifest manifest, FromProto(outcome.verification()));
      result.result = Verification{.manifest = std::move(manifest)};
      return result;
    }
    case v1::Outcome::kFailure: {
      ASSIGN_OR_RETURN(result.result, FromProto(outcome.failure()));
      return result;
    }
    case v1::Outcome::kHandedBack:
      result.result = HandedBack{.reason = outcome.handed_back().reason()};
      return result;
    case v1::Outcome::RESULT_NOT_SET:
      break;
  }
  return BadField("outcome.result", "is absent");
}

v1::Outcome ToProto(const Outcome& outcome) {
  struct Visitor {
    v1::Outcome& out;
    void operator()(const Manifest& manifest) { *out.mutable_manifest() = ToProto(manifest); }
    void operator()(const ProbeResult& probe) { *out.mutable_probe() = ToProto(probe); }
    void operator()(const Verification& verification) {
      *out.mutable_verification() = ToProto(verification.manifest);
    }
    void operator()(const Failure& failure) { *out.mutable_failure() = ToProto(failure); }
    void operator()(const HandedBack& back) {
      out.mutable_handed_back()->set_reason(ValidUtf8(back.reason));
    }
  };
  v1::Outcome result;
  *result.mutable_lease() = ToProto(outcome.lease);
  std::visit(Visitor{result}, outcome.result);
  return result;
}

}  // namespace headwater
