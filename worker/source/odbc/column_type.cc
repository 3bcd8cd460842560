#include "worker/source/odbc/column_type.h"

#include "absl/strings/match.h"

namespace headwater {

namespace {

constexpr SQLULEN kMaxPrecision = 38;

ColumnType IntegerOf(const OdbcType& type, TypeKind kind, TypeKind unsigned_kind) {
  return ColumnType{type.is_unsigned ? unsigned_kind : kind};
}

ColumnType DecimalOf(const OdbcType& type) {
  const bool fits = type.size >= 1 && type.size <= kMaxPrecision && type.digits >= 0 &&
                    static_cast<SQLULEN>(type.digits) <= type.size;
  if (!fits) return ColumnType{TypeKind::kString};
  return ColumnType{TypeKind::kDecimal, static_cast<int>(type.size), type.digits};
}

}  // namespace

ColumnType TypeOfOdbc(const OdbcType& type) {
  const absl::string_view name = type.type_name;
  // psqlODBC calls booleans texts of five characters.
  if (absl::EqualsIgnoreCase(name, "bool") || absl::EqualsIgnoreCase(name, "boolean")) {
    return ColumnType{TypeKind::kBoolean};
  }
  switch (type.sql_type) {
    case SQL_BIT:
      return ColumnType{TypeKind::kBoolean};
    case SQL_TINYINT:  // SQL Server's is unsigned, which a byte does not hold.
      return ColumnType{TypeKind::kShort};
    case SQL_SMALLINT:
      return IntegerOf(type, TypeKind::kShort, TypeKind::kInteger);
    case SQL_INTEGER:
      return IntegerOf(type, TypeKind::kInteger, TypeKind::kLong);
    case SQL_BIGINT:
      if (type.is_unsigned) return ColumnType{TypeKind::kDecimal, 20, 0};
      return ColumnType{TypeKind::kLong};
    case SQL_REAL:
      return ColumnType{TypeKind::kFloat};
    case SQL_FLOAT:
    case SQL_DOUBLE:
      if (name == "money") return ColumnType{TypeKind::kString};
      return ColumnType{TypeKind::kDouble};
    case SQL_DECIMAL:
    case SQL_NUMERIC:
      return DecimalOf(type);
    case SQL_BINARY:
    case SQL_VARBINARY:
    case SQL_LONGVARBINARY:
      return ColumnType{TypeKind::kBinary};
    case SQL_TYPE_DATE:
      return ColumnType{TypeKind::kDate};
    case kSqlServerOffset:
      return ColumnType{TypeKind::kTimestamp};
    case SQL_TYPE_TIMESTAMP: {
      const bool zoned = absl::EqualsIgnoreCase(name, "timestamptz") ||
                         absl::EndsWithIgnoreCase(name, "with time zone") ||
                         absl::EqualsIgnoreCase(name, "datetimeoffset");
      return ColumnType{zoned ? TypeKind::kTimestamp : TypeKind::kTimestampNtz};
    }
    default:
      return ColumnType{TypeKind::kString};
  }
}

}  // namespace headwater
