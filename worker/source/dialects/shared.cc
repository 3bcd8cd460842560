#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "worker/source/dialects/dialects.h"
#include "worker/source/value_text.h"

namespace headwater::dialects {

int64_t RoundUp(int64_t value, int64_t unit) {
  const int64_t rest = value % unit;
  if (rest == 0) return value;
  return value - rest + (rest < 0 ? 0 : unit);
}

int64_t RoundUpToDigits(int64_t micros, int digits) {
  int64_t unit = kMicrosPerSecond;
  for (int i = 0; i < digits && unit > 1; ++i) unit /= 10;
  return RoundUp(micros, unit);
}

int FractionDigits(absl::string_view source_type, int by_default) {
  const size_t open = source_type.find('(');
  if (open == absl::string_view::npos) return by_default;
  const absl::string_view rest = source_type.substr(open + 1);
  int digits = 0;
  return absl::SimpleAtoi(rest.substr(0, rest.find(')')), &digits) && digits >= 0 && digits < 7
             ? digits
             : by_default;
}

std::string CivilText(int64_t micros, char separator) {
  const int64_t days = micros / kMicrosPerDay - (micros % kMicrosPerDay < 0 ? 1 : 0);
  const int64_t of_day = micros - days * kMicrosPerDay;
  const int64_t second = of_day / kMicrosPerSecond;
  std::string text = DayText(days);
  absl::StrAppendFormat(&text, "%c%02d:%02d:%02d", separator, second / 3600, second / 60 % 60,
                        second % 60);
  if (const int64_t fraction = of_day % kMicrosPerSecond; fraction != 0) {
    absl::StrAppendFormat(&text, ".%06d", fraction);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

std::string DayText(int64_t days) {
  const absl::CivilDay day = absl::CivilDay(1970, 1, 1) + days;
  return absl::StrFormat("%04d-%02d-%02d", day.year(), day.month(), day.day());
}

std::string StandardText(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

absl::StatusOr<std::string> StandardCursorLiteral(const CursorColumn& cursor, int64_t value) {
  if (cursor.type == CursorType::kInteger) return absl::StrCat(value);
  if (cursor.type == CursorType::kDate) return absl::StrCat("DATE '", DayText(value), "'");
  return absl::StrCat("TIMESTAMP '", CivilText(value, ' '), "'");
}

std::string SameText(absl::string_view expression) { return std::string(expression); }

absl::StatusOr<std::string> CommonKeyLiteral(const Dialect& dialect, const Column& key,
                                             absl::string_view source_type,
                                             absl::string_view text) {
  const auto unfit = [&] {
    return absl::InvalidArgumentError(absl::StrCat("key column '", key.name, "' gave '",
                                                   Excerpt(text), "', which is no ",
                                                   TypeToString(key.type)));
  };
  if (const std::optional<CursorType> type = CursorTypeOf(key.type.kind)) {
    const std::optional<int64_t> value = ParseCursor(*type, text);
    if (!value.has_value()) return unfit();
    // SQLite's text may have either separator; that of the value itself is the column's.
    const char separator = text.size() > 10 && text[10] == 'T' ? 'T' : ' ';
    return CursorLiteral(
        dialect, CursorColumn{key.name, *type, separator, std::string(source_type)}, *value);
  }
  if (key.type.kind == TypeKind::kDecimal) {
    if (!ParseDecimal(text, key.type.precision, key.type.scale).has_value()) return unfit();
    return std::string(text);
  }
  if (key.type.kind == TypeKind::kString) return QuoteText(dialect, text);
  return absl::InvalidArgumentError(absl::StrCat("key column '", key.name, "' is a ",
                                                 TypeToString(key.type),
                                                 "; its values do not divide the rows"));
}

std::string TileQuantiles(const QuantileNames& names, std::string (*as_text)(absl::string_view)) {
  return absl::StrCat("SELECT ", as_text("MIN(tiles.value)"), " FROM (SELECT ", names.column,
                      " AS value, NTILE(", names.parts, ") OVER (ORDER BY ", names.column,
                      ") AS tile FROM ", names.relation, " WHERE ", names.column,
                      " IS NOT NULL) AS tiles WHERE tiles.tile > 1 GROUP BY tiles.tile "
                      "ORDER BY MIN(tiles.value)");
}

}  // namespace headwater::dialects
