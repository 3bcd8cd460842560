// Which types give one text on both sides. tests/db/cross_source_sum_test.cc has a case for each.
#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "worker/source/checksum_query.h"

namespace headwater {
namespace {

// A type in the source's words, without what is in brackets, and what its columns are read as.
struct Agreed {
  absl::string_view name;
  TypeKind kind;
};

// Not here: char(n), which text() gives without its blanks and COPY with them; money, whose text
// depends on the locale; inet, cidr and xml, whose casts differ from what is printed; arrays, which
// are read as JSON; enums, domains and whatever else has a name of its own, since a name tells
// nothing.
constexpr std::array<Agreed, 26> kPostgres = {{
    {"boolean", TypeKind::kBoolean},
    {"smallint", TypeKind::kShort},
    {"integer", TypeKind::kInteger},
    {"bigint", TypeKind::kLong},
    {"oid", TypeKind::kLong},
    {"real", TypeKind::kFloat},
    {"double precision", TypeKind::kDouble},
    {"numeric", TypeKind::kDecimal},
    {"numeric", TypeKind::kString},  // Of any or of too many digits.
    {"text", TypeKind::kString},
    {"character varying", TypeKind::kString},
    {"name", TypeKind::kString},
    {"uuid", TypeKind::kString},
    {"json", TypeKind::kString},
    {"jsonb", TypeKind::kString},
    {"bytea", TypeKind::kBinary},
    {"date", TypeKind::kDate},
    {"timestamp without time zone", TypeKind::kTimestampNtz},
    {"timestamp with time zone", TypeKind::kTimestamp},
    {"time without time zone", TypeKind::kString},
    {"time with time zone", TypeKind::kString},
    {"interval", TypeKind::kString},
    {"macaddr", TypeKind::kString},
    {"bit", TypeKind::kString},
    {"bit varying", TypeKind::kString},
    {"pg_lsn", TypeKind::kString},
}};

// Not here: floating point, to whose bits the server has no way; year, whose 0 is printed as 0000;
// bit(n), of which HEX shows a number; geometry.
constexpr std::array<Agreed, 32> kMariaDb = {{
    {"tinyint", TypeKind::kBoolean},     {"bit", TypeKind::kBoolean},
    {"tinyint", TypeKind::kShort},       {"smallint", TypeKind::kShort},
    {"smallint", TypeKind::kInteger},    {"mediumint", TypeKind::kInteger},
    {"int", TypeKind::kInteger},         {"int", TypeKind::kLong},
    {"bigint", TypeKind::kLong},         {"bigint", TypeKind::kDecimal},
    {"decimal", TypeKind::kDecimal},     {"decimal", TypeKind::kString},  // Of too many digits.
    {"date", TypeKind::kDate},           {"datetime", TypeKind::kTimestampNtz},
    {"timestamp", TypeKind::kTimestamp}, {"char", TypeKind::kString},
    {"varchar", TypeKind::kString},      {"tinytext", TypeKind::kString},
    {"text", TypeKind::kString},         {"mediumtext", TypeKind::kString},
    {"longtext", TypeKind::kString},     {"enum", TypeKind::kString},
    {"set", TypeKind::kString},          {"time", TypeKind::kString},
    {"uuid", TypeKind::kString},         {"inet6", TypeKind::kString},
    {"binary", TypeKind::kBinary},       {"varbinary", TypeKind::kBinary},
    {"tinyblob", TypeKind::kBinary},     {"blob", TypeKind::kBinary},
    {"mediumblob", TypeKind::kBinary},   {"longblob", TypeKind::kBinary},
}};

// `timestamp(3) without time zone` without its number.
std::string WithoutBrackets(absl::string_view type) {
  const size_t open = type.find('('), close = type.find(')');
  if (open == absl::string_view::npos || close == absl::string_view::npos || close < open) {
    return std::string(type);
  }
  return absl::StrCat(type.substr(0, open), type.substr(close + 1));
}

bool OneOf(absl::Span<const Agreed> agreed, absl::string_view name, const ChecksumColumn& column) {
  return std::any_of(agreed.begin(), agreed.end(), [&](const Agreed& one) {
    // Whatever is read as text, the server casts in the same way for both.
    const TypeKind kind = column.as_text ? TypeKind::kString : one.kind;
    return one.name == name && kind == column.column.type.kind;
  });
}

bool SameText(const Dialect& dialect, const ChecksumColumn& column) {
  if (dialect.kind == DialectKind::kSqlite) return true;  // Its functions are ours.
  const absl::string_view type = column.source_type;
  if (dialect.kind == DialectKind::kPostgres) {
    return OneOf(kPostgres, WithoutBrackets(type), column);
  }
  if (dialect.kind != DialectKind::kMariaDb || absl::StrContains(type, "zerofill")) return false;
  const absl::string_view name = type.substr(0, type.find_first_of(" ("));
  if (column.as_text && name == "bit") return false;  // Which CONVERT takes for bytes.
  return OneOf(kMariaDb, name, column);
}

bool IsInteger(TypeKind kind) {
  return kind == TypeKind::kByte || kind == TypeKind::kShort || kind == TypeKind::kInteger ||
         kind == TypeKind::kLong;
}

// Whether a value has the same text in the table's column as in the source's.
bool SameIn(const ColumnType& table, const ColumnType& source) {
  if (IsInteger(table.kind)) return IsInteger(source.kind);
  if (table.kind == TypeKind::kDouble && source.kind == TypeKind::kFloat) return true;
  return table.kind == source.kind && table.scale == source.scale;
}

}  // namespace

std::vector<std::string> DifferingColumns(const Dialect& dialect,
                                          const std::vector<ChecksumColumn>& columns) {
  std::vector<std::string> differing;
  for (const ChecksumColumn& column : columns) {
    const bool agrees = column.absent || (SameText(dialect, column) &&
                                          SameIn(column.table_type.value_or(column.column.type),
                                                 column.column.type));
    if (!agrees) differing.push_back(column.column.name);
  }
  return differing;
}

bool ChecksumsAgree(const Dialect& dialect, const std::vector<ChecksumColumn>& columns) {
  return DifferingColumns(dialect, columns).empty();
}

}  // namespace headwater
