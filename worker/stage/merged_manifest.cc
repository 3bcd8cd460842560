#include "worker/stage/merged_manifest.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {
namespace {

absl::Status CheckAlike(const Manifest& part, const Manifest& whole) {
  const bool same =
      part.schema == whole.schema && part.spec_version == whole.spec_version &&
      std::equal(part.pieces.begin(), part.pieces.end(), whole.pieces.begin(), whole.pieces.end(),
                 [](const StagedPiece& a, const StagedPiece& b) { return a.extent == b.extent; });
  if (same) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(
      "the parts of one read do not describe the same pieces: ", part.pieces.size(), " of ",
      part.spec_version, " and ", whole.pieces.size(), " of ", whole.spec_version));
}

void Add(const StagedPiece& part, StagedPiece& whole) {
  whole.fingerprint.Add(part.fingerprint);
  whole.max_cursor = std::max(whole.max_cursor, part.max_cursor);  // None is the smallest.
  whole.files.insert(whole.files.end(), part.files.begin(), part.files.end());
  whole.bad_rows += part.bad_rows;
  AddChecksum(part.checksum, whole.checksum);
  whole.bad_files.insert(whole.bad_files.end(), part.bad_files.begin(), part.bad_files.end());
}

}  // namespace

absl::StatusOr<Manifest> MergeManifests(const std::vector<Manifest>& parts,
                                        const std::vector<KnownPiece>& known) {
  Manifest whole = parts.front();
  for (size_t i = 1; i < parts.size(); ++i) {
    RETURN_IF_ERROR(CheckAlike(parts[i], whole));
    whole.rows_read += parts[i].rows_read;
    whole.bytes_read += parts[i].bytes_read;
    whole.truncated_values += parts[i].truncated_values;
    for (size_t j = 0; j < whole.pieces.size(); ++j) Add(parts[i].pieces[j], whole.pieces[j]);
  }
  whole.bytes_staged = 0;
  for (StagedPiece& piece : whole.pieces) {
    piece.unchanged = std::any_of(known.begin(), known.end(), [&](const KnownPiece& one) {
      return one.extent == piece.extent && one.spec_version == whole.spec_version &&
             one.fingerprint == piece.fingerprint;
    });
    if (piece.unchanged) {
      piece.files.clear();
      piece.bad_files.clear();
    }
    for (const StagedFile& file : piece.files) whole.bytes_staged += file.size_bytes;
    for (const StagedFile& file : piece.bad_files) whole.bytes_staged += file.size_bytes;
  }
  return whole;
}

}  // namespace headwater
