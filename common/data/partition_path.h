// Folder names of partitions, as Hive and Spark write them:
//
//   path   = folder *( "/" folder )
//   folder = escaped column "=" ( escaped value | "__HIVE_DEFAULT_PARTITION__" )   ; the latter:
//   NULL
//
//   {server_source: ewr, cursor_day: 2013-01-01}  →  server_source=ewr/cursor_day=2013-01-01
//   {server_source: "a/b", cursor_hour: NULL}     →  server_source=a%2Fb/cursor_hour=__HIVE_…__
#ifndef HEADWATER_COMMON_DATA_PARTITION_PATH_H_
#define HEADWATER_COMMON_DATA_PARTITION_PATH_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace headwater {

// Columns and values of one partition, outermost first. No value: NULL.
using PartitionValues = std::vector<std::pair<std::string, std::optional<std::string>>>;

// The folder of a partition, relative to its table, without a slash at either end; empty for no
// columns. Never absolute, never upwards, and two different partitions never share a folder.
// INVALID_ARGUMENT names the column: a column or value that is empty, ".", ".." or holds NUL; the
// value that means NULL; a column that begins with "_" or "." (plain Parquet readers skip such
// folders); a folder name longer than 255 bytes (the limit of Linux file systems).
absl::StatusOr<std::string> PartitionPath(const PartitionValues& values);

// `text` with control characters and "#%'*/:=?\{[]^ as %XX, upper-case hex. Other bytes stay.
std::string EscapePathName(absl::string_view text);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_PARTITION_PATH_H_
