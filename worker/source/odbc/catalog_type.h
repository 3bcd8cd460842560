// Column types in the words of the server's own catalogue, where a driver's description cannot tell
// types apart: MariaDB's `tinyint(1)`, which is its boolean, from `tinyint`; PostgreSQL's `numeric`
// without a precision (psqlODBC makes up 28 digits). Pure.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_CATALOG_TYPE_H_
#define HEADWATER_WORKER_SOURCE_ODBC_CATALOG_TYPE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/schema.h"
#include "worker/source/dialect.h"

namespace headwater {

// SQL for name and type of each column of `relation` (`bigint(20) unsigned`, `numeric(10,2)`);
// empty for a dialect whose drivers need no help.
absl::StatusOr<std::string> CatalogTypesSql(const Dialect& dialect, absl::string_view relation);

// `TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't'`, of MariaDB's information_schema.
absl::StatusOr<std::string> IsMariaDbTable(absl::string_view relation);

// `type` as the catalogue prints it; `described` is what the driver made of it.
//
// MariaDB: `tinyint(1)` and `bit(1)` are booleans, unsigned integers get the next wider type
// (bigint: decimal(20,0)), decimals of more than 38 digits are strings, so are times (which go to
// 838 hours), enum, set and json; geometry is binary.
ColumnType TypeOfCatalog(DialectKind dialect, absl::string_view type, const ColumnType& described);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_CATALOG_TYPE_H_
