#include "common/model/write_proto.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/proto_check.h"

namespace headwater {
namespace {

absl::Status Unknown(absl::string_view field, int value) {
  return BadField(field, absl::StrCat("unknown value ", value));
}

absl::StatusOr<WriteMode> ModeFromProto(v1::WriteMode mode) {
  switch (mode) {
    case v1::WRITE_MODE_UNSPECIFIED:  // Before there were others.
    case v1::WRITE_MODE_REPLACE:
      return WriteMode::kReplace;
    case v1::WRITE_MODE_MERGE:
      return WriteMode::kMerge;
    case v1::WRITE_MODE_VERSIONS:
      return WriteMode::kVersions;
    default:
      return Unknown("write", mode);
  }
}

v1::WriteMode ModeToProto(WriteMode mode) {
  return mode == WriteMode::kReplace ? v1::WRITE_MODE_REPLACE
         : mode == WriteMode::kMerge ? v1::WRITE_MODE_MERGE
                                     : v1::WRITE_MODE_VERSIONS;
}

absl::StatusOr<MissingPolicy> MissingFromProto(v1::MissingPolicy policy) {
  switch (policy) {
    case v1::MISSING_POLICY_UNSPECIFIED:  // Before there were others.
    case v1::MISSING_POLICY_KEEP:
      return MissingPolicy::kKeep;
    case v1::MISSING_POLICY_MARK:
      return MissingPolicy::kMark;
    case v1::MISSING_POLICY_REMOVE:
      return MissingPolicy::kRemove;
    case v1::MISSING_POLICY_CLOSE:
      return MissingPolicy::kClose;
    default:
      return Unknown("on_missing", policy);
  }
}

v1::MissingPolicy MissingToProto(MissingPolicy policy) {
  switch (policy) {
    case MissingPolicy::kKeep:
      return v1::MISSING_POLICY_KEEP;
    case MissingPolicy::kMark:
      return v1::MISSING_POLICY_MARK;
    case MissingPolicy::kRemove:
      return v1::MISSING_POLICY_REMOVE;
    case MissingPolicy::kClose:
      return v1::MISSING_POLICY_CLOSE;
  }
  return v1::MISSING_POLICY_UNSPECIFIED;
}

absl::StatusOr<ChecksumKind> KindFromProto(v1::ChecksumKind kind) {
  switch (kind) {
    case v1::CHECKSUM_KIND_MD5:
      return ChecksumKind::kMd5;
    case v1::CHECKSUM_KIND_FAST:
      return ChecksumKind::kFast;
    case v1::CHECKSUM_KIND_COUNTS:
      return ChecksumKind::kCounts;
    case v1::CHECKSUM_KIND_UNSPECIFIED:  // Before there were others.
    case v1::CHECKSUM_KIND_NONE:
      return ChecksumKind::kNone;
    default:
      return Unknown("checksum", kind);
  }
}

v1::ChecksumKind KindToProto(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::kMd5:
      return v1::CHECKSUM_KIND_MD5;
    case ChecksumKind::kFast:
      return v1::CHECKSUM_KIND_FAST;
    case ChecksumKind::kCounts:
      return v1::CHECKSUM_KIND_COUNTS;
    case ChecksumKind::kNone:
      return v1::CHECKSUM_KIND_NONE;
  }
  return v1::CHECKSUM_KIND_UNSPECIFIED;
}

SystemColumns NamesFromProto(const v1::SystemColumns& names) {
  return {names.server_source(), names.loaded_at(),  names.microbatch(),
          names.row_hash(),      names.deleted_at(), names.valid_from(),
          names.valid_to(),      names.is_current(), names.confirmed_at()};
}

v1::SystemColumns NamesToProto(const SystemColumns& names) {
  v1::SystemColumns result;
  result.set_server_source(names.server_source);
  result.set_loaded_at(names.loaded_at);
  result.set_microbatch(names.microbatch);
  result.set_row_hash(names.row_hash);
  result.set_deleted_at(names.deleted_at);
  result.set_valid_from(names.valid_from);
  result.set_valid_to(names.valid_to);
  result.set_is_current(names.is_current);
  result.set_confirmed_at(names.confirmed_at);
  return result;
}

absl::Status CheckKeyed(const DatasetSpec& spec) {
  if (!spec.keyed()) return absl::OkStatus();
  if (spec.key_columns.empty()) return BadField("key_columns", "a keyed write needs a key");
  if (spec.partition_by.kind != Unit::Kind::kNone)
    return BadField("partition_by", "keyed tables are partitioned by server only");
  if (spec.write == WriteMode::kVersions &&
      (spec.system_columns.valid_from.empty() || spec.system_columns.valid_to.empty() ||
       spec.system_columns.is_current.empty() || spec.system_columns.confirmed_at.empty())) {
    return BadField("system_columns", "versions need all of their columns");
  }
  if (spec.on_missing == MissingPolicy::kMark && spec.system_columns.deleted_at.empty())
    return BadField("system_columns.deleted_at", "marking rows needs it");
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteFromProto(const v1::DatasetSpec& proto, DatasetSpec& spec) {
  ASSIGN_OR_RETURN(spec.write, ModeFromProto(proto.write()));
  ASSIGN_OR_RETURN(spec.on_missing, MissingFromProto(proto.on_missing()));
  spec.cursor_modified = proto.cursor_modified();
  spec.dedup_by = proto.dedup_by();
  spec.compared_columns.assign(proto.compared_columns().begin(), proto.compared_columns().end());
  spec.uncompared_columns.assign(proto.uncompared_columns().begin(),
                                 proto.uncompared_columns().end());
  ASSIGN_OR_RETURN(spec.checksum, KindFromProto(proto.checksum()));
  if (proto.has_force_after()) {
    ASSIGN_OR_RETURN(spec.force_after, FromProto("force_after", proto.force_after()));
  }
  if (proto.has_system_columns()) spec.system_columns = NamesFromProto(proto.system_columns());
  ASSIGN_OR_RETURN(const auto algorithm, AlgorithmFromProto(proto.hash_algorithm()));
  spec.hash_algorithm = algorithm.value_or(HashAlgorithm::kXxh3);  // Before there were others.
  return CheckKeyed(spec);
}

void WriteToProto(const DatasetSpec& spec, v1::DatasetSpec& proto) {
  proto.set_write(ModeToProto(spec.write));
  proto.set_on_missing(MissingToProto(spec.on_missing));
  proto.set_cursor_modified(spec.cursor_modified);
  proto.set_dedup_by(spec.dedup_by);
  *proto.mutable_compared_columns() = {spec.compared_columns.begin(), spec.compared_columns.end()};
  *proto.mutable_uncompared_columns() = {spec.uncompared_columns.begin(),
                                         spec.uncompared_columns.end()};
  proto.set_checksum(KindToProto(spec.checksum));
  if (spec.force_after != absl::InfiniteDuration())
    *proto.mutable_force_after() = ToProto(spec.force_after);
  *proto.mutable_system_columns() = NamesToProto(spec.system_columns);
  proto.set_hash_algorithm(AlgorithmToProto(spec.hash_algorithm));
}

absl::StatusOr<ExtentChecksum> ChecksumFromProto(const v1::ExtentChecksum& checksum) {
  ExtentChecksum result;
  ASSIGN_OR_RETURN(result.kind, KindFromProto(checksum.kind()));
  RETURN_IF_ERROR(CheckAtLeast("checksum.rows", checksum.rows(), 0));
  result.rows = checksum.rows();
  result.sum = checksum.sum();
  result.spec_version = checksum.spec_version();
  return result;
}

v1::ExtentChecksum ChecksumToProto(const ExtentChecksum& checksum) {
  v1::ExtentChecksum result;
  result.set_kind(KindToProto(checksum.kind));
  result.set_rows(checksum.rows);
  result.set_sum(checksum.sum);
  result.set_spec_version(checksum.spec_version);
  return result;
}

absl::StatusOr<KeyedChange> KeyedFromProto(const v1::KeyedChange& change) {
  KeyedChange result;
  result.replaced.assign(change.replaced().begin(), change.replaced().end());
  ASSIGN_OR_RETURN(result.files, FilesFromProto(change.files()));
  for (const int64_t rows : {change.new_rows(), change.changed_rows(), change.same_rows(),
                             change.deleted_rows(), change.table_rows(), change.duplicate_rows()}) {
    RETURN_IF_ERROR(CheckAtLeast("manifest.keyed rows", rows, 0));
  }
  result.new_rows = change.new_rows();
  result.changed_rows = change.changed_rows();
  result.same_rows = change.same_rows();
  result.deleted_rows = change.deleted_rows();
  result.table_rows = change.table_rows();
  result.duplicate_rows = change.duplicate_rows();
  return result;
}

v1::KeyedChange KeyedToProto(const KeyedChange& change) {
  v1::KeyedChange result;
  *result.mutable_replaced() = {change.replaced.begin(), change.replaced.end()};
  for (const StagedFile& file : change.files) *result.add_files() = FileToProto(file);
  result.set_new_rows(change.new_rows);
  result.set_changed_rows(change.changed_rows);
  result.set_same_rows(change.same_rows);
  result.set_deleted_rows(change.deleted_rows);
  result.set_table_rows(change.table_rows);
  result.set_duplicate_rows(change.duplicate_rows);
  return result;
}

absl::StatusOr<std::optional<HashAlgorithm>> AlgorithmFromProto(v1::HashAlgorithm algorithm) {
  switch (algorithm) {
    case v1::HASH_ALGORITHM_UNSPECIFIED:
      return std::nullopt;
    case v1::HASH_ALGORITHM_XXH3:
      return HashAlgorithm::kXxh3;
    case v1::HASH_ALGORITHM_MD5:
      return HashAlgorithm::kMd5;
    case v1::HASH_ALGORITHM_SHA256:
      return HashAlgorithm::kSha256;
    default:
      return Unknown("hash_algorithm", algorithm);
  }
}

v1::HashAlgorithm AlgorithmToProto(std::optional<HashAlgorithm> algorithm) {
  if (!algorithm.has_value()) return v1::HASH_ALGORITHM_UNSPECIFIED;
  switch (*algorithm) {
    case HashAlgorithm::kXxh3:
      return v1::HASH_ALGORITHM_XXH3;
    case HashAlgorithm::kMd5:
      return v1::HASH_ALGORITHM_MD5;
    case HashAlgorithm::kSha256:
      return v1::HASH_ALGORITHM_SHA256;
  }
  return v1::HASH_ALGORITHM_UNSPECIFIED;
}

// The wire's numbers are the enum's, in order.
absl::StatusOr<SystemColumn> SystemColumnFromProto(v1::SystemColumn column) {
  if (!v1::SystemColumn_IsValid(column)) return Unknown("column.system", column);
  return static_cast<SystemColumn>(column);
}

v1::SystemColumn SystemColumnToProto(SystemColumn column) {
  return static_cast<v1::SystemColumn>(column);
}

static_assert(static_cast<int>(SystemColumn::kNone) == v1::SYSTEM_COLUMN_UNSPECIFIED);
static_assert(static_cast<int>(SystemColumn::kConfirmedAt) == v1::SYSTEM_COLUMN_CONFIRMED_AT);

}  // namespace headwater
