// From a table's entry to its datasets: one for each server that `from` stands for, with the
// nearest setting of every level, checked for what goes together.
#ifndef HEADWATER_COMMON_CONFIG_TABLE_CONFIG_H_
#define HEADWATER_COMMON_CONFIG_TABLE_CONFIG_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/config/server_config.h"
#include "common/config/table_settings.h"
#include "common/config/yaml_reader.h"

namespace headwater {

// Names one relation of a server or fleet: `server/[database.][schema.]table`, where a part may
// stand in double quotes. Parts may hold `{member}`.
struct RelationName {
  std::string server;  // Or a fleet.
  std::string database;
  std::string schema;
  std::string table;
};

// One entry under `tables`, before it meets the servers.
struct TableEntry {
  RelationName from;
  std::string target_table;  // Empty: the table's name in `from`.
  TableSettings outer;  // Of the folder's path, file and schema; empty in the one-file spelling.
  TableSettings own;
  Place place;
  Place from_place;
};

// Reads an entry of the one-file spelling; none when it has no usable `from`.
std::optional<TableEntry> ReadTableEntry(const YamlNode& node, Problems& problems);

// Reads an entry below `schemas` of a folder's file: a table's name, or a map with `from: name`.
// `at` has server, database and schema.
std::optional<TableEntry> ReadFolderEntry(const YamlNode& node, const RelationName& at,
                                          Problems& problems);

// What every entry is expanded with. Outlived by what it points to.
struct ExpansionContext {
  const ServerSet* servers = nullptr;
  const std::vector<TargetConfig>* targets = nullptr;
  const std::vector<Schedule>* schedules = nullptr;
  const TableSettings* defaults = nullptr;  // Of the root.
};

// The datasets of all entries, sorted by (table, server). Duplicates, and two shapes in one sink
// table, are problems that name both places.
std::vector<DatasetConfig> ExpandTables(const std::vector<TableEntry>& entries,
                                        const ExpansionContext& context, Problems& problems);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_TABLE_CONFIG_H_
