#include "common/data/quiet_window.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"

namespace headwater {
namespace {

constexpr int kDays = 7;
constexpr unsigned kEveryDay = (1U << kDays) - 1;
constexpr std::array<absl::string_view, kDays> kNames = {"mon", "tue", "wed", "thu",
                                                         "fri", "sat", "sun"};

std::optional<int> DayOf(absl::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<int>(found - kNames.begin());
}

std::optional<unsigned> DaysOf(absl::string_view text) {
  unsigned days = 0;
  for (const absl::string_view item : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> ends = absl::StrSplit(item, '-');
    const std::optional<int> first = DayOf(ends.front()), last = DayOf(ends.back());
    if (ends.size() > 2 || !first.has_value() || !last.has_value()) return std::nullopt;
    for (int day = *first;; day = (day + 1) % kDays) {  // "fri-mon" goes over the week's end.
      days |= 1U << day;
      if (day == *last) break;
    }
  }
  return days;
}

std::optional<int> MinuteOf(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  int hour = 0, minute = 0;
  if (parts.size() != 2 || parts[1].size() != 2 || parts[0].empty() || parts[0].size() > 2 ||
      !absl::SimpleAtoi(parts[0], &hour) || !absl::SimpleAtoi(parts[1], &minute) || hour < 0 ||
      minute < 0 || minute > 59 || hour * 60 + minute > kMinutesPerDay) {
    return std::nullopt;
  }
  return hour * 60 + minute;
}

bool TakeHours(absl::string_view text, QuietWindow& window) {
  const std::vector<absl::string_view> ends = absl::StrSplit(text, '-');
  if (ends.size() != 2) return false;
  const std::optional<int> from = MinuteOf(ends[0]), to = MinuteOf(ends[1]);
  if (!from.has_value() || !to.has_value() || *from == *to || *from == kMinutesPerDay) return false;
  window.from_minute = *from;
  window.to_minute = *to == 0 ? kMinutesPerDay : *to;
  return true;
}

int LengthOf(const QuietWindow& window) {
  const int length = window.to_minute - window.from_minute;
  return length > 0 ? length : length + kMinutesPerDay;
}

absl::Time At(absl::CivilDay day, int minute, absl::TimeZone zone) {
  return absl::FromCivil(absl::CivilMinute(day) + minute, zone);
}

// The end of `window` that begins on `day`, if it holds `now`.
std::optional<absl::Time> EndOf(const QuietWindow& window, absl::CivilDay day, absl::TimeZone zone,
                                absl::Time now) {
  const int weekday = static_cast<int>(absl::GetWeekday(day));
  if ((window.days >> weekday & 1U) == 0) return std::nullopt;
  const absl::Time end = At(day, window.from_minute + LengthOf(window), zone);
  if (now < At(day, window.from_minute, zone) || now >= end) return std::nullopt;
  return end;
}

}  // namespace

absl::StatusOr<QuietWindow> ParseQuietWindow(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  const std::vector<absl::string_view> words =
      absl::StrSplit(lower, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  QuietWindow window{kEveryDay, 0, kMinutesPerDay};
  bool good = words.size() == 1 || words.size() == 2;
  if (good) {
    const std::optional<unsigned> days = DaysOf(words.front());
    if (days.has_value()) window.days = *days;
    const bool has_hours = words.size() == 2 || !days.has_value();
    good =
        (words.size() == 1 || days.has_value()) && (!has_hours || TakeHours(words.back(), window));
  }
  if (good) return window;
  return absl::InvalidArgumentError(
      absl::StrCat("'", text,
                   "' is no quiet window; expected days, hours or both, such as "
                   "'mon-fri 08:00-16:30', 'sat,sun' or '22:00-02:00'"));
}

bool LeaveRoom(absl::Span<const QuietWindow> windows) {
  std::bitset<kDays * kMinutesPerDay> quiet;
  for (const QuietWindow& window : windows) {
    for (int day = 0; day < kDays; ++day) {
      if ((window.days >> day & 1U) == 0) continue;
      const int from = day * kMinutesPerDay + window.from_minute;
      for (int i = 0; i < LengthOf(window); ++i) {
        quiet.set(static_cast<size_t>(from + i) % quiet.size());
      }
    }
  }
  return !quiet.all();
}

std::optional<absl::Time> QuietUntil(absl::Span<const QuietWindow> windows, absl::TimeZone zone,
                                     absl::Time now) {
  absl::Time at = now;
  for (bool moved = true; moved;) {  // Ends: some minute of the week is free.
    moved = false;
    for (const QuietWindow& window : windows) {
      const absl::CivilDay today = absl::ToCivilDay(at, zone);
      for (const absl::CivilDay day : {today - 1, today}) {
        if (const auto end = EndOf(window, day, zone, at); end.has_value()) {
          at = *end;
          moved = true;
          break;
        }
      }
    }
  }
  if (at == now) return std::nullopt;
  return at;
}

}  // namespace headwater
