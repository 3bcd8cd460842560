// From a driver's description of a column to our type, for drivers that can be trusted with types.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_COLUMN_TYPE_H_
#define HEADWATER_WORKER_SOURCE_ODBC_COLUMN_TYPE_H_

#include <sql.h>
#include <sqlext.h>

#include "absl/strings/string_view.h"
#include "common/data/schema.h"

namespace headwater {

// Types of SQL Server's drivers that ODBC's headers do not have.
inline constexpr SQLSMALLINT kSqlServerTime = -154;
inline constexpr SQLSMALLINT kSqlServerOffset = -155;

struct OdbcType {
  SQLSMALLINT sql_type = SQL_UNKNOWN_TYPE;
  absl::string_view type_name = "";
  SQLULEN size = 0;
  SQLSMALLINT digits = 0;
  bool is_unsigned = false;
};

// The name tells apart what SQL types do not: PostgreSQL's `timestamptz` is an instant, its `money`
// no number. Unsigned integers get the next wider type (of 64 bits: decimal(20,0)). Decimals
// without a precision, or with more than 38 digits, are strings; so are times, intervals and
// whatever ODBC does not know.
ColumnType TypeOfOdbc(const OdbcType& type);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_COLUMN_TYPE_H_
