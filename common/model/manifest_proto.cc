// What an attempt staged, and what a verification found. The nouns it is made of: model_proto.cc.
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
  if (piece.has_files_fingerprint()) {
    ASSIGN_OR_RETURN(result.files_fingerprint, CheckedFingerprint(piece.files_fingerprint()));
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
  if (piece.files_fingerprint.has_value())
    *result.mutable_files_fingerprint() = ToProto(*piece.files_fingerprint);
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

}  // namespace

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

absl::StatusOr<Difference> FromProto(const v1::Difference& difference) {
  Difference result;
  switch (difference.kind()) {
    case v1::Difference::KIND_NOT_IN_TABLE:
      result.kind = Difference::Kind::kNotInTable;
      break;
    case v1::Difference::KIND_NOT_IN_SOURCE:
      result.kind = Difference::Kind::kNotInSource;
      break;
    case v1::Difference::KIND_CONTENT:
      result.kind = Difference::Kind::kContent;
      break;
    case v1::Difference::KIND_HISTORY:
      result.kind = Difference::Kind::kHistory;
      break;
    default:
      return BadField("difference.kind",
                      absl::StrCat("unknown value ", static_cast<int>(difference.kind())));
  }
  result.key = difference.key();
  result.found = difference.found();
  result.remedy = difference.remedy();
  return result;
}

v1::Difference ToProto(const Difference& difference) {
  v1::Difference result;
  switch (difference.kind) {
    case Difference::Kind::kNotInTable:
      result.set_kind(v1::Difference::KIND_NOT_IN_TABLE);
      break;
    case Difference::Kind::kNotInSource:
      result.set_kind(v1::Difference::KIND_NOT_IN_SOURCE);
      break;
    case Difference::Kind::kContent:
      result.set_kind(v1::Difference::KIND_CONTENT);
      break;
    case Difference::Kind::kHistory:
      result.set_kind(v1::Difference::KIND_HISTORY);
      break;
  }
  result.set_key(ValidUtf8(difference.key));
  result.set_found(ValidUtf8(difference.found));
  result.set_remedy(ValidUtf8(difference.remedy));
  return result;
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
  for (const v1::Difference& difference : manifest.differences()) {
    ASSIGN_OR_RETURN(Difference converted, FromProto(difference));
    result.differences.push_back(std::move(converted));
  }
  result.rows_different = manifest.rows_different();
  RETURN_IF_ERROR(CheckAtLeast("manifest.rows_different", manifest.rows_different(),
                               manifest.differences_size()));
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
  for (const Difference& difference : manifest.differences)
    *result.add_differences() = ToProto(difference);
  result.set_rows_different(manifest.rows_different);
  return result;
}

}  // namespace headwater
