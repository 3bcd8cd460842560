#include "worker/source/postgres/postgres_type.h"

#include <algorithm>
#include <array>

#include "absl/strings/substitute.h"

namespace headwater {
namespace {

constexpr int kModifierHeader = 4;  // typmod counts a header that is no part of the value.
constexpr int kMaxPrecision = 38;
constexpr ColumnType kMoney{TypeKind::kDecimal, 19, 2};  // 2^63 hundredths.

constexpr absl::string_view kAsIs = "$0";
constexpr absl::string_view kAsText = "$0::text";
// A cast of these to text is not what the server prints of them.
constexpr absl::string_view kInetOut = "pg_catalog.textin(pg_catalog.inet_out($0))";
constexpr absl::string_view kCidrOut = "pg_catalog.textin(pg_catalog.cidr_out($0))";
constexpr absl::string_view kXmlOut = "pg_catalog.textin(pg_catalog.xml_out($0))";
constexpr absl::string_view kAsJson = "pg_catalog.to_json($0)";
// The text of money depends on the locale of whoever reads it.
constexpr absl::string_view kMoneyAsJson = "pg_catalog.to_json($0::numeric[])";

constexpr std::array<PostgresRule, 38> kRules = {{
    {"bool", TypeKind::kBoolean, WireShape::kBool, kAsIs, ""},
    {"int2", TypeKind::kShort, WireShape::kInt2, kAsIs, ""},
    {"int4", TypeKind::kInteger, WireShape::kInt4, kAsIs, ""},
    {"int8", TypeKind::kLong, WireShape::kInt8, kAsIs, ""},
    {"oid", TypeKind::kLong, WireShape::kOid, kAsIs, "0 to 4294967295"},
    {"float4", TypeKind::kFloat, WireShape::kFloat4, kAsIs, "bit for bit, with -0, NaN, infinity"},
    {"float8", TypeKind::kDouble, WireShape::kFloat8, kAsIs, "bit for bit, with -0, NaN, infinity"},
    {"numeric(p,s)", TypeKind::kDecimal, WireShape::kNumeric, kAsIs,
     "where its digits are at most 38; a negative scale becomes zeros: numeric(5,-2) is "
     "decimal(7,0), numeric(2,4) decimal(4,4); NaN is an error"},
    {"numeric", TypeKind::kString, WireShape::kNumericText, kAsIs,
     "every digit, as PostgreSQL prints it: `-0.50`, `NaN`, `Infinity`; also a numeric(p,s) of "
     "more than 38 digits"},
    {"money", TypeKind::kDecimal, WireShape::kNumeric, "$0::numeric",
     "an amount with a third decimal is an error"},
    {"text", TypeKind::kString, WireShape::kText, kAsIs, "'' and NULL stay apart"},
    {"varchar", TypeKind::kString, WireShape::kText, kAsIs, ""},
    {"bpchar", TypeKind::kString, WireShape::kText, kAsIs, "char(n), with its blanks at the end"},
    {"char", TypeKind::kString, WireShape::kChar, kAsIs, "the one-byte type \"char\"; ASCII only"},
    {"name", TypeKind::kString, WireShape::kText, kAsIs, ""},
    {"citext", TypeKind::kString, WireShape::kText, kAsIs, "with its case as written"},
    {"enum", TypeKind::kString, WireShape::kText, kAsIs, "the label"},
    {"uuid", TypeKind::kString, WireShape::kUuid, kAsIs, "lower case, with hyphens"},
    {"json", TypeKind::kString, WireShape::kText, kAsIs, "as written"},
    {"jsonb", TypeKind::kString, WireShape::kJsonb, kAsIs, "as PostgreSQL prints it"},
    {"xml", TypeKind::kString, WireShape::kText, kXmlOut, "as PostgreSQL prints it"},
    {"bytea", TypeKind::kBinary, WireShape::kBytea, kAsIs, ""},
    {"date", TypeKind::kDate, WireShape::kDate, kAsIs,
     "4713 BC to the year 5874897; infinity is an error"},
    {"timestamp", TypeKind::kTimestampNtz, WireShape::kTimestamp, kAsIs,
     "microseconds, 4713 BC to the year 294246; later ones and infinity are errors"},
    {"timestamptz", TypeKind::kTimestamp, WireShape::kTimestamp, kAsIs,
     "the instant, in UTC; limits as of timestamp"},
    {"time", TypeKind::kString, WireShape::kText, kAsText, "`04:05:06.789`, up to `24:00:00`"},
    {"timetz", TypeKind::kString, WireShape::kText, kAsText, "`04:05:06.789+02`, as stored"},
    {"interval", TypeKind::kString, WireShape::kText, kAsText, "ISO 8601: `P1Y2M3DT4H5M6.789S`"},
    {"inet", TypeKind::kString, WireShape::kText, kInetOut, "`10.0.0.1`, `10.0.0.1/8`, `::1`"},
    {"cidr", TypeKind::kString, WireShape::kText, kCidrOut, "`10.0.0.0/8`"},
    {"macaddr", TypeKind::kString, WireShape::kText, kAsText, "`08:00:2b:01:02:03`"},
    {"macaddr8", TypeKind::kString, WireShape::kText, kAsText, "`08:00:2b:01:02:03:04:05`"},
    {"bit", TypeKind::kString, WireShape::kText, kAsText, "`0101`"},
    {"varbit", TypeKind::kString, WireShape::kText, kAsText, "`0101`"},
    {"pg_lsn", TypeKind::kString, WireShape::kText, kAsText, "`16/B374D848`"},
    {"array", TypeKind::kString, WireShape::kText, kAsJson,
     "JSON, `[1,null,3]`; of more dimensions nested; bounds other than 1 are lost"},
    {"money[]", TypeKind::kString, WireShape::kText, kMoneyAsJson, "JSON numbers, `[1.50,null]`"},
    {"*", TypeKind::kString, WireShape::kText, kAsText,
     "geometry, tsvector, ranges, composites …; with a warning in `plan`"},
}};

// Of columns that are read as text though their type is another.
constexpr PostgresRule kMoneyText = {"money", TypeKind::kString, WireShape::kNumericText,
                                     "$0::numeric", ""};
constexpr PostgresRule kOtherText = {"other", TypeKind::kString, WireShape::kText, kAsText, ""};

const PostgresRule& RuleOf(absl::string_view name) {
  const auto* const rule =
      std::find_if(kRules.begin(), kRules.end(),
                   [&](const PostgresRule& candidate) { return candidate.name == name; });
  return rule == kRules.end() ? kRules.back() : *rule;
}

// The decimal that holds every value of numeric(p,s); precision 0: there is none.
ColumnType DecimalOf(int modifier) {
  if (modifier < kModifierHeader) return {TypeKind::kDecimal};
  int precision = ((modifier - kModifierHeader) >> 16) & 0xFFFF;
  // Eleven bits with a sign.
  int scale = (((modifier - kModifierHeader) & 0x7FF) ^ 1024) - 1024;
  if (scale < 0) {  // Zeros before the point.
    precision -= scale;
    scale = 0;
  }
  precision = std::max(precision, scale);  // Zeros after it.
  if (precision > kMaxPrecision) return {TypeKind::kDecimal};
  return {TypeKind::kDecimal, precision, scale};
}

}  // namespace

absl::Span<const PostgresRule> PostgresRules() { return kRules; }

PostgresType TypeOfPostgres(const PostgresTypeName& name) {
  if (name.name == "numeric") {
    const ColumnType decimal = DecimalOf(name.modifier);
    if (decimal.precision > 0) return {.type = decimal, .rule = &RuleOf("numeric(p,s)")};
  }
  const PostgresRule& rule = RuleOf(name.name);
  if (rule.name == "money") return {.type = kMoney, .rule = &rule};
  return {.type = ColumnType{rule.kind}, .rule = &rule};
}

PostgresType AsText(const PostgresType& type) {
  if (type.rule->kind == TypeKind::kString) return type;
  const PostgresRule& rule = type.rule->name == "numeric(p,s)" ? RuleOf("numeric")
                             : type.rule->name == "money"      ? kMoneyText
                                                               : kOtherText;
  return {.type = ColumnType{TypeKind::kString}, .rule = &rule};
}

std::string SelectedAs(const PostgresType& type, absl::string_view column) {
  return absl::Substitute(type.rule->select, column);
}

}  // namespace headwater
