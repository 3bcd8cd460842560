// The configuration as the rest of the program sees it: datasets with every default applied and
// every template expanded, except secrets, which stay references.
#ifndef HEADWATER_COMMON_CONFIG_CONFIG_H_
#define HEADWATER_COMMON_CONFIG_CONFIG_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "common/model/retention.h"

namespace headwater {

struct TargetConfig {
  std::string name;
  std::string uri;  // Absolute folder.
  Retention retention;
};

// One (table, server) pair as configured, with what only people and selectors need.
struct DatasetConfig {
  DatasetSpec spec;
  std::string database;  // Of `server/database.schema.table`; may be empty.
  std::string frequency;
  std::vector<std::string> tags;
  Retention retention;   // Of its target.
  std::string location;  // file:line:column of the table's entry.
};

struct Schedule {
  std::string name;
  std::string cron;
  std::vector<std::string> includes;
};

struct Config {
  std::string directory;  // Absolute; holds the file, `.headwater/` lies here.
  std::string ledger;     // A url with references; empty: SQLite, in `.headwater/`.
  std::vector<TargetConfig> targets;
  absl::Duration history_kept = kHistoryKept;
  std::vector<Schedule> schedules;
  std::vector<DatasetConfig> datasets;  // Sorted by (table, server); no two alike.
  std::string
      digest;  // Hex; equal configurations have equal digests, comments and order of keys apart.
};

// Loads one file, or a folder with headwater.yaml in it (a folder may spread tables over
// `<strategy>/<server or fleet>/<database>.yaml`). Reports up to 20 problems at once, one a line:
// `headwater.yaml:12:5: unknown key 'strategie'; did you mean 'strategy'?`
// NOT_FOUND: no such file (says where it looked). INVALID_ARGUMENT: everything else.
absl::StatusOr<Config> LoadConfig(const std::string& path);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_CONFIG_H_
