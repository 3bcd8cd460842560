// What a table's folder holds and nobody needs any more: replaced files, what dead attempts left,
// old entries of the log. One implementation per kind of sink.
#ifndef HEADWATER_COORDINATOR_COMMIT_GARBAGE_H_
#define HEADWATER_COORDINATOR_COMMIT_GARBAGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/model/retention.h"
#include "coordinator/commit/committer.h"

namespace headwater {

struct GarbageRequest {
  PublishedTable published;
  Retention retention;
  // What the ledger says of attempts: those of `live_fences`, and all with a fence above `as_of`,
  // may still be published, and so may the files of `named`, which manifests have.
  int64_t as_of = 0;
  std::set<int64_t> live_fences;
  std::set<std::string> named;
  bool keep_log = false;  // An intent whose outcome is not known is looked up in the log.
  bool dry_run = false;   // Says what would go, and touches nothing.
};

struct GarbageItem {
  std::string path;  // With the folder of its table.
  int64_t size_bytes = 0;
  absl::Duration age;  // Since it became garbage, as far as that is known.
  std::string why;
};

struct KeptFiles {
  int64_t count = 0;
  int64_t size_bytes = 0;
};

struct GarbageReport {
  // A dry run lists so many at most; all of them are counted.
  static constexpr size_t kMaxItems = 2'000;
  static constexpr size_t kMaxProblems = 20;

  absl::Status status = {};      // Not OK: the table was not gone through, and why.
  bool complete = false;         // All of it was gone through, and all that was to go went.
  int64_t files = 0, bytes = 0;  // That went, or in a dry run would go: data files,
  int64_t log_entries = 0, log_bytes = 0;      // and what was in the log's folder.
  std::map<std::string, KeptFiles> kept = {};  // By why.
  std::vector<GarbageItem> items = {};         // Of a dry run.
  std::vector<std::string> problems = {};      // What could not be looked at or removed.
  // Files that versions removed before this are gone: their removal may be forgotten. Absent: not
  // known.
  std::optional<absl::Time> removed_before = {};
};

// Confined to one thread.
class GarbageCollector {
 public:
  virtual ~GarbageCollector() = default;

  // Goes through the table and its quarantine, beside whoever commits there meanwhile. Returns soon
  // after `stop` is asked for, then not complete. What fails is told in the report and ends nothing
  // else; running it again is always right. Never removed: what a version names or has replaced
  // within the retention, what `request` says may be published, and whatever the log never named
  // and no attempt of this program wrote.
  virtual GarbageReport Collect(const GarbageRequest& request, std::stop_token stop) = 0;
};

class GarbageCollectorFactory {
 public:
  virtual ~GarbageCollectorFactory() = default;
  virtual absl::StatusOr<std::unique_ptr<GarbageCollector>> Open(const TableLocation& location) = 0;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_GARBAGE_H_
