// What a worker is offered. The nouns it is made of: model_proto.cc; what comes back:
// outcome_proto.cc.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "common/model/proto_check.h"
#include "common/model/write_proto.h"

namespace headwater {
namespace {

absl::StatusOr<ProbeTask> ProbeFromProto(const v1::ProbeTask& probe) {
  if (probe.tail_size() > kMaxTail) {
    return BadField("probe.tail", absl::StrCat("expected at most 8, found ", probe.tail_size()));
  }
  ProbeTask result;
  for (const v1::Range& range : probe.tail()) {
    ASSIGN_OR_RETURN(Range converted, FromProto(range));
    result.tail.push_back(converted);
  }
  result.estimates = probe.estimates();
  result.checksum = probe.checksum();
  if (probe.known_tail_size() > kMaxTail) {
    return BadField("probe.known_tail",
                    absl::StrCat("expected at most 8, found ", probe.known_tail_size()));
  }
  for (const v1::TailCheck& known : probe.known_tail()) {
    ASSIGN_OR_RETURN(TailCheck converted, TailFromProto(known));
    result.known_tail.push_back(std::move(converted));
  }
  if (probe.has_table_schema()) {
    ASSIGN_OR_RETURN(result.table_schema, FromProto(probe.table_schema()));
  }
  return result;
}

// VerificationTask has the same first fields as MicrobatchTask.
template <typename Task, typename Proto>
absl::StatusOr<Task> ReadFromProto(const Proto& task) {
  Task result;
  ASSIGN_OR_RETURN(result.extent, FromProto(task.extent()));
  result.cuts.assign(task.cuts().begin(), task.cuts().end());
  RETURN_IF_ERROR(CheckCuts("task.cuts", result.extent, result.cuts));
  ASSIGN_OR_RETURN(result.cursor_type, FromProto(task.cursor_type()));
  result.domain_end = task.domain_end();
  if (task.has_table_schema()) {
    ASSIGN_OR_RETURN(result.table_schema, FromProto(task.table_schema()));
  }
  return result;
}

absl::StatusOr<std::vector<KnownPiece>> KnownFromProto(
    const google::protobuf::RepeatedPtrField<v1::KnownPiece>& pieces) {
  std::vector<KnownPiece> result;
  for (const v1::KnownPiece& piece : pieces) {
    RETURN_IF_ERROR(CheckNotEmpty("known.spec_version", piece.spec_version()));
    KnownPiece known;
    known.spec_version = piece.spec_version();
    ASSIGN_OR_RETURN(known.extent, FromProto(piece.extent()));
    ASSIGN_OR_RETURN(known.fingerprint, CheckedFingerprint(piece.fingerprint()));
    if (piece.has_checksum()) {
      ASSIGN_OR_RETURN(known.checksum, ChecksumFromProto(piece.checksum()));
    }
    result.push_back(std::move(known));
  }
  return result;
}

void KnownToProto(const std::vector<KnownPiece>& pieces,
                  google::protobuf::RepeatedPtrField<v1::KnownPiece>* result) {
  for (const KnownPiece& piece : pieces) {
    v1::KnownPiece& known = *result->Add();
    *known.mutable_extent() = ToProto(piece.extent);
    *known.mutable_fingerprint() = ToProto(piece.fingerprint);
    known.set_spec_version(piece.spec_version);
    if (piece.checksum.has_value()) *known.mutable_checksum() = ChecksumToProto(*piece.checksum);
  }
}

// Present also where the table has nothing yet.
template <typename Task, typename Proto>
absl::Status TakeBase(const Proto& task, Task& result) {
  if (!task.has_base()) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<StagedFile> files, FilesFromProto(task.base().files()));
  result.base = TableBase{std::move(files)};
  return absl::OkStatus();
}

template <typename Task, typename Proto>
void PutBase(const Task& task, Proto& result) {
  if (!task.base.has_value()) return;
  result.mutable_base();
  for (const StagedFile& file : task.base->files)
    *result.mutable_base()->add_files() = FileToProto(file);
}

absl::StatusOr<MicrobatchTask> MicrobatchFromProto(const v1::MicrobatchTask& task) {
  ASSIGN_OR_RETURN(MicrobatchTask result, ReadFromProto<MicrobatchTask>(task));
  ASSIGN_OR_RETURN(result.known, KnownFromProto(task.known()));
  RETURN_IF_ERROR(CheckAtLeast("task.connections", task.connections(), 0));
  result.connections = std::max(1, task.connections());
  ASSIGN_OR_RETURN(result.inputs, FilesFromProto(task.inputs()));
  result.look_around = task.look_around();
  result.checksums = task.checksums();
  result.differing = task.differing();
  result.histories = task.histories();
  ASSIGN_OR_RETURN(result.hash_algorithm, AlgorithmFromProto(task.hash_algorithm()));
  RETURN_IF_ERROR(TakeBase(task, result));
  return result;
}

absl::StatusOr<VerificationTask> VerificationFromProto(const v1::VerificationTask& task) {
  ASSIGN_OR_RETURN(VerificationTask result, ReadFromProto<VerificationTask>(task));
  ASSIGN_OR_RETURN(result.known, KnownFromProto(task.known()));
  result.counts_only = task.counts_only();
  result.histories = task.histories();
  ASSIGN_OR_RETURN(result.hash_algorithm, AlgorithmFromProto(task.hash_algorithm()));
  RETURN_IF_ERROR(TakeBase(task, result));
  return result;
}

template <typename Task, typename Proto>
void ReadToProto(const Task& task, Proto& result) {
  *result.mutable_extent() = ToProto(task.extent);
  result.mutable_cuts()->Assign(task.cuts.begin(), task.cuts.end());
  result.set_cursor_type(ToProto(task.cursor_type));
  result.set_domain_end(task.domain_end);
  if (!task.table_schema.columns.empty())
    *result.mutable_table_schema() = ToProto(task.table_schema);
}

void KindToProto(const ProbeTask& task, v1::TaskSpec& result) {
  v1::ProbeTask& probe = *result.mutable_probe();
  for (const Range& range : task.tail) *probe.add_tail() = ToProto(range);
  probe.set_estimates(task.estimates);
  probe.set_checksum(task.checksum);
  for (const TailCheck& known : task.known_tail) *probe.add_known_tail() = TailToProto(known);
  if (!task.table_schema.columns.empty())
    *probe.mutable_table_schema() = ToProto(task.table_schema);
}

void KindToProto(const MicrobatchTask& task, v1::TaskSpec& result) {
  v1::MicrobatchTask& microbatch = *result.mutable_microbatch();
  ReadToProto(task, microbatch);
  KnownToProto(task.known, microbatch.mutable_known());
  microbatch.set_connections(task.connections);
  for (const StagedFile& file : task.inputs) *microbatch.add_inputs() = FileToProto(file);
  microbatch.set_look_around(task.look_around);
  microbatch.set_checksums(task.checksums);
  microbatch.set_differing(task.differing);
  microbatch.set_histories(task.histories);
  microbatch.set_hash_algorithm(AlgorithmToProto(task.hash_algorithm));
  PutBase(task, microbatch);
}

void KindToProto(const VerificationTask& task, v1::TaskSpec& result) {
  v1::VerificationTask& verification = *result.mutable_verification();
  ReadToProto(task, verification);
  KnownToProto(task.known, verification.mutable_known());
  verification.set_counts_only(task.counts_only);
  verification.set_histories(task.histories);
  verification.set_hash_algorithm(AlgorithmToProto(task.hash_algorithm));
  PutBase(task, verification);
}

}  // namespace

absl::StatusOr<LeaseRef> FromProto(const v1::LeaseRef& lease) {
  RETURN_IF_ERROR(CheckNotEmpty("task_id", lease.task_id()));
  RETURN_IF_ERROR(CheckAtLeast("fence", lease.fence(), 0));
  return LeaseRef{.task_id = lease.task_id(), .fence = lease.fence()};
}

v1::LeaseRef ToProto(const LeaseRef& lease) {
  v1::LeaseRef result;
  result.set_task_id(lease.task_id);
  result.set_fence(lease.fence);
  return result;
}

absl::StatusOr<TaskSpec> FromProto(const v1::TaskSpec& task) {
  RETURN_IF_ERROR(CheckNotEmpty("task_id", task.task_id()));
  RETURN_IF_ERROR(CheckAtLeast("fence", task.fence(), 0));
  RETURN_IF_ERROR(CheckNotEmpty("dataset_digest", task.dataset_digest()));
  TaskSpec result;
  result.lease = {.task_id = task.task_id(), .fence = task.fence()};
  result.dataset_digest = task.dataset_digest();
  result.run_id = task.run_id();
  RETURN_IF_ERROR(CheckFence(result.lease, task.has_microbatch()));
  switch (task.kind_case()) {
    case v1::TaskSpec::kProbe: {
      ASSIGN_OR_RETURN(result.kind, ProbeFromProto(task.probe()));
      return result;
    }
    case v1::TaskSpec::kMicrobatch: {
      ASSIGN_OR_RETURN(result.kind, MicrobatchFromProto(task.microbatch()));
      return result;
    }
    case v1::TaskSpec::kVerification: {
      ASSIGN_OR_RETURN(result.kind, VerificationFromProto(task.verification()));
      return result;
    }
    case v1::TaskSpec::KIND_NOT_SET:
      break;
  }
  return BadField("task.kind", "is absent");
}

v1::TaskSpec ToProto(const TaskSpec& task) {
  v1::TaskSpec result;
  result.set_task_id(task.lease.task_id);
  result.set_fence(task.lease.fence);
  result.set_dataset_digest(task.dataset_digest);
  result.set_run_id(task.run_id);
  std::visit([&](const auto& kind) { KindToProto(kind, result); }, task.kind);
  return result;
}

}  // namespace headwater
