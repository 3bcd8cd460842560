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

// SQL whose first two columns are name and type of each column of `relation` (`bigint(20)
// unsigned`, `numeric(10,2)`); empty for a dialect whose drivers need no help.
absl::StatusOr<std::string> CatalogTypesSql(const Dialect& dialect, absl::string_view relation);

// `type` as the catalogue prints it; `described` is what the driver made of it. MariaDB's as
// TypeOfMariaDb() has them.
ColumnType TypeOfCatalog(DialectKind dialect, absl::string_view type, const ColumnType& described);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_CATALOG_TYPE_H_
