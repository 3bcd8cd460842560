#include "worker/source/odbc/column_type.h"

#include "absl/strings/match.h"

namespace headwater {

ColumnType TypeOfOdbc(SQLSMALLINT sql_type, absl::string_view type_name, SQLULEN size,
                      SQLSMALLINT digits) {
  constexpr SQLULEN kMaxPrecision = 38;
  // psqlODBC calls booleans texts of five characters.
  if (absl::EqualsIgnoreCase(type_name, "bool")) return ColumnType{TypeKind::kBoolean};
  switch (sql_type) {
    case SQL_BIT:
      return ColumnType{TypeKind::kBoolean};
    case SQL_TINYINT:  // SQL Server's is unsigned, which a byte does not hold.
    case SQL_SMALLINT:
      return ColumnType{TypeKind::kShort};
    case SQL_INTEGER:
      return ColumnType{TypeKind::kInteger};
    case SQL_BIGINT:
      return ColumnType{TypeKind::kLong};
    case SQL_REAL:
      return ColumnType{TypeKind::kFloat};
    case SQL_FLOAT:
    case SQL_DOUBLE:
      return ColumnType{absl::EqualsIgnoreCase(type_name, "float4") ? TypeKind::kFloat
                                                                    : TypeKind::kDouble};
    case SQL_DECIMAL:
    case SQL_NUMERIC:
      if (size < 1 || size > kMaxPrecision || digits < 0 || static_cast<SQLULEN>(digits) > size) {
        return ColumnType{TypeKind::kString};
      }
      return ColumnType{TypeKind::kDecimal, static_cast<int>(size), digits};
    case SQL_BINARY:
    case SQL_VARBINARY:
    case SQL_LONGVARBINARY:
      return ColumnType{TypeKind::kBinary};
    case SQL_TYPE_DATE:
      return ColumnType{TypeKind::kDate};
    case SQL_TYPE_TIMESTAMP: {
      const bool zoned = absl::EqualsIgnoreCase(type_name, "timestamptz") ||
                         absl::EqualsIgnoreCase(type_name, "timestamp with time zone") ||
                         absl::EqualsIgnoreCase(type_name, "datetimeoffset");
      return ColumnType{zoned ? TypeKind::kTimestamp : TypeKind::kTimestampNtz};
    }
    default:
      return ColumnType{TypeKind::kString};
  }
}

}  // namespace headwater
