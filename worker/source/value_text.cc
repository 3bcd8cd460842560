#include "worker/source/value_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace headwater {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr size_t kMaxExcerptBytes = 80;
constexpr int kMaxDigits = 38;
constexpr size_t kSmallDigits = 18;  // Of any number that 64 bits hold.
constexpr int kMaxExponent = 400;  // Beyond what any number with 38 digits and a double's can have.

constexpr auto kPowersOfTen = [] {
  std::array<int64_t, kSmallDigits + 1> powers{1};
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Exactly `kCount` digits at `text[at]`, or -1.
template <size_t kCount>
int Digits(absl::string_view text, size_t at) {
  if (at + kCount > text.size()) return -1;
  unsigned value = 0;
  bool digits = true;
  for (size_t i = 0; i < kCount; ++i) {
    const unsigned digit = static_cast<unsigned char>(text[at + i]) - unsigned{'0'};
    digits &= digit <= 9;
    value = value * 10 + digit;
  }
  return digits ? static_cast<int>(value) : -1;
}

// What nearly all decimals are: digits and perhaps a point, which 64 bits hold at the column's
// scale. None: those that are not, and what is no number.
std::optional<int64_t> ParseSmallDecimal(absl::string_view text, int precision, int scale) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > kSmallDigits || scale > static_cast<int>(kSmallDigits)) {
    return std::nullopt;
  }
  int64_t value = 0;
  size_t point = text.size();
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsDigit(text[i])) {
      value = value * 10 + (text[i] - '0');
    } else if (text[i] == '.' && point == text.size()) {
      point = i;
    } else {
      return std::nullopt;
    }
  }
  const bool whole = point == text.size();
  const int places = whole ? 0 : static_cast<int>(text.size() - point) - 1;
  if (places > scale || (!whole && text.size() == 1)) return std::nullopt;
  const int64_t factor = kPowersOfTen[static_cast<size_t>(scale - places)];
  const int64_t limit = kPowersOfTen[std::min(static_cast<size_t>(precision), kSmallDigits)];
  if (value > (limit - 1) / factor) return std::nullopt;  // More than 64 bits or the column hold.
  return negative ? -value * factor : value * factor;
}

// Days since 1970-01-01 of a proleptic Gregorian date, by counting 400-year eras from 0000-03-01.
int32_t DaysFromCivil(int year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int era = year / 400;
  const int of_era = year - era * 400;
  const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

int DaysInMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Consumes a wall clock at the front of `text`.
std::optional<int64_t> TakeWallClock(absl::string_view& text, bool* finer) {
  if (finer != nullptr) *finer = false;
  if (text.size() < 19 || (text[10] != ' ' && text[10] != 'T')) return std::nullopt;
  const std::optional<int32_t> days = ParseDate(text.substr(0, 10));
  const int hour = Digits<2>(text, 11);
  const int minute = Digits<2>(text, 14);
  const int second = Digits<2>(text, 17);
  if (!days.has_value() || text[13] != ':' || text[16] != ':' || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  text.remove_prefix(19);
  int64_t micros = 0;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    int64_t weight = 100'000;
    size_t digits = 0;
    for (; digits < text.size() && IsDigit(text[digits]); ++digits, weight /= 10) {
      if (weight == 0 && text[digits] != '0') {
        if (finer == nullptr) return std::nullopt;
        *finer = true;
      }
      micros += weight * (text[digits] - '0');
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
  }
  const int64_t seconds = int64_t{*days} * 86'400 + hour * 3600 + minute * 60 + second;
  return seconds * kMicrosPerSecond + micros;
}

}  // namespace

std::optional<int64_t> ParseInteger(absl::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseDouble(absl::string_view text) {
  absl::string_view word = text;
  const bool negative = !word.empty() && word[0] == '-';
  if (!word.empty() && (word[0] == '-' || word[0] == '+')) word.remove_prefix(1);
  if (word.empty()) return std::nullopt;
  if (word == "Inf" || word == "Infinity") {
    const double infinity = std::numeric_limits<double>::infinity();
    return negative ? -infinity : infinity;
  }
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (!IsDigit(word[0]) && word[0] != '.') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return negative ? -value : value;
}

std::optional<__int128> ParseDecimal(absl::string_view text, int precision, int scale) {
  if (const auto small = ParseSmallDecimal(text, precision, scale); small.has_value()) return small;
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != absl::string_view::npos) {
    absl::string_view power = text.substr(e + 1);
    if (!power.empty() && power[0] == '+') power.remove_prefix(1);
    const std::optional<int64_t> parsed = ParseInteger(power);
    if (!parsed.has_value() || std::abs(*parsed) > kMaxExponent) return std::nullopt;
    exponent = static_cast<int>(*parsed);
    text = text.substr(0, e);
  }
  // `significant` digits so far, then how many places the point moves to reach the scale.
  unsigned __int128 value = 0;
  int significant = 0, seen = 0;
  int dropped = 0;  // Zeros at the end that are held back, since they may not fit.
  bool point = false;
  int places = 0;
  for (const char c : text) {
    if (c == '.') {
      if (point) return std::nullopt;
      point = true;
      continue;
    }
    if (!IsDigit(c)) return std::nullopt;
    ++seen;
    if (point) ++places;
    if (c == '0') {
      if (value != 0)
        ++dropped;
      else if (point)
        continue;
      continue;
    }
    for (; dropped > 0; --dropped, ++significant) {
      if (significant >= kMaxDigits) return std::nullopt;
      value *= 10;
    }
    if (++significant > kMaxDigits) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (seen == 0) return std::nullopt;
  if (value == 0) return 0;
  // The number is value * 10^(dropped - places + exponent).
  int shift = scale + dropped - places + exponent;
  if (shift < 0) return std::nullopt;  // The last digit is not zero: it would be rounded away.
  if (significant + shift > precision) return std::nullopt;
  for (; shift > 0; --shift) value *= 10;
  const auto result = static_cast<__int128>(value);
  return negative ? -result : result;
}

std::optional<int32_t> DaysOf(int year, int month, int day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > DaysInMonth(year, month)) {
    return std::nullopt;
  }
  return DaysFromCivil(year, month, day);
}

std::optional<int32_t> ParseDate(absl::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  return DaysOf(Digits<4>(text, 0), Digits<2>(text, 5), Digits<2>(text, 8));
}

std::optional<int64_t> ParseWallClock(absl::string_view text, bool* finer) {
  const std::optional<int64_t> value = TakeWallClock(text, finer);
  return text.empty() ? value : std::nullopt;
}

std::optional<int64_t> ParseInstant(absl::string_view text, bool zoneless_is_utc, bool* finer) {
  const std::optional<int64_t> wall = TakeWallClock(text, finer);
  if (!wall.has_value()) return std::nullopt;
  if (text.empty()) return zoneless_is_utc ? wall : std::nullopt;
  if (text == "Z") return wall;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  const int hours = Digits<2>(text, 1);
  int minutes = 0, seconds = 0;
  if (text.size() == 5) {
    minutes = Digits<2>(text, 3);
  } else if (text.size() == 6 && text[3] == ':') {
    minutes = Digits<2>(text, 4);
  } else if (text.size() == 9 && text[3] == ':' && text[6] == ':') {  // Before standard time.
    minutes = Digits<2>(text, 4);
    seconds = Digits<2>(text, 7);
  } else if (text.size() != 3) {
    return std::nullopt;
  }
  if (hours < 0 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return std::nullopt;
  return *wall - sign * (hours * 3600 + minutes * 60 + seconds) * kMicrosPerSecond;
}

std::optional<int64_t> ParseCursor(CursorType type, absl::string_view text, bool* finer) {
  if (finer != nullptr) *finer = false;
  switch (type) {
    case CursorType::kInteger:
      return ParseInteger(text);
    case CursorType::kDate:
      return ParseDate(text);
    case CursorType::kWallClock:
      return ParseWallClock(text, finer);
    case CursorType::kInstant:
      return ParseInstant(text, /*zoneless_is_utc=*/true, finer);
    case CursorType::kNone:
      break;
  }
  return std::nullopt;
}

std::string Excerpt(absl::string_view text) {
  std::string excerpt;
  const bool cut = text.size() > kMaxExcerptBytes;
  size_t size = cut ? kMaxExcerptBytes : text.size();
  // Not in the middle of a character.
  while (cut && size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  const bool printable = IsValidUtf8(text);
  for (const char c : text.substr(0, size)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !printable)) {
      absl::StrAppendFormat(&excerpt, "\\x%02x", byte);
    } else {
      excerpt.push_back(c);
    }
  }
  return cut ? absl::StrCat(excerpt, "… (", text.size(), " bytes)") : excerpt;
}

}  // namespace headwater
