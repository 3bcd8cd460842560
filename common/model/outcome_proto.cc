// What a worker hands in. The nouns it is made of: model_proto.cc.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "common/model/proto_check.h"
#include "common/model/write_proto.h"

namespace headwater {
namespace {

// A path that stays inside the table's folder on every platform and object store.
absl::Status CheckPath(absl::string_view path) {
  RETURN_IF_ERROR(CheckNotEmpty("file.path", path));
  for (absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return BadField("file.path", absl::StrCat("expected a relative path without empty, '.' or "
                                                "'..' parts, found '",
                                                path, "'"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<StagedFile> FileFromProto(const v1::StagedFile& file) {
  RETURN_IF_ERROR(CheckPath(file.path()));
  RETURN_IF_ERROR(CheckAtLeast("file.size_bytes", file.size_bytes(), 1));
  RETURN_IF_ERROR(CheckAtLeast("file.rows", file.rows(), 1));
  StagedFile result;
  result.path = file.path();
  result.size_bytes = file.size_bytes();
  result.rows = file.rows();
  for (const v1::StagedFile::PartitionValue& value : file.partition_values()) {
    RETURN_IF_ERROR(CheckNotEmpty("file.partition_values.column", value.column()));
    result.partition_values.emplace_back(
        value.column(), value.has_value() ? std::optional(value.value()) : std::nullopt);
  }
  result.stats_json = file.stats_json();
  result.spec_version = file.spec_version();
  return result;
}

}  // namespace

v1::StagedFile FileToProto(const StagedFile& file) {
  v1::StagedFile result;
  result.set_path(file.path);
  result.set_size_bytes(file.size_bytes);
  result.set_rows(file.rows);
  for (const auto& [column, value] : file.partition_values) {
    v1::StagedFile::PartitionValue& added = *result.add_partition_values();
    added.set_column(column);
    if (value.has_value()) added.set_value(*value);
  }
  result.set_stats_json(file.stats_json);
  result.set_spec_version(file.spec_version);
  return result;
}

absl::StatusOr<std::vector<StagedFile>> FilesFromProto(
    const google::protobuf::RepeatedPtrField<v1::StagedFile>& files) {
  std::vector<StagedFile> result;
  for (const v1::StagedFile& file : files) {
    ASSIGN_OR_RETURN(StagedFile converted, FileFromProto(file));
    result.push_back(std::move(converted));
  }
  return result;
}

namespace {

absl::StatusOr<StagedPiece> PieceFromProto(const v1::StagedPiece& piece) {
  StagedPiece result;
  result.unchanged = piece.unchanged();
  ASSIGN_OR_RETURN(result.extent, FromProto(piece.extent()));
  ASSIGN_OR_RETURN(result.fingerprint, CheckedFingerprint(piece.fingerprint()));
  if (piece.has_max_cursor()) {
    if (!result.extent.range.has_value() || !result.extent.range->Contains(piece.max_cursor())) {
      return BadField("piece.max_cursor",
                      absl::StrCat(piece.max_cursor(), " is not in the piece's range"));
    }
    result.max_cursor = piece.max_cursor();
  }
  if (piece.unchanged() && (!piece.files().empty() || !piece.bad_files().empty())) {
    return BadField("piece.files", "an unchanged piece has no files");
  }
  if (piece.bad_rows() < 0 || piece.bad_rows() > result.fingerprint.rows) {
    return BadField("piece.bad_rows", absl::StrCat("expected 0 to ", result.fingerprint.rows,
                                                   ", found ", piece.bad_rows()));
  }
  result.bad_rows = piece.bad_rows();
  ASSIGN_OR_RETURN(result.files, FilesFromProto(piece.files()));
  ASSIGN_OR_RETURN(result.bad_files, FilesFromProto(piece.bad_files()));
  if (piece.has_checksum()) {
    ASSIGN_OR_RETURN(result.checksum, ChecksumFromProto(piece.checksum()));
  }
  return result;
}

v1::StagedPiece PieceToProto(const StagedPiece& piece) {
  v1::StagedPiece result;
  *result.mutable_extent() = ToProto(piece.extent);
  *result.mutable_fingerprint() = ToProto(piece.fingerprint);
  if (piece.max_cursor.has_value()) result.set_max_cursor(*piece.max_cursor);
  result.set_unchanged(piece.unchanged);
  for (const StagedFile& file : piece.files) *result.add_files() = FileToProto(file);
  result.set_bad_rows(piece.bad_rows);
  for (const StagedFile& file : piece.bad_files) *result.add_bad_files() = FileToProto(file);
  if (piece.checksum.has_value()) *result.mutable_checksum() = ChecksumToProto(*piece.checksum);
  return result;
}

// Pieces never overlap: not in their ranges, and not in the outside rows.
absl::Status CheckDisjoint(const std::vector<StagedPiece>& pieces) {
  std::vector<Range> ranges;
  int outside = 0;
  for (const StagedPiece& piece : pieces) {
    if (piece.extent.range.has_value()) ranges.push_back(*piece.extent.range);
    if (piece.extent.outside) ++outside;
  }
  if (outside > 1) return BadField("manifest.pieces", "two pieces hold the outside rows");
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.from < b.from; });
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i - 1].Overlaps(ranges[i])) {
      return BadField("manifest.pieces", absl::StrCat("pieces overlap at ", ranges[i].from));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRows(absl::string_view field, const std::vector<StagedFile>& files,
                       int64_t expected) {
  int64_t rows = 0;
  for (const StagedFile& file : files) rows += file.rows;
  if (rows == expected) return absl::OkStatus();
  return BadField(field,
                  absl::StrCat("expected ", expected, " rows as fingerprinted, found ", rows));
}

// A microbatch's files hold exactly the rows that were fingerprinted; of a keyed write no piece has
// files.
absl::Status CheckFilesHoldAllRows(const Manifest& manifest) {
  for (const StagedPiece& piece : manifest.pieces) {
    if (piece.unchanged) continue;
    const int64_t in_files =
        manifest.keyed.has_value() ? 0 : piece.fingerprint.rows - piece.bad_rows;
    RETURN_IF_ERROR(CheckRows("manifest.pieces.files", piece.files, in_files));
    RETURN_IF_ERROR(CheckRows("manifest.pieces.bad_files", piece.bad_files, piece.bad_rows));
  }
  return absl::OkStatus();
}

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
    TailCheck converted;
    converted.rows = check.rows();
    ASSIGN_OR_RETURN(converted.range, FromProto(check.range()));
    RETURN_IF_ERROR(CheckAtLeast("tail.rows", check.rows(), 0));
    if (check.has_max_cursor()) converted.max_cursor = check.max_cursor();
    probe.tail.push_back(converted);
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
  for (const TailCheck& check : result.tail) {
    v1::TailCheck& added = *probe.add_tail();
    *added.mutable_range() = ToProto(check.range);
    added.set_rows(check.rows);
    if (check.max_cursor.has_value()) added.set_max_cursor(*check.max_cursor);
  }
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

absl::StatusOr<Manifest> FromProto(const v1::Manifest& manifest) {
  Manifest result;
  result.rows_read = manifest.rows_read();
  result.bytes_read = manifest.bytes_read();
  result.bytes_staged = manifest.bytes_staged();
  result.spec_version = manifest.spec_version();
  RETURN_IF_ERROR(CheckAtLeast("manifest.rows_read", manifest.rows_read(), 0));
  RETURN_IF_ERROR(CheckAtLeast("manifest.bytes_read", manifest.bytes_read(), 0));
  RETURN_IF_ERROR(CheckAtLeast("manifest.bytes_staged", manifest.bytes_staged(), 0));
  result.truncated_values = manifest.truncated_values();
  RETURN_IF_ERROR(CheckAtLeast("manifest.truncated_values", manifest.truncated_values(), 0));
  RETURN_IF_ERROR(CheckNotEmpty("manifest.spec_version", manifest.spec_version()));
  ASSIGN_OR_RETURN(result.schema, FromProto(manifest.schema()));
  MarkUnmarked(result.schema);
  for (const v1::StagedPiece& piece : manifest.pieces()) {
    ASSIGN_OR_RETURN(StagedPiece converted, PieceFromProto(piece));
    result.pieces.push_back(std::move(converted));
  }
  RETURN_IF_ERROR(CheckDisjoint(result.pieces));
  if (manifest.has_empty_around()) {
    ASSIGN_OR_RETURN(result.empty_around, FromProto(manifest.empty_around()));
  }
  if (manifest.has_keyed()) {
    ASSIGN_OR_RETURN(result.keyed, KeyedFromProto(manifest.keyed()));
  }
  result.rows_skipped = manifest.rows_skipped();
  RETURN_IF_ERROR(CheckAtLeast("manifest.rows_skipped", manifest.rows_skipped(), 0));
  return result;
}

v1::Manifest ToProto(const Manifest& manifest) {
  v1::Manifest result;
  for (const StagedPiece& piece : manifest.pieces) *result.add_pieces() = PieceToProto(piece);
  *result.mutable_schema() = ToProto(manifest.schema);
  result.set_rows_read(manifest.rows_read);
  result.set_bytes_read(manifest.bytes_read);
  result.set_bytes_staged(manifest.bytes_staged);
  result.set_spec_version(manifest.spec_version);
  result.set_truncated_values(manifest.truncated_values);
  if (manifest.empty_around.has_value())
    *result.mutable_empty_around() = ToProto(*manifest.empty_around);
  if (manifest.keyed.has_value()) *result.mutable_keyed() = KeyedToProto(*manifest.keyed);
  result.set_rows_skipped(manifest.rows_skipped);
  return result;
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
