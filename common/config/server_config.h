// Reads `servers` and `fleets`: a fleet is written once and expanded to its members here.
#ifndef HEADWATER_COMMON_CONFIG_SERVER_CONFIG_H_
#define HEADWATER_COMMON_CONFIG_SERVER_CONFIG_H_

#include <map>
#include <string>
#include <vector>

#include "common/config/table_settings.h"
#include "common/config/yaml_reader.h"
#include "common/model/dataset_spec.h"

namespace headwater {

// One server with `{member}` and `{config_dir}` expanded and user and password folded into its url;
// references stay. `{database}` in the url stays too: it is the table's to fill in.
struct ServerConfig {
  ServerSpec spec;
  TableSettings defaults;  // Of the server; for a member, over those of its fleet.
  Place place;
};

// What `from` may name: a server, or a fleet for all its members.
struct ServerSet {
  std::map<std::string, ServerConfig> servers;
  std::map<std::string, std::vector<std::string>> fleets;  // Names of members, as listed.

  // The servers that `name` stands for; empty when nothing has that name.
  std::vector<const ServerConfig*> Named(const std::string& name) const;
  std::vector<std::string> Names() const;  // Of servers and fleets.
};

// Reads both keys of `root`. `timezone` is the default of servers.
ServerSet ReadServers(MapReader& root, const std::string& config_dir, const std::string& timezone,
                      Problems& problems);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_SERVER_CONFIG_H_
