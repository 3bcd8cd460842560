#include "coordinator/commit/delta/garbage_plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/data/staged_name.h"
#include "coordinator/commit/delta/checkpointer.h"
#include "coordinator/commit/delta/delta_log.h"

namespace headwater {
namespace {

std::string NameOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == absl::string_view::npos ? path : path.substr(slash + 1));
}

// Attempts write to the folders of partitions, or beside them where the table has none. A copy of
// the table in another folder is not theirs.
bool IsInPartition(absl::string_view key, const std::vector<std::string>& partition_columns) {
  std::vector<absl::string_view> parts = absl::StrSplit(key, '/');
  parts.pop_back();
  return std::equal(parts.begin(), parts.end(), partition_columns.begin(), partition_columns.end(),
                    [](absl::string_view part, const std::string& column) {
                      return absl::StartsWith(DecodePath(part), absl::StrCat(column, "="));
                    });
}

std::string Days(absl::Duration duration) {
  if (duration % absl::Hours(24) == absl::ZeroDuration())
    return absl::StrCat(duration / absl::Hours(24), " d");
  return absl::FormatDuration(duration);
}

void Keep(std::map<std::string, KeptFiles>& kept, const std::string& why, int64_t size_bytes) {
  KeptFiles& entry = kept[why];
  ++entry.count;
  entry.size_bytes += size_bytes;
}

// A version's entry in the log's folder, or its checkpoint.
struct LogFile {
  int64_t version = -1;
  bool checkpoint = false;
};

std::optional<LogFile> ParseLogName(const std::string& name) {
  constexpr size_t kDigits = 20;
  LogFile file;
  if (name.size() <= kDigits || !absl::SimpleAtoi(name.substr(0, kDigits), &file.version))
    return std::nullopt;
  const std::string rest = name.substr(kDigits);
  if (rest != ".json" && rest != ".checkpoint.parquet") return std::nullopt;
  file.checkpoint = rest != ".json";
  return file;
}

}  // namespace

absl::Duration FilesRetention(const DeltaMetadata& metadata, const Retention& configured) {
  const std::optional<absl::Duration> property =
      IntervalProperty(metadata, "delta.deletedFileRetentionDuration");
  return property.has_value() ? std::max(*property, configured.files) : configured.files;
}

absl::Duration LogRetention(const DeltaMetadata& metadata, const Retention& configured) {
  const std::optional<absl::Duration> property =
      IntervalProperty(metadata, "delta.logRetentionDuration");
  return property.has_value() ? std::max(*property, kLeastLog) : configured.log;
}

FilePlan PlanFiles(const std::vector<FoundFile>& found, const DeltaSnapshot& snapshot,
                   const GarbageRequest& request, absl::Time now) {
  // By name, not by path: other writers may spell a path in another way (as a URI of its own, with
  // other escapes), and no two files of ours share a name.
  std::set<std::string> live, named;
  for (const auto& [path, add] : snapshot.files()) live.insert(NameOf(DecodePath(path)));
  for (const std::string& path : request.named) named.insert(NameOf(path));
  std::map<std::string, int64_t> removed;  // By key.
  for (const auto& [path, remove] : snapshot.removed())
    removed.emplace(DecodePath(path), remove.deleted_ms);
  const absl::Duration files = FilesRetention(*snapshot.metadata(), request.retention);
  const absl::Duration attempts = request.retention.attempts;

  FilePlan plan;
  for (const FoundFile& file : found) {
    const auto keep = [&](const std::string& why) { Keep(plan.kept, why, file.size_bytes); };
    const std::string name = NameOf(file.key);
    const std::optional<int64_t> fence = FenceOf(name);
    const auto tombstone = removed.find(file.key);
    if (live.contains(name)) {
      keep("in the table");
    } else if (named.contains(name) ||
               (fence.has_value() &&
                (*fence > request.as_of || request.live_fences.contains(*fence)))) {
      keep("of an attempt that is not over");
    } else if (tombstone != removed.end() && tombstone->second <= 0) {
      keep("replaced, and the log does not say when");
    } else if (tombstone != removed.end()) {
      const absl::Time at = absl::FromUnixMillis(tombstone->second);
      if (now - at <= files) {
        keep(absl::StrCat("replaced within ", Days(files)));
      } else {
        plan.doomed.push_back(
            {file, now - at, absl::StrCat("replaced more than ", Days(files), " ago"), at});
      }
    } else if (!fence.has_value() ||
               !IsInPartition(file.key, snapshot.metadata()->partition_columns)) {
      keep("not written by Headwater, nor ever in the table");
    } else if (now - file.modified <= attempts) {
      keep(absl::StrCat("of a dead attempt, younger than ", Days(attempts)));
    } else {
      plan.doomed.push_back(
          {file, now - file.modified, absl::StrCat("of attempt ", *fence, ", which is over"), {}});
    }
  }
  return plan;
}

LogPlan PlanLog(const std::vector<StoredEntry>& entries, std::optional<int64_t> hint,
                absl::Duration retention, absl::Time now) {
  // The newest version before which none is younger than the retention.
  int64_t cutoff = -1;
  for (const StoredEntry& entry : entries) {  // By name, so by version.
    const std::optional<LogFile> file = ParseLogName(entry.name);
    if (!file.has_value() || file->checkpoint) continue;
    if (now - entry.modified <= retention) break;
    cutoff = file->version;
  }
  LogPlan plan;
  for (const StoredEntry& entry : entries) {
    const std::optional<LogFile> file = ParseLogName(entry.name);
    if (file.has_value() && file->checkpoint && hint.has_value() && file->version <= *hint &&
        file->version <= cutoff)
      plan.checkpoint = std::max(plan.checkpoint, file->version);
  }
  for (const StoredEntry& entry : entries) {
    const std::optional<LogFile> file = ParseLogName(entry.name);
    if (!file.has_value()) continue;  // Others' kinds of entries, and _last_checkpoint.
    const absl::Duration age = now - entry.modified;
    if (file->version < plan.checkpoint) {
      plan.doomed.push_back(
          {{absl::StrCat(kLogFolder, "/", entry.name), entry.size_bytes, entry.modified},
           age,
           absl::StrCat("versions older than ", Days(retention), " begin at the checkpoint ",
                        plan.checkpoint),
           {}});
    } else if (age <= retention) {
      Keep(plan.kept, absl::StrCat("log within ", Days(retention)), entry.size_bytes);
    } else {
      Keep(plan.kept, "log that newer versions need", entry.size_bytes);
    }
  }
  return plan;
}

}  // namespace headwater
