#include "coordinator/commit/delta/delta_collector.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "common/base/status.h"
#include "common/data/bad_row.h"
#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_checkpoint.h"
#include "coordinator/commit/delta/delta_log.h"
#include "coordinator/commit/delta/delta_snapshot.h"
#include "coordinator/commit/delta/garbage_plan.h"
#include "coordinator/commit/delta/table_claim.h"

namespace headwater {
namespace {

constexpr int kLookAgainEvery = 256;  // Files removed between two looks at the log.

// One look through one table's folder. Confined to one thread.
class Collection {
 public:
  Collection(const TableLocation& location, const GarbageRequest& request, absl::Time now,
             std::stop_token stop, GarbageReport& report)
      : location_(location),
        request_(request),
        now_(now),
        stop_(std::move(stop)),
        report_(report),
        store_(OpenLocalStore(location.uri)) {}

  // False: there is no table. Errors: it cannot be read, or is not ours to touch.
  absl::StatusOr<bool> Run(const PublishedTable& published);

 private:
  void CollectFiles();
  void CollectLog();
  std::vector<FoundFile> Walk();
  absl::StatusOr<std::optional<int64_t>> CheckpointHint() const;
  absl::Status CheckReadable(int64_t checkpoint) const;
  // Removes a file, or lists it. False: it could not be removed, which has been told.
  bool Remove(const DoomedFile& doomed);
  void Tell(const absl::Status& status);
  void TakeKept(const std::map<std::string, KeptFiles>& kept);

  const TableLocation& location_;
  const GarbageRequest& request_;
  const absl::Time now_;
  const std::stop_token stop_;
  GarbageReport& report_;
  const std::unique_ptr<ObjectStore> store_;
  DeltaSnapshot snapshot_;
};

void Collection::Tell(const absl::Status& status) {
  report_.complete = false;
  if (report_.problems.size() < GarbageReport::kMaxProblems)
    report_.problems.emplace_back(status.message());
}

void Collection::TakeKept(const std::map<std::string, KeptFiles>& kept) {
  for (const auto& [why, files] : kept) {
    report_.kept[why].count += files.count;
    report_.kept[why].size_bytes += files.size_bytes;
  }
}

absl::StatusOr<bool> Collection::Run(const PublishedTable& published) {
  RETURN_IF_ERROR(Failpoint("gc.before_look"));
  ASSIGN_OR_RETURN(snapshot_, DeltaSnapshot::Load(*store_));
  // A folder without a table may be somebody else's first load.
  if (!snapshot_.exists() && published.version < 0) return false;
  // One that is behind the ledger would call files dead that are to be restored.
  RETURN_IF_ERROR(CheckClaim(location_, published, snapshot_, *store_));
  CollectFiles();
  if (!stop_.stop_requested()) CollectLog();
  if (stop_.stop_requested()) report_.complete = false;
  return true;
}

std::vector<FoundFile> Collection::Walk() {
  std::vector<FoundFile> found;
  std::deque<std::string> folders = {""};  // Still to be looked into.
  while (!folders.empty() && !stop_.stop_requested()) {
    const std::string folder = std::move(folders.front());
    folders.pop_front();
    const absl::StatusOr<std::vector<StoredEntry>> entries = store_->ListEntries(folder);
    if (!entries.ok()) {
      Tell(entries.status());
      continue;
    }
    for (const StoredEntry& entry : *entries) {
      const std::string key = folder.empty() ? entry.name : absl::StrCat(folder, "/", entry.name);
      if (!entry.folder) {
        found.push_back({key, entry.size_bytes, entry.modified});
        continue;
      }
      // The log, and what other writers hide from readers.
      const bool hidden =
          absl::StartsWith(entry.name, ".") ||
          (absl::StartsWith(entry.name, "_") && !absl::StrContains(entry.name, '='));
      if (!hidden) folders.push_back(key);
    }
  }
  if (!folders.empty()) report_.complete = false;
  return found;
}

bool Collection::Remove(const DoomedFile& doomed) {
  if (request_.dry_run) {
    if (report_.items.size() < GarbageReport::kMaxItems) {
      report_.items.push_back({absl::StrCat(store_->root(), "/", doomed.file.key),
                               doomed.file.size_bytes, doomed.age, doomed.why});
    }
    return true;
  }
  absl::Status status = Failpoint("gc.before_delete");
  if (status.ok()) status = store_->Delete(doomed.file.key);
  if (!status.ok()) Tell(status);
  return status.ok();
}

void Collection::CollectFiles() {
  const std::vector<FoundFile> found = Walk();
  const bool all_seen = report_.complete;
  const FilePlan plan = PlanFiles(found, snapshot_, request_, now_);
  TakeKept(plan.kept);
  absl::Time removed_before = now_ - FilesRetention(*snapshot_.metadata(), request_.retention);
  std::set<std::string> added_since;
  int until_look = 0;
  for (const DoomedFile& doomed : plan.doomed) {
    bool gone = !stop_.stop_requested();
    if (gone && !request_.dry_run && --until_look < 0) {
      // Another writer may have brought files back (RESTORE).
      until_look = kLookAgainEvery;
      const absl::Status looked = snapshot_.Refresh(*store_, [&](const DeltaVersion& version) {
        for (const DeltaAdd& add : version.adds) added_since.insert(DecodePath(add.path));
      });
      if (!looked.ok()) return Tell(looked);
    }
    gone = gone && !added_since.contains(doomed.file.key) && Remove(doomed);
    if (gone) {
      ++report_.files;
      report_.bytes += doomed.file.size_bytes;
    } else if (doomed.removed.has_value()) {
      removed_before = std::min(removed_before, *doomed.removed);
    }
  }
  if (!all_seen || request_.dry_run) return;
  report_.removed_before =
      std::min(removed_before, report_.removed_before.value_or(absl::InfiniteFuture()));
}

absl::StatusOr<std::optional<int64_t>> Collection::CheckpointHint() const {
  const absl::StatusOr<std::string> bytes = store_->Read(kLastCheckpointKey);
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  RETURN_IF_ERROR(bytes.status());
  rapidjson::Document hint;  // {"version":50,"size":…}
  hint.Parse(bytes->data(), bytes->size());
  if (hint.HasParseError() || !hint.IsObject()) return std::nullopt;
  const auto version = hint.FindMember("version");
  if (version == hint.MemberEnd() || !version->value.IsInt64()) return std::nullopt;
  return version->value.GetInt64();
}

// From here on readers have to begin there: it must lead to the newest version without a hole.
absl::Status Collection::CheckReadable(int64_t checkpoint) const {
  ASSIGN_OR_RETURN(const std::string bytes, store_->Read(CheckpointKey(checkpoint)));
  RETURN_IF_ERROR(DecodeCheckpoint(bytes).status());
  for (int64_t version = checkpoint; version <= snapshot_.version(); ++version) {
    ASSIGN_OR_RETURN(const std::optional<int64_t> size, store_->SizeOf(VersionKey(version)));
    if (!size.has_value())
      return absl::DataLossError(absl::StrCat("version ", version, " is missing"));
  }
  return absl::OkStatus();
}

void Collection::CollectLog() {
  if (request_.keep_log) {
    TakeKept({{"log that a commit under way is looked up in", {}}});
    return;
  }
  const absl::StatusOr<std::vector<StoredEntry>> entries = store_->ListEntries(kLogFolder);
  if (!entries.ok()) return Tell(entries.status());
  const absl::StatusOr<std::optional<int64_t>> hint = CheckpointHint();
  if (!hint.ok()) return Tell(hint.status());
  const LogPlan plan =
      PlanLog(*entries, *hint, LogRetention(*snapshot_.metadata(), request_.retention), now_);
  TakeKept(plan.kept);
  if (!plan.doomed.empty()) {
    if (const absl::Status readable = CheckReadable(plan.checkpoint); !readable.ok()) {
      return Tell(absl::DataLossError(
          absl::StrCat(store_->root(),
                       ": the log stays as it is: readers could not begin at its "
                       "checkpoint ",
                       plan.checkpoint, ": ", readable.message())));
    }
  }
  for (const DoomedFile& doomed : plan.doomed) {
    // What is left must have no hole: the first failure ends it.
    if (stop_.stop_requested() || !Remove(doomed)) return;
    ++report_.log_entries;
    report_.log_bytes += doomed.file.size_bytes;
  }
  if (request_.dry_run) return;
  const absl::StatusOr<int64_t> unfinished =
      store_->DropUnfinished(kLogFolder, now_ - request_.retention.attempts);
  if (!unfinished.ok()) return Tell(unfinished.status());
  report_.log_entries += *unfinished;
}

class DeltaCollector final : public GarbageCollector {
 public:
  DeltaCollector(const TableLocation& location, const Clock* clock)
      : location_(location),
        quarantine_{QuarantineName(location.table), QuarantineName(location.uri),
                    location.ledger_id},
        clock_(clock) {}

  GarbageReport Collect(const GarbageRequest& request, std::stop_token stop) override {
    GarbageReport report;
    report.complete = true;
    const absl::Time now = clock_->Now();
    const absl::StatusOr<bool> found =
        Collection(location_, request, now, stop, report).Run(request.published);
    report.status = found.status();
    if (found.ok() && *found) {
      report.status =
          Collection(quarantine_, request, now, stop, report).Run(PublishedTable{}).status();
    }
    if (!report.status.ok()) {
      report.complete = false;
      report.removed_before.reset();
    }
    return report;
  }

 private:
  const TableLocation location_, quarantine_;
  const Clock* const clock_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<GarbageCollector>> DeltaCollectorFactory::Open(
    const TableLocation& location) {
  return std::make_unique<DeltaCollector>(location, clock_);
}

}  // namespace headwater
