// MariaDB's and MySQL's information_schema: columns in the server's own words, and what their types
// become. Pure; for whatever reaches such a server.
#ifndef HEADWATER_WORKER_SOURCE_MARIADB_CATALOG_H_
#define HEADWATER_WORKER_SOURCE_MARIADB_CATALOG_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/schema.h"

namespace headwater {

// SQL for name, type (`bigint(20) unsigned`) and `YES` or `NO` (may be NULL) of each column of
// `relation`, in order.
absl::StatusOr<std::string> MariaDbColumnsSql(absl::string_view relation);

// `TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't'`, of information_schema.
absl::StatusOr<std::string> IsMariaDbTable(absl::string_view relation);

// `type` as COLUMN_TYPE has it. `tinyint(1)` and `bit(1)` are booleans, unsigned integers get the
// next wider type (bigint: decimal(20,0)), decimals of more than 38 digits are strings, so are
// times (which go to 838 hours), enum, set and json; geometry is binary.
ColumnType TypeOfMariaDb(absl::string_view type);

// SQL that gives a column of `type`, `bit(n)`, in one form: a boolean as its number, and others as
// their bytes. Expressions of this type, as views have them, are sent as their number's digits.
std::string MariaDbBits(absl::string_view type, absl::string_view quoted);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_MARIADB_CATALOG_H_
