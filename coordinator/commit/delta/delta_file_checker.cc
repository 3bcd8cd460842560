#include "coordinator/commit/delta/delta_file_checker.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/bad_row.h"
#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_snapshot.h"
#include "coordinator/commit/delta/piece_index.h"

namespace headwater {
namespace {

absl::Status CheckFolder(const std::string& uri, FileCheck& check) {
  const std::unique_ptr<ObjectStore> store = OpenLocalStore(uri);
  ASSIGN_OR_RETURN(DeltaSnapshot snapshot, DeltaSnapshot::Load(*store));
  if (!snapshot.exists()) return absl::OkStatus();
  PieceIndex index;
  index.Reset(snapshot);
  struct Suspect {
    std::string path;
    FaultyFile file;
  };
  std::vector<Suspect> suspects;
  for (const auto& [path, add] : snapshot.files()) {
    ++check.files;
    check.bytes += add.size_bytes;
    const std::string key = DecodePath(path);
    ASSIGN_OR_RETURN(const std::optional<int64_t> size, store->SizeOf(key));
    if (size == add.size_bytes) continue;
    suspects.push_back(
        {path, {absl::StrCat(store->root(), "/", key), index.ServerOf(add), add.size_bytes, size}});
  }
  if (suspects.empty()) return absl::OkStatus();
  // What has been replaced since may have been collected already.
  RETURN_IF_ERROR(snapshot.Refresh(*store, [](const DeltaVersion&) {}));
  for (Suspect& suspect : suspects) {
    if (!snapshot.files().contains(suspect.path)) continue;
    ++check.faulty_count;
    if (check.faulty.size() < FileCheck::kMaxFaulty)
      check.faulty.push_back(std::move(suspect.file));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FileCheck> DeltaFileChecker::CheckFiles(const TableLocation& location) {
  FileCheck check;
  RETURN_IF_ERROR(CheckFolder(location.uri, check));
  RETURN_IF_ERROR(CheckFolder(QuarantineName(location.uri), check));
  return check;
}

}  // namespace headwater
