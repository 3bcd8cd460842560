#include "worker/source/mariadb_catalog.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "worker/source/dialect.h"

namespace headwater {
namespace {

constexpr int kMaxPrecision = 38;

struct Integer {
  absl::string_view name;
  TypeKind kind;           // Of the signed type.
  TypeKind unsigned_kind;  // kDecimal: decimal(20,0).
};
constexpr std::array<Integer, 6> kIntegers = {{
    {"tinyint", TypeKind::kShort, TypeKind::kShort},
    {"smallint", TypeKind::kShort, TypeKind::kInteger},
    {"mediumint", TypeKind::kInteger, TypeKind::kInteger},
    {"int", TypeKind::kInteger, TypeKind::kLong},
    {"bigint", TypeKind::kLong, TypeKind::kDecimal},
    {"year", TypeKind::kShort, TypeKind::kShort},
}};

struct Other {
  absl::string_view name;
  TypeKind kind;
};
constexpr std::array<Other, 21> kOthers = {{
    {"float", TypeKind::kFloat},
    {"double", TypeKind::kDouble},
    {"date", TypeKind::kDate},
    {"datetime", TypeKind::kTimestampNtz},
    {"timestamp", TypeKind::kTimestamp},
    {"bit", TypeKind::kBinary},
    {"binary", TypeKind::kBinary},
    {"varbinary", TypeKind::kBinary},
    {"tinyblob", TypeKind::kBinary},
    {"blob", TypeKind::kBinary},
    {"mediumblob", TypeKind::kBinary},
    {"longblob", TypeKind::kBinary},
    {"geometry", TypeKind::kBinary},
    {"point", TypeKind::kBinary},
    {"linestring", TypeKind::kBinary},
    {"polygon", TypeKind::kBinary},
    {"multipoint", TypeKind::kBinary},
    {"multilinestring", TypeKind::kBinary},
    {"multipolygon", TypeKind::kBinary},
    {"geometrycollection", TypeKind::kBinary},
    {"geomcollection", TypeKind::kBinary},  // MySQL's word.
}};

ColumnType DecimalOf(absl::string_view column_type) {
  absl::string_view arguments = column_type.substr(column_type.find('(') + 1);
  const std::vector<absl::string_view> parts =
      absl::StrSplit(arguments.substr(0, arguments.find(')')), ',');
  int precision = 0, scale = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &precision) ||
      !absl::SimpleAtoi(parts[1], &scale) || precision < 1 || precision > kMaxPrecision) {
    return ColumnType{TypeKind::kString};
  }
  return ColumnType{TypeKind::kDecimal, precision, scale};
}

}  // namespace

ColumnType TypeOfMariaDb(absl::string_view type) {
  const absl::string_view name = type.substr(0, type.find_first_of(" ("));
  if (type == "tinyint(1)" || type == "bit(1)") return ColumnType{TypeKind::kBoolean};
  if (name == "decimal") return DecimalOf(type);
  for (const Integer& integer : kIntegers) {
    if (name != integer.name) continue;
    const bool is_unsigned = absl::StrContains(type, " unsigned");
    const TypeKind kind = is_unsigned ? integer.unsigned_kind : integer.kind;
    return kind == TypeKind::kDecimal ? ColumnType{kind, 20, 0} : ColumnType{kind};
  }
  const auto* other = std::find_if(kOthers.begin(), kOthers.end(),
                                   [&](const Other& one) { return one.name == name; });
  return ColumnType{other == kOthers.end() ? TypeKind::kString : other->kind};
}

absl::StatusOr<std::string> IsMariaDbTable(absl::string_view relation) {
  const std::vector<absl::string_view> parts = absl::StrSplit(relation, '.');
  ASSIGN_OR_RETURN(const std::string table, QuoteText(parts.back()));
  std::string schema = "DATABASE()";
  if (parts.size() > 1) {
    ASSIGN_OR_RETURN(schema, QuoteText(parts[parts.size() - 2]));
  }
  return absl::StrCat("TABLE_SCHEMA = ", schema, " AND TABLE_NAME = ", table);
}

absl::StatusOr<std::string> MariaDbColumnsSql(absl::string_view relation) {
  ASSIGN_OR_RETURN(const std::string is_table, IsMariaDbTable(relation));
  return absl::StrCat(
      "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE FROM information_schema.COLUMNS WHERE ",
      is_table, " ORDER BY ORDINAL_POSITION");
}

std::string MariaDbBits(absl::string_view type, absl::string_view quoted) {
  int bits = 0;
  absl::ConsumePrefix(&type, "bit(");
  if (!absl::SimpleAtoi(type.substr(0, type.find(')')), &bits) || bits <= 1) {
    return absl::StrCat(quoted, " + 0");
  }
  return absl::StrCat("UNHEX(LPAD(HEX(", quoted, " + 0), ", (bits + 7) / 8 * 2, ", '0'))");
}

}  // namespace headwater
