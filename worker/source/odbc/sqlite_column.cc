#include "worker/source/odbc/sqlite_column.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr int kMaxPrecision = 38;
constexpr int64_t kMaxExactInteger = int64_t{1} << 53;  // Of a double.
constexpr double kFifteenDigits = 1e15;
// Those that a double holds exactly.
constexpr std::array<double, 23> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

absl::StatusOr<ColumnType> DecimalOf(absl::string_view declared, absl::string_view arguments) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(arguments, absl::MaxSplits(',', 1));
  ColumnType type{TypeKind::kDecimal};
  const bool scaled = !parts.second.empty();
  if (!absl::SimpleAtoi(parts.first, &type.precision) ||
      (scaled && !absl::SimpleAtoi(parts.second, &type.scale)) || type.precision < 1 ||
      type.precision > kMaxPrecision || type.scale < 0 || type.scale > type.precision) {
    return absl::InvalidArgumentError(
        absl::StrCat("declared as '", declared, "'; expected a decimal of at most 38 digits"));
  }
  return type;
}

bool AppendReal(BatchBuilder& batch, int column, const JsonValue& value) {
  if (value.kind == JsonValue::Kind::kInteger) {
    const std::optional<int64_t> integer = ParseInteger(value.text);
    if (!integer.has_value() || !RealOfInteger(*integer).has_value()) return false;
  }
  const std::optional<double> parsed = ParseDouble(value.text);
  if (!parsed.has_value()) return false;
  batch.AppendDouble(column, *parsed);
  return true;
}

bool AppendDecimal(BatchBuilder& batch, int column, const ColumnType& type,
                   const JsonValue& value) {
  std::optional<__int128> unscaled;
  if (value.kind == JsonValue::Kind::kInteger) {
    unscaled = ParseDecimal(value.text, type.precision, type.scale);
  } else if (const std::optional<double> real = ParseDouble(value.text)) {
    unscaled = DecimalOfReal(*real, type);
  }
  if (!unscaled.has_value()) return false;
  batch.AppendDecimal(column, *unscaled);
  return true;
}

}  // namespace

absl::StatusOr<ColumnType> TypeOfDeclared(absl::string_view declared) {
  const std::string upper = absl::AsciiStrToUpper(absl::StripAsciiWhitespace(declared));
  const size_t paren = upper.find('(');
  const absl::string_view whole(upper);
  const absl::string_view base = absl::StripAsciiWhitespace(whole.substr(0, paren));
  if (base.empty()) {
    return absl::InvalidArgumentError(
        "has no declared type (a view's expression?); exclude the column or wrap it in a table");
  }
  if (base == "BOOL" || base == "BOOLEAN") return ColumnType{TypeKind::kBoolean};
  if (base == "DECIMAL" || base == "NUMERIC") {
    if (paren == std::string::npos) return ColumnType{TypeKind::kDouble};
    absl::string_view arguments = whole.substr(paren + 1);
    return DecimalOf(declared, arguments.substr(0, arguments.find(')')));
  }
  if (absl::StartsWith(base, "DATETIME") || absl::StartsWith(base, "TIMESTAMP")) {
    return ColumnType{TypeKind::kTimestampNtz};
  }
  if (base == "DATE") return ColumnType{TypeKind::kDate};
  // From here on in the order of SQLite's own affinity rules.
  if (absl::StrContains(base, "INT")) return ColumnType{TypeKind::kLong};
  if (absl::StrContains(base, "CHAR") || absl::StrContains(base, "CLOB") ||
      absl::StrContains(base, "TEXT")) {
    return ColumnType{TypeKind::kString};
  }
  if (absl::StrContains(base, "BLOB") || absl::StrContains(base, "BINARY") || base == "BYTEA") {
    return ColumnType{TypeKind::kBinary};
  }
  if (absl::StrContains(base, "REAL") || absl::StrContains(base, "FLOA") ||
      absl::StrContains(base, "DOUB")) {
    return ColumnType{TypeKind::kDouble};
  }
  return ColumnType{TypeKind::kString};
}

std::optional<__int128> DecimalOfReal(double value, const ColumnType& type) {
  if (!std::isfinite(value)) return std::nullopt;
  // Most are found without printing them: a quotient of two whole numbers that doubles hold exactly
  // is the double nearest to it.
  if (const int places = type.scale; places < static_cast<int>(kPowersOfTen.size())) {
    const double power = kPowersOfTen[static_cast<size_t>(places)];
    const double unscaled = std::nearbyint(value * power);
    if (std::abs(unscaled) < kFifteenDigits && unscaled / power == value) {
      const size_t precision = std::min<size_t>(static_cast<size_t>(type.precision), 15);
      if (std::abs(unscaled) >= kPowersOfTen[precision]) return std::nullopt;
      return static_cast<int64_t>(unscaled);
    }
  }
  const std::string shortest = absl::StrFormat("%.15g", value);
  if (ParseDouble(shortest) != value) return std::nullopt;
  return ParseDecimal(shortest, type.precision, type.scale);
}

std::optional<double> RealOfInteger(int64_t value) {
  if (value > kMaxExactInteger || value < -kMaxExactInteger) return std::nullopt;
  return static_cast<double>(value);
}

std::string SqliteExpression(const ColumnType& type, absl::string_view quoted_column) {
  const absl::string_view c = quoted_column;
  switch (type.kind) {
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
      // json_array() keeps 15 digits. That is all of a whole number below 10^15, which it prints
      // four times as fast as printf(); 20 digits bring every double back (17 fail one in 400 at
      // the far exponents).
      return absl::StrCat("iif(typeof(", c, ")='real' AND (", c, "<>CAST(", c,
                          " AS INTEGER) OR abs(", c, ")>=1e15),printf('%!.20g',", c, "),", c, ")");
    case TypeKind::kBinary:
      return absl::StrCat("CASE typeof(", c, ") WHEN 'blob' THEN 'x'||hex(", c,
                          ") WHEN 'null' THEN NULL ELSE typeof(", c, ") END");
    default:
      return std::string(c);
  }
}

bool AppendSqliteValue(BatchBuilder& batch, int column, const ColumnType& type,
                       const JsonValue& value) {
  using Kind = JsonValue::Kind;
  if (value.kind == Kind::kNull) {
    batch.AppendNull(column);
    return true;
  }
  switch (type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kLong:
      return value.kind == Kind::kInteger && AppendText(batch, column, type, value.text);
    case TypeKind::kDouble:
      return AppendReal(batch, column, value);
    case TypeKind::kDecimal:
      return AppendDecimal(batch, column, type, value);
    case TypeKind::kBinary: {
      absl::string_view hex = value.text;
      if (value.kind != Kind::kText || !absl::ConsumePrefix(&hex, "x")) return false;
      batch.AppendBytes(column, absl::HexStringToBytes(hex));
      return true;
    }
    case TypeKind::kString:
      return value.kind != Kind::kReal && AppendText(batch, column, type, value.text);
    default:  // Dates and timestamps.
      return value.kind == Kind::kText && AppendText(batch, column, type, value.text);
  }
}

}  // namespace headwater
