// From a driver's description of a column to our type, for drivers that can be trusted with types.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_COLUMN_TYPE_H_
#define HEADWATER_WORKER_SOURCE_ODBC_COLUMN_TYPE_H_

#include <sql.h>
#include <sqlext.h>

#include "absl/strings/string_view.h"
#include "common/data/schema.h"

namespace headwater {

// `type_name` tells apart what SQL types do not: PostgreSQL's `timestamptz` is an instant. Decimals
// without a precision, or with more than 38 digits, are strings; so are times, intervals and
// whatever ODBC does not know.
ColumnType TypeOfOdbc(SQLSMALLINT sql_type, absl::string_view type_name, SQLULEN size,
                      SQLSMALLINT digits);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_COLUMN_TYPE_H_
