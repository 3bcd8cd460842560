#include "coordinator/commit/delta/delta_log.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/base/failpoint.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr size_t kDigits = 20;

}  // namespace

std::string VersionKey(int64_t version) {
  return absl::StrFormat("%s/%020d.json", kLogFolder, version);
}

std::string CheckpointKey(int64_t version) {
  return absl::StrFormat("%s/%020d.checkpoint.parquet", kLogFolder, version);
}

absl::StatusOr<DeltaListing> ListLog(const ObjectStore& store) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, store.List(kLogFolder));
  DeltaListing listing;
  for (const std::string& name : names) {
    absl::string_view rest = name;
    int64_t version = 0;
    if (name.size() <= kDigits || !absl::SimpleAtoi(name.substr(0, kDigits), &version)) continue;
    rest.remove_prefix(kDigits);
    if (rest == ".json") listing.versions.push_back(version);
    if (rest == ".checkpoint.parquet") listing.checkpoints.push_back(version);
  }
  return listing;  // The names have a fixed width: their order is the numbers' order.
}

absl::StatusOr<DeltaVersion> ReadVersion(const ObjectStore& store, int64_t version) {
  const std::string key = VersionKey(version);
  ASSIGN_OR_RETURN(const std::string bytes, store.Read(key));
  absl::StatusOr<DeltaVersion> parsed = ParseJsonLines(bytes);
  if (!parsed.ok()) return Annotate(parsed.status(), absl::StrCat(store.root(), "/", key));
  return parsed;
}

absl::Status PutVersion(ObjectStore& store, int64_t version, const DeltaVersion& actions) {
  RETURN_IF_ERROR(Failpoint("delta.before_put"));
  RETURN_IF_ERROR(store.PutIfAbsent(VersionKey(version), ToJsonLines(actions)));
  return Failpoint("delta.after_put");
}

}  // namespace headwater
