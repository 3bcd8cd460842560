#include "common/config/config.h"

#include <xxhash.h>

#include <filesystem>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/config/config_folder.h"
#include "common/config/cron.h"
#include "common/config/ledger_config.h"
#include "common/config/retention_config.h"
#include "common/config/server_config.h"
#include "common/config/table_config.h"
#include "common/config/table_settings.h"
#include "common/config/yaml_reader.h"
#include "common/data/fingerprint.h"

namespace headwater {
namespace {

namespace fs = std::filesystem;

// Calls `read` for each name in the map `key` of `root`.
template <typename F>
void ForEachNamed(MapReader& root, absl::string_view key, Problems& problems, const F& read) {
  const YamlNode* node = root.Child(key);
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kMap) {
    problems.Add(node->place,
                 absl::StrCat("'", key, "': expected a map of names, found ", KindName(*node)));
    return;
  }
  for (const YamlNode::Entry& entry : node->entries) read(entry);
}

std::vector<TargetConfig> ReadTargets(MapReader& root, const std::string& directory,
                                      const Retention& retention, Problems& problems) {
  std::vector<TargetConfig> targets;
  ForEachNamed(root, "targets", problems, [&](const YamlNode::Entry& entry) {
    MapReader map(entry.value, absl::StrCat("target '", entry.key, "'"), problems);
    const std::optional<std::string> path = map.Text("delta");
    const Retention own = ReadRetention(map, retention, problems);
    map.Later({"postgresql", "sqlserver", "format", "compression", "layout", "schema",
               "checkpoint_every"});
    map.Finish();
    if (!map.Has("delta")) {
      problems.Add(entry.place, absl::StrCat("target '", entry.key,
                                             "': 'delta' is missing, as in {delta: ./lake}"));
    }
    if (!path.has_value()) return;
    if (path->empty() || absl::StrContains(*path, "://") || absl::StrContains(*path, "${")) {
      problems.Add(map.PlaceOf("delta"),
                   absl::StrCat("'delta': only folders are in this version; expected a path such "
                                "as ./lake, found '",
                                *path, "'"));
      return;
    }
    fs::path uri = (fs::path(directory) / *path).lexically_normal();
    if (!uri.has_filename()) uri = uri.parent_path();
    for (const TargetConfig& other : targets) {
      if (other.uri == uri.string()) {
        problems.Add(map.PlaceOf("delta"),
                     absl::StrCat("target '", entry.key, "' is the folder of '", other.name,
                                  "' too; use one of them"));
      }
    }
    targets.push_back({entry.key, uri.string(), own});
  });
  absl::c_sort(targets, [](const auto& a, const auto& b) { return a.name < b.name; });
  return targets;
}

std::vector<Schedule> ReadSchedules(MapReader& root, Problems& problems) {
  std::vector<Schedule> schedules;
  std::vector<std::pair<std::string, Place>> included;
  ForEachNamed(root, "schedules", problems, [&](const YamlNode::Entry& entry) {
    MapReader map(entry.value, absl::StrCat("schedule '", entry.key, "'"), problems);
    Schedule schedule;
    schedule.name = entry.key;
    schedule.cron = map.Text("cron").value_or("");
    schedule.includes = map.TextList("includes").value_or(std::vector<std::string>{});
    map.Later({"every", "catchup", "timezone"});
    map.Finish();
    if (const absl::Status cron = CheckCron(schedule.cron); !cron.ok()) {
      problems.Add(map.PlaceOf("cron"),
                   absl::StrCat("schedule '", entry.key, "': 'cron': ", cron.message()));
    }
    for (const std::string& name : schedule.includes) {
      included.emplace_back(name, map.PlaceOf("includes"));
    }
    schedules.push_back(std::move(schedule));
  });
  std::vector<std::string> names;
  for (const Schedule& schedule : schedules) names.push_back(schedule.name);
  for (const auto& [name, place] : included) {
    if (absl::c_linear_search(names, name)) continue;
    problems.Add(place, absl::StrCat("unknown schedule '", name, "'", DidYouMean(name, names)));
  }
  absl::c_sort(schedules, [](const auto& a, const auto& b) { return a.name < b.name; });
  return schedules;
}

std::vector<TableEntry> ReadTables(MapReader& root, Problems& problems) {
  std::vector<TableEntry> entries;
  const YamlNode* node = root.Child("tables");
  if (node == nullptr) return entries;
  if (node->kind != YamlNode::Kind::kList) {
    problems.Add(node->place, absl::StrCat("'tables': expected a list, found ", KindName(*node)));
    return entries;
  }
  for (const YamlNode& item : node->items) {
    std::optional<TableEntry> entry = ReadTableEntry(item, problems);
    if (entry.has_value()) entries.push_back(*std::move(entry));
  }
  return entries;
}

// Digest of everything that means something. Lengths keep neighbours apart; places are left out.
std::string DigestOfConfig(const Config& config) {
  std::string text = "headwater-config-1\n";
  const auto add = [&](absl::string_view part) { absl::StrAppend(&text, part.size(), ":", part); };
  for (const TargetConfig& target : config.targets) {
    add("target");
    add(target.name);
    add(target.uri);
    for (const absl::Duration kept :
         {target.retention.files, target.retention.log, target.retention.attempts})
      add(absl::FormatDuration(kept));
  }
  add("history");
  add(absl::FormatDuration(config.history_kept));
  for (const Schedule& schedule : config.schedules) {
    add("schedule");
    add(schedule.name);
    add(schedule.cron);
    for (const std::string& name : schedule.includes) add(name);
  }
  for (const DatasetConfig& dataset : config.datasets) {
    add("dataset");
    add(DigestOf(dataset.spec));
    add(dataset.database);
    add(dataset.frequency);
    for (const std::string& tag : dataset.tags) add(tag);
  }
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return HexOf(Hash128{.high = hash.high64, .low = hash.low64});
}

struct Location {
  fs::path file;        // Absolute.
  fs::path directory;   // Absolute.
  fs::path shown;       // As messages name the file.
  bool folder = false;  // Strategy folders beside it count.
};

absl::StatusOr<Location> Locate(const std::string& path) {
  Location found;
  std::error_code error;
  found.shown = fs::path(path).lexically_normal();
  if (fs::is_directory(path, error)) {
    found.shown = (fs::path(path) / "headwater.yaml").lexically_normal();
  }
  found.file = fs::absolute(found.shown, error).lexically_normal();
  if (path.empty() || error || !fs::exists(found.file, error)) {
    return absl::NotFoundError(
        absl::StrCat("no configuration at ", found.file.string(),
                     "; name one with -c or HEADWATER_CONFIG, or run `headwater demo` to see one"));
  }
  found.folder = found.file.filename() == "headwater.yaml";
  found.directory = found.file.parent_path();
  return found;
}

}  // namespace

absl::StatusOr<Config> LoadConfig(const std::string& path) {
  ASSIGN_OR_RETURN(const Location at, Locate(path));
  ASSIGN_OR_RETURN(const std::string text, ReadConfigFile(at.file.string()));
  Problems problems;
  ASSIGN_OR_RETURN(const YamlNode node, ParseYaml(text, at.shown.string(), problems));
  MapReader root(node, "configuration", problems);
  Config config;
  config.directory = at.directory.string();
  root.Integer("version", 1, 1);
  const std::string timezone = root.Text("timezone").value_or("UTC");
  if (root.Has("timezone")) CheckZone(timezone, root.PlaceOf("timezone"), problems);
  config.ledger = ReadLedger(root, problems);
  const ServerSet servers = ReadServers(root, config.directory, timezone, problems);
  config.targets =
      ReadTargets(root, config.directory, ReadRetention(root, Retention(), problems), problems);
  config.history_kept = ReadHistoryKept(root, problems);
  config.schedules = ReadSchedules(root, problems);
  const TableSettings defaults = ReadDefaults(root, problems);
  std::vector<TableEntry> entries = ReadTables(root, problems);
  root.Later({"limits", "security", "hash", "metrics", "alerts"});
  root.Finish();
  if (at.folder) {
    for (TableEntry& entry :
         ReadConfigFolder(config.directory, at.shown.parent_path().string(), problems)) {
      entries.push_back(std::move(entry));
    }
  }
  if (entries.empty() && problems.empty()) {
    problems.Add(node.place, "no tables; add 'tables: [{from: server/table, strategy: full}]'");
  }
  const ExpansionContext context{.servers = &servers,
                                 .targets = &config.targets,
                                 .schedules = &config.schedules,
                                 .defaults = &defaults};
  config.datasets = ExpandTables(entries, context, problems);
  RETURN_IF_ERROR(problems.ToStatus());
  config.digest = DigestOfConfig(config);
  return config;
}

}  // namespace headwater
