#include "common/data/cursor.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace headwater {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr absl::CivilSecond kEpoch(1970, 1, 1);

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

absl::CivilSecond CivilOf(int64_t micros) { return kEpoch + FloorDiv(micros, kMicrosPerSecond); }
int64_t MicrosOf(absl::CivilSecond civil) { return (civil - kEpoch) * kMicrosPerSecond; }

// The civil edge of `unit` at or before `at`. Counted units start at 1970-01-01 00:00.
absl::CivilSecond FloorCivil(absl::CivilSecond at, const Unit& unit) {
  const int64_t n = unit.count;
  switch (unit.kind) {
    case Unit::Kind::kHour: {
      const int64_t hours = absl::CivilHour(at) - absl::CivilHour(kEpoch);
      return absl::CivilSecond(absl::CivilHour(kEpoch) + FloorDiv(hours, n) * n);
    }
    case Unit::Kind::kDay: {
      const int64_t days = absl::CivilDay(at) - absl::CivilDay(kEpoch);
      return absl::CivilSecond(absl::CivilDay(kEpoch) + FloorDiv(days, n) * n);
    }
    case Unit::Kind::kMonth: {
      const int64_t months = absl::CivilMonth(at) - absl::CivilMonth(kEpoch);
      return absl::CivilSecond(absl::CivilMonth(kEpoch) + FloorDiv(months, n) * n);
    }
    case Unit::Kind::kYear: {
      const int64_t years = absl::CivilYear(at) - absl::CivilYear(kEpoch);
      return absl::CivilSecond(absl::CivilYear(kEpoch) + FloorDiv(years, n) * n);
    }
    default:
      return at;
  }
}

absl::CivilSecond AddUnit(absl::CivilSecond at, const Unit& unit) {
  switch (unit.kind) {
    case Unit::Kind::kHour:
      return absl::CivilSecond(absl::CivilHour(at) + unit.count);
    case Unit::Kind::kDay:
      return absl::CivilSecond(absl::CivilDay(at) + unit.count);
    case Unit::Kind::kMonth:
      return absl::CivilSecond(absl::CivilMonth(at) + unit.count);
    case Unit::Kind::kYear:
      return absl::CivilSecond(absl::CivilYear(at) + unit.count);
    default:
      return at;
  }
}

std::string FormatCivil(absl::CivilSecond civil, int64_t micros_of_second) {
  std::string text = absl::FormatCivilTime(civil);
  if (micros_of_second != 0) absl::StrAppendFormat(&text, ".%06d", micros_of_second);
  return text;
}

}  // namespace

std::optional<CursorType> CursorTypeOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kByte:
    case TypeKind::kShort:
    case TypeKind::kInteger:
    case TypeKind::kLong:
      return CursorType::kInteger;
    case TypeKind::kDate:
      return CursorType::kDate;
    case TypeKind::kTimestamp:
      return CursorType::kInstant;
    case TypeKind::kTimestampNtz:
      return CursorType::kWallClock;
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Unit> ParseUnit(absl::string_view text) {
  if (text == "none") return Unit{};
  size_t digits = 0;
  while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits]))) ++digits;
  const absl::string_view suffix = text.substr(digits);
  Unit unit;
  const bool counted = digits > 0 && absl::SimpleAtoi(text.substr(0, digits), &unit.count);
  if (suffix == "h" || suffix == "hour")
    unit.kind = Unit::Kind::kHour;
  else if (suffix == "d" || suffix == "day")
    unit.kind = Unit::Kind::kDay;
  else if (suffix == "mo" || suffix == "month")
    unit.kind = Unit::Kind::kMonth;
  else if (suffix == "y" || suffix == "year")
    unit.kind = Unit::Kind::kYear;
  else if (suffix.empty() && counted)
    unit.kind = Unit::Kind::kValues;
  const bool word = digits == 0 && suffix.size() > 2;  // `day` means 1d.
  if (word) unit.count = 1;
  if (unit.kind == Unit::Kind::kNone || (!counted && !word) || unit.count < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "not a unit: '", text, "'; expected 1h, 1d, 30d, 1mo, 1y, none, or a number of values"));
  }
  return unit;
}

std::string UnitToString(const Unit& unit) {
  switch (unit.kind) {
    case Unit::Kind::kNone:
      return "none";
    case Unit::Kind::kHour:
      return absl::StrCat(unit.count, "h");
    case Unit::Kind::kDay:
      return absl::StrCat(unit.count, "d");
    case Unit::Kind::kMonth:
      return absl::StrCat(unit.count, "mo");
    case Unit::Kind::kYear:
      return absl::StrCat(unit.count, "y");
    case Unit::Kind::kValues:
      return absl::StrCat(unit.count);
  }
  return "none";
}

absl::StatusOr<CursorCalendar> CursorCalendar::Create(CursorType type, absl::string_view timezone,
                                                      absl::string_view cursor_timezone) {
  absl::TimeZone unit_zone, cursor_zone;
  // LoadTimeZone gives UTC for an unknown name: its result must be looked at.
  for (const auto& [name, zone] :
       {std::pair(timezone, &unit_zone), std::pair(cursor_timezone, &cursor_zone)}) {
    if (!absl::LoadTimeZone(std::string(name), zone)) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown time zone '", name,
                       "'; expected an IANA name such as Europe/Oslo (is tzdata installed?)"));
    }
  }
  return CursorCalendar(type, unit_zone, cursor_zone);
}

int64_t CursorCalendar::FromInstant(absl::Time instant) const {
  if (instant == absl::InfiniteFuture()) return kMax;
  if (instant == absl::InfinitePast()) return kMin;
  if (type_ == CursorType::kInstant) return absl::ToUnixMicros(instant);
  const auto info = cursor_zone_.At(instant);
  if (type_ == CursorType::kDate) return absl::CivilDay(info.cs) - absl::CivilDay(kEpoch);
  return MicrosOf(info.cs) + absl::ToInt64Microseconds(info.subsecond);
}

int64_t CursorCalendar::LowestFrom(absl::Time instant) const {
  const int64_t value = FromInstant(instant);
  absl::TimeZone::CivilTransition next;
  if (type_ == CursorType::kInstant || !cursor_zone_.NextTransition(instant, &next)) return value;
  const int64_t after = type_ == CursorType::kDate
                            ? absl::CivilDay(next.to) - absl::CivilDay(kEpoch)
                            : MicrosOf(next.to);
  return std::min(value, after);
}

absl::Time CursorCalendar::ToInstant(int64_t value) const {
  if (value == kMax) return absl::InfiniteFuture();
  if (value == kMin) return absl::InfinitePast();
  if (type_ == CursorType::kInstant) return absl::FromUnixMicros(value);
  if (type_ == CursorType::kDate) {
    return absl::FromCivil(absl::CivilSecond(absl::CivilDay(kEpoch) + value), cursor_zone_);
  }
  const absl::CivilSecond civil = CivilOf(value);
  return cursor_zone_.At(civil).pre + absl::Microseconds(value - MicrosOf(civil));
}

int64_t CursorCalendar::EdgeBefore(int64_t value, const Unit& unit) const {
  // A cursor written in the zone in which it is cut is cut as written: no conversion, no ambiguity.
  if (type_ == CursorType::kDate ||
      (type_ == CursorType::kWallClock && cursor_zone_ == unit_zone_)) {
    const bool date = type_ == CursorType::kDate;
    const absl::CivilSecond civil =
        date ? absl::CivilSecond(absl::CivilDay(kEpoch) + value) : CivilOf(value);
    const absl::CivilSecond edge = FloorCivil(civil, unit);
    return date ? absl::CivilDay(edge) - absl::CivilDay(kEpoch) : MicrosOf(edge);
  }
  const absl::Time instant = ToInstant(value);
  absl::CivilSecond edge = FloorCivil(unit_zone_.At(instant).cs, unit);
  // The first instant of the edge's civil time; a skipped one begins at the transition.
  const auto info = unit_zone_.At(edge);
  const absl::Time begin = info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
  // In an hour that repeats, the second pass belongs to the same civil hour: `pre` is its begin.
  return FromInstant(begin);
}

int64_t CursorCalendar::UnitStart(int64_t value, const Unit& unit) const {
  if (unit.kind == Unit::Kind::kNone || type_ == CursorType::kNone) return kMin;
  if (unit.kind == Unit::Kind::kValues) return FloorDiv(value, unit.count) * unit.count;
  return EdgeBefore(value, unit);
}

int64_t CursorCalendar::UnitEnd(int64_t value, const Unit& unit) const {
  if (unit.kind == Unit::Kind::kNone || type_ == CursorType::kNone) return kMax;
  if (unit.kind == Unit::Kind::kValues) return (FloorDiv(value, unit.count) + 1) * unit.count;
  if (type_ == CursorType::kDate ||
      (type_ == CursorType::kWallClock && cursor_zone_ == unit_zone_)) {
    const bool date = type_ == CursorType::kDate;
    const absl::CivilSecond civil =
        date ? absl::CivilSecond(absl::CivilDay(kEpoch) + value) : CivilOf(value);
    const absl::CivilSecond next = AddUnit(FloorCivil(civil, unit), unit);
    return date ? absl::CivilDay(next) - absl::CivilDay(kEpoch) : MicrosOf(next);
  }
  absl::CivilSecond next = FloorCivil(unit_zone_.At(ToInstant(value)).cs, unit);
  int64_t end = value;
  while (end <= value) {  // Two rounds at most: a skipped edge may fall before `value`.
    next = AddUnit(next, unit);
    const auto info = unit_zone_.At(next);
    end = FromInstant(info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre);
  }
  return end;
}

std::string CursorCalendar::Format(int64_t value) const {
  switch (type_) {
    case CursorType::kNone:
      return "all";
    case CursorType::kInteger:
      return absl::StrCat(value);
    case CursorType::kDate:
      return absl::FormatCivilTime(absl::CivilDay(kEpoch) + value);
    default: {
      const absl::CivilSecond civil = CivilOf(value);
      const std::string text = FormatCivil(civil, value - MicrosOf(civil));
      return type_ == CursorType::kInstant ? text + "Z" : text;
    }
  }
}

std::string CursorCalendar::Format(const Range& range) const {
  if (type_ == CursorType::kNone) return "all";
  return absl::StrCat("[", Format(range.from), ", ", Format(range.to), ")");
}

std::string CursorCalendar::PartitionLabel(int64_t value, const Unit& unit) const {
  const absl::CivilSecond civil = type_ == CursorType::kDate
                                      ? absl::CivilSecond(absl::CivilDay(kEpoch) + value)
                                  : type_ == CursorType::kWallClock && cursor_zone_ == unit_zone_
                                      ? CivilOf(value)
                                      : unit_zone_.At(ToInstant(value)).cs;
  switch (unit.kind) {
    case Unit::Kind::kHour:
      return absl::FormatCivilTime(absl::CivilHour(civil));
    case Unit::Kind::kDay:
      return absl::FormatCivilTime(absl::CivilDay(civil));
    case Unit::Kind::kMonth:
      return absl::FormatCivilTime(absl::CivilMonth(civil));
    case Unit::Kind::kYear:
      return absl::FormatCivilTime(absl::CivilYear(civil));
    default:
      return Format(value);
  }
}

}  // namespace headwater
