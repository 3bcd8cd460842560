// Reading of entries; table_config.cc expands them.
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/config/table_config.h"
#include "common/data/bad_row.h"

namespace headwater {
namespace {

// `a."b c".d` into its parts. Empty when a part is empty, a quote stays open, or a part holds a
// dot, which sources cannot tell from a border.
std::vector<std::string> SplitRelation(absl::string_view text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && quoted) {
      return {};
    } else if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  if (quoted) return {};
  for (const std::string& part : parts) {
    if (part.empty()) return {};
  }
  return parts;
}

std::optional<RelationName> ParseFrom(absl::string_view text) {
  const size_t slash = text.find('/');
  if (slash == absl::string_view::npos || slash == 0) return std::nullopt;
  const std::vector<std::string> parts = SplitRelation(text.substr(slash + 1));
  if (parts.empty() || parts.size() > 3) return std::nullopt;
  RelationName name;
  name.server = std::string(text.substr(0, slash));
  name.table = parts.back();
  if (parts.size() > 1) name.schema = parts[parts.size() - 2];
  if (parts.size() > 2) name.database = parts[0];
  return name;
}

// A table's name is a folder's name in the sink, so it is kept plain.
bool IsTableName(absl::string_view name) {
  if (name.empty() || name.size() > 128 || name[0] == '.' || name[0] == '_') return false;
  for (const char c : name) {
    const bool plain = absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.' ||
                       static_cast<unsigned char>(c) >= 0x80;
    if (!plain) return false;
  }
  return true;
}

void ReadRest(MapReader& map, TableEntry& entry, Problems& problems) {
  entry.own = ReadTableSettings(map, problems);
  entry.target_table = map.Text("target_table").value_or("");
  map.Finish();
  if (map.Has("target_table") && !IsTableName(entry.target_table)) {
    problems.Add(map.PlaceOf("target_table"),
                 absl::StrCat("'", entry.target_table,
                              "' is no table's name; expected letters, digits, '_', '-' and '.', "
                              "not '_' or '.' first"));
  }
}

// Such a table would have the folder of another one's quarantine.
void CheckSuffix(const TableEntry& entry, Problems& problems) {
  if (!absl::EndsWith(entry.target_table, kQuarantineSuffix)) return;
  problems.Add(entry.from_place,
               absl::StrCat("'", entry.target_table, "' ends in ", kQuarantineSuffix,
                            ", as tables of rows that do not fit do; set another 'target_table'"));
}

void CheckName(TableEntry& entry, Problems& problems) {
  if (!entry.target_table.empty()) return CheckSuffix(entry, problems);
  if (absl::StrContains(entry.from.table, "{member}")) {
    problems.Add(entry.from_place, absl::StrCat("'", entry.from.table,
                                                "' differs by member, so the sink table needs a "
                                                "name of its own; set 'target_table'"));
  } else if (!IsTableName(entry.from.table)) {
    problems.Add(entry.from_place, absl::StrCat("'", entry.from.table,
                                                "' cannot name a sink table; set 'target_table'"));
  }
  entry.target_table = entry.from.table;
  CheckSuffix(entry, problems);
}

}  // namespace

std::optional<TableEntry> ReadTableEntry(const YamlNode& node, Problems& problems) {
  TableEntry entry;
  entry.place = node.place;
  MapReader map(node, "table", problems);
  if (node.kind != YamlNode::Kind::kMap) return std::nullopt;
  const std::optional<std::string> from = map.Text("from");
  ReadRest(map, entry, problems);
  entry.from_place = map.PlaceOf("from");
  if (!map.Has("from"))
    problems.Add(node.place, "table: 'from' is missing, as in from: crm/orders");
  if (!from.has_value()) return std::nullopt;
  const std::optional<RelationName> name = ParseFrom(*from);
  if (!name.has_value()) {
    problems.Add(entry.from_place,
                 absl::StrCat("'from': expected server/table or server/[database.]schema.table, "
                              "found '",
                              *from, "'"));
    return std::nullopt;
  }
  entry.from = *name;
  CheckName(entry, problems);
  return entry;
}

std::optional<TableEntry> ReadFolderEntry(const YamlNode& node, const RelationName& at,
                                          Problems& problems) {
  TableEntry entry;
  entry.place = entry.from_place = node.place;
  entry.from = at;
  std::string text = node.scalar;
  if (node.kind != YamlNode::Kind::kScalar) {
    MapReader map(node, "table", problems);
    if (node.kind != YamlNode::Kind::kMap) return std::nullopt;
    const std::optional<std::string> from = map.Text("from");
    ReadRest(map, entry, problems);
    entry.from_place = map.PlaceOf("from");
    if (!map.Has("from")) problems.Add(node.place, "table: 'from' is missing, as in from: orders");
    if (!from.has_value()) return std::nullopt;
    text = *from;
  }
  const std::vector<std::string> parts = SplitRelation(text);
  if (parts.size() != 1 || absl::StrContains(text, "/")) {
    problems.Add(entry.from_place,
                 absl::StrCat("'from': expected a table's name only (the path names server and "
                              "database, 'schemas' the schema), found '",
                              text, "'"));
    return std::nullopt;
  }
  entry.from.table = parts[0];
  CheckName(entry, problems);
  return entry;
}

}  // namespace headwater
