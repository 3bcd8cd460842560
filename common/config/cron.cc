#include "common/config/cron.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"

namespace headwater {
namespace {

struct Field {
  absl::string_view name;
  int least = 0;
  int most = 0;
  int first_name = 0;  // The value of names[0].
  std::vector<absl::string_view> names = {};
};

const std::vector<absl::string_view>& Months() {
  static const auto& months = *new std::vector<absl::string_view>{
      "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  return months;
}

const std::vector<absl::string_view>& Weekdays() {
  static const auto& weekdays =
      *new std::vector<absl::string_view>{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
  return weekdays;
}

std::vector<Field> FieldsOf(bool quartz) {
  std::vector<Field> fields;
  if (quartz) fields.push_back({"second", 0, 59});
  fields.push_back({"minute", 0, 59});
  fields.push_back({"hour", 0, 23});
  fields.push_back({"day", 1, 31});
  fields.push_back({"month", 1, 12, 1, Months()});
  fields.push_back(quartz ? Field{"weekday", 1, 7, 1, Weekdays()}
                          : Field{"weekday", 0, 7, 0, Weekdays()});
  if (quartz) fields.push_back({"year", 1970, 2099});
  return fields;
}

absl::Status Wrong(const Field& field, absl::string_view found) {
  const std::string names =
      field.names.empty() ? ""
                          : absl::StrCat(" or ", field.names.front(), " to ", field.names.back());
  return absl::InvalidArgumentError(absl::StrCat(field.name, ": expected ", field.least, " to ",
                                                 field.most, names, ", found '", found, "'"));
}

std::optional<int> ValueOf(const Field& field, absl::string_view text) {
  for (size_t i = 0; i < field.names.size(); ++i) {
    if (absl::EqualsIgnoreCase(text, field.names[i])) {
      return field.first_name + static_cast<int>(i);
    }
  }
  int value = 0;
  const bool digits = !text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text[0]));
  if (!digits || !absl::SimpleAtoi(text, &value)) return std::nullopt;
  if (value < field.least || value > field.most) return std::nullopt;
  return value;
}

absl::Status CheckItem(const Field& field, absl::string_view item) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(item, absl::MaxSplits('/', 1));
  if (absl::StrContains(item, '/')) {
    int step = 0;
    if (!absl::SimpleAtoi(parts.second, &step) || step < 1 || step > field.most) {
      return absl::InvalidArgumentError(absl::StrCat(field.name, ": expected a step from 1 to ",
                                                     field.most, ", found '", parts.second, "'"));
    }
  }
  if (parts.first == "*") return absl::OkStatus();
  const std::vector<absl::string_view> ends = absl::StrSplit(parts.first, absl::MaxSplits('-', 1));
  const std::optional<int> from = ValueOf(field, ends.front());
  if (!from.has_value()) return Wrong(field, ends.front());
  const std::optional<int> to = ValueOf(field, ends.back());
  if (!to.has_value()) return Wrong(field, ends.back());
  if (*from <= *to) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field.name, ": the range '", parts.first, "' ends before it begins; write '",
                   ends.front(), "-", field.most, ",", field.least, "-", ends.back(), "'"));
}

// What only Quartz has, and only as a whole field; false: nothing of that.
bool IsQuartzDay(const Field& day, absl::string_view text) {
  if (text == "?" || text == "L" || text == "LW") return true;
  if (absl::ConsumePrefix(&text, "L-")) {
    const std::optional<int> before = ValueOf(day, text);
    return before.has_value() && *before < day.most;
  }
  return absl::ConsumeSuffix(&text, "W") && ValueOf(day, text).has_value();
}

bool IsQuartzWeekday(const Field& weekday, absl::string_view text) {
  constexpr absl::string_view kWeeks = "12345";
  if (text == "?" || text == "L") return true;
  if (absl::ConsumeSuffix(&text, "L")) return ValueOf(weekday, text).has_value();
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('#', 1));
  return parts.second.size() == 1 && absl::StrContains(kWeeks, parts.second) &&
         ValueOf(weekday, parts.first).has_value();
}

bool IsOpen(absl::string_view field) { return field == "?" || field == "*"; }

}  // namespace

absl::Status CheckCron(absl::string_view expression) {
  constexpr size_t kDay = 3, kWeekday = 5;  // Of Quartz.
  const std::vector<absl::string_view> texts =
      absl::StrSplit(expression, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (texts.size() < 5 || texts.size() > 7) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected five fields (0 5 * * *) or Quartz's six or seven (0 0 5 * * ?), "
                     "found ",
                     texts.size()));
  }
  const bool quartz = texts.size() > 5;
  const std::vector<Field> fields = FieldsOf(quartz);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (quartz && i == kDay && IsQuartzDay(fields[i], texts[i])) continue;
    if (quartz && i == kWeekday && IsQuartzWeekday(fields[i], texts[i])) continue;
    for (const absl::string_view item : absl::StrSplit(texts[i], ',')) {
      RETURN_IF_ERROR(CheckItem(fields[i], item));
    }
  }
  if (!quartz) return absl::OkStatus();
  const absl::string_view day = texts[kDay], weekday = texts[kWeekday];
  if (day == "?" && weekday == "?") {
    return absl::InvalidArgumentError("day and weekday are both '?'; one of them has to choose");
  }
  if (IsOpen(day) || IsOpen(weekday)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("day '", day, "' and weekday '", weekday,
                                                 "' both choose; one of them has to be '?'"));
}

}  // namespace headwater
