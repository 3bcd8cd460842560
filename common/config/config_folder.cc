#include "common/config/config_folder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kMaxFileBytes = 16 << 20;  // 100,000 tables take about that.

// Folders or files of `folder` by name; unreadable ones are empty.
std::vector<fs::path> Sorted(const fs::path& folder, bool folders) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (name[0] == '.' || it->is_directory(ignored) != folders) continue;
    if (!folders && it->path().extension() != ".yaml") continue;
    paths.push_back(it->path());
  }
  absl::c_sort(paths);
  return paths;
}

bool HoldsTables(const fs::path& folder) {
  return absl::c_any_of(Sorted(folder, true),
                        [](const fs::path& server) { return !Sorted(server, false).empty(); });
}

void ReadSchema(const YamlNode::Entry& schema, RelationName at, const TableSettings& outer,
                std::vector<TableEntry>& entries, Problems& problems) {
  at.schema = schema.key;
  MapReader map(schema.value, absl::StrCat("schema '", schema.key, "'"), problems);
  TableSettings settings = outer;
  settings.Overlay(ReadDefaults(map, problems));
  const YamlNode* tables = map.Child("tables");
  map.Finish();
  if (tables == nullptr || tables->kind != YamlNode::Kind::kList) {
    problems.Add(
        tables == nullptr ? schema.place : tables->place,
        absl::StrCat("schema '", schema.key, "': 'tables' expected, a list such as [orders]"));
    return;
  }
  for (const YamlNode& node : tables->items) {
    std::optional<TableEntry> entry = ReadFolderEntry(node, at, problems);
    if (!entry.has_value()) continue;
    entry->outer = settings;
    entries.push_back(*std::move(entry));
  }
}

void ReadDatabaseFile(const fs::path& path, const std::string& shown, const std::string& strategy,
                      std::vector<TableEntry>& entries, Problems& problems) {
  const Place start{shown, 1, 1};
  absl::StatusOr<std::string> text = ReadConfigFile(path.string());
  if (!text.ok()) {
    problems.Add(start, text.status().message());
    return;
  }
  absl::StatusOr<YamlNode> node = ParseYaml(*text, shown, problems);
  if (!node.ok()) {
    problems.AddPlaced(node.status().message());
    return;
  }
  MapReader map(*node, "file", problems);
  TableSettings outer;
  outer.strategy = {StrategyNamed(strategy), start};
  outer.Overlay(ReadDefaults(map, problems));
  const YamlNode* schemas = map.Child("schemas");
  map.Finish();
  if (schemas == nullptr || schemas->kind != YamlNode::Kind::kMap) {
    problems.Add(schemas == nullptr ? start : schemas->place,
                 "'schemas' expected, as in schemas: {public: {tables: [orders]}}");
    return;
  }
  RelationName at;
  at.server = path.parent_path().filename().string();
  at.database = path.stem().string();
  for (const YamlNode::Entry& schema : schemas->entries) {
    ReadSchema(schema, at, outer, entries, problems);
  }
}

}  // namespace

std::vector<TableEntry> ReadConfigFolder(const std::string& folder, const std::string& shown_folder,
                                         Problems& problems) {
  std::vector<TableEntry> entries;
  for (const fs::path& strategy_path : Sorted(folder, true)) {
    const std::string strategy = strategy_path.filename().string();
    const fs::path shown = fs::path(shown_folder) / strategy;
    const bool known = StrategyNamed(strategy).has_value();
    if (!known && !HoldsTables(strategy_path)) continue;
    if (!known) {
      const std::string hint = DidYouMean(strategy, StrategyNames());
      if (absl::c_linear_search(LaterStrategyNames(), strategy)) {
        problems.Add({shown.string(), 1, 1},
                     absl::StrCat("strategy '", strategy, "' is not in this version"));
      } else if (!hint.empty()) {
        problems.Add({shown.string(), 1, 1},
                     absl::StrCat("unknown strategy '", strategy, "'", hint));
      }
      continue;
    }
    for (const fs::path& server : Sorted(strategy_path, true)) {
      for (const fs::path& file : Sorted(server, false)) {
        const fs::path name = shown / server.filename() / file.filename();
        ReadDatabaseFile(file, name.string(), strategy, entries, problems);
      }
    }
  }
  return entries;
}

absl::StatusOr<std::string> ReadConfigFile(const std::string& path) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  if (error) return absl::NotFoundError(absl::StrCat("cannot read ", path, ": ", error.message()));
  if (size > kMaxFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is larger than 16 MiB"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace headwater
