#include "common/data/instant.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

absl::StatusOr<absl::Time> ParseAgo(absl::string_view text, absl::Time now) {
  int64_t count = 0;
  const absl::string_view digits = text.substr(1, text.size() - 2);
  constexpr int64_t kLongest = 1'000'000;  // Of any unit; far before any data.
  if (text.size() >= 3 && absl::SimpleAtoi(digits, &count) && count >= 0 && count <= kLongest) {
    switch (text.back()) {
      case 'm':
        return now - count * absl::Minutes(1);
      case 'h':
        return now - count * absl::Hours(1);
      case 'd':
        return now - count * absl::Hours(24);
      case 'w':
        return now - count * absl::Hours(7 * 24);
      default:
        break;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "': expected a time before now like -90m, -36h, -7d or -2w"));
}

}  // namespace

absl::StatusOr<int64_t> ParseValue(absl::string_view text) {
  int64_t value = 0;
  if (absl::SimpleAtoi(text, &value)) return value;
  return absl::InvalidArgumentError(absl::StrCat("'", text, "': expected an integer"));
}

absl::StatusOr<absl::Time> ParseInstant(absl::string_view text, absl::Time now,
                                        absl::TimeZone zone) {
  text = absl::StripAsciiWhitespace(text);
  if (text == "now") return now;
  if (absl::StartsWith(text, "-")) return ParseAgo(text, now);
  static constexpr const char* kForms[] = {"%Y-%m-%dT%H:%M:%E*S%Ez",
                                           "%Y-%m-%d %H:%M:%E*S%Ez",
                                           "%Y-%m-%dT%H:%M%Ez",
                                           "%Y-%m-%d %H:%M%Ez",
                                           "%Y-%m-%dT%H:%M:%E*S",
                                           "%Y-%m-%d %H:%M:%E*S",
                                           "%Y-%m-%dT%H:%M",
                                           "%Y-%m-%d %H:%M",
                                           "%Y-%m-%d",
                                           "%Y-%m",
                                           "%E4Y"};
  const std::string whole(text);
  for (const char* form : kForms) {
    absl::Time time;
    std::string why;
    const bool year = absl::string_view(form) == "%E4Y";
    if (year && whole.size() != 4) continue;
    if (absl::ParseTime(form, whole, zone, &time, &why)) return time;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "'", text,
      "': expected a date (2013-03-01), a month (2013-03), a year, a date with a time "
      "(2013-03-01T05:00, with Z or +01:00 at will), a time before now (-7d), now, or an integer "
      "for an integer cursor"));
}

}  // namespace headwater
