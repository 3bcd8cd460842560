// The folder spelling: `<strategy>/<server or fleet>/<database>.yaml` below the folder of
// headwater.yaml, each with
//
//   defaults: {cursor: updated_at}          # optional; of this file
//   schemas:
//     public:
//       defaults: {tags: [finance]}         # optional; of this schema
//       tables: [orders, {from: lines, unit: 1mo}]
//
// The path gives strategy, server and database. An entry means the same as
// `from: server/database.schema.table` in the one-file spelling.
#ifndef HEADWATER_COMMON_CONFIG_CONFIG_FOLDER_H_
#define HEADWATER_COMMON_CONFIG_CONFIG_FOLDER_H_

#include <string>
#include <vector>

#include "common/config/table_config.h"
#include "common/config/yaml_reader.h"

namespace headwater {

// The entries of every such file below `folder`, in the order of their paths. Other files and
// folders are left alone, except a folder whose name is nearly a strategy's and which holds such
// files: that is a problem. `shown_folder` is how places name the folder (may be empty).
std::vector<TableEntry> ReadConfigFolder(const std::string& folder, const std::string& shown_folder,
                                         Problems& problems);

// The whole of a file. NOT_FOUND or INVALID_ARGUMENT (larger than 16 MiB, unreadable).
absl::StatusOr<std::string> ReadConfigFile(const std::string& path);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_CONFIG_FOLDER_H_
