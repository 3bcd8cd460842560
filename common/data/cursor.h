// Cursor values: the int64 that orders a dataset's rows, and the calendar by which they are cut.
// All functions are pure. Ranges are half-open everywhere.
#ifndef HEADWATER_COMMON_DATA_CURSOR_H_
#define HEADWATER_COMMON_DATA_CURSOR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/data/schema.h"

namespace headwater {

enum class CursorType {
  kNone,       // No cursor: the dataset has one instant, 0; its whole is [0, 1).
  kInstant,    // Microseconds since 1970 UTC.
  kWallClock,  // Microseconds since 1970-01-01 00:00 as written, in no zone.
  kDate,       // Days since 1970-01-01.
  kInteger,    // The value itself.
};

// The cursor that a column of this type makes; none if it has no order that ranges can use.
std::optional<CursorType> CursorTypeOf(TypeKind kind);

// [from, to) of a cursor. Empty when from >= to.
struct Range {
  int64_t from = 0;  // Included.
  int64_t to = 0;    // Excluded.

  bool empty() const { return from >= to; }
  bool Contains(int64_t value) const { return from <= value && value < to; }
  bool Contains(const Range& other) const { return from <= other.from && other.to <= to; }
  bool Overlaps(const Range& other) const { return from < other.to && other.from < to; }
  friend bool operator==(const Range&, const Range&) = default;
};

// A width by which ranges are cut or partitioned.
struct Unit {
  enum class Kind { kNone, kHour, kDay, kMonth, kYear, kValues };
  Kind kind = Kind::kNone;
  int64_t count = 1;  // At least 1.
  friend bool operator==(const Unit&, const Unit&) = default;
};

// `1h`, `30d`, `1mo`, `1y`, `none`, or a bare integer (values of an integer cursor).
// INVALID_ARGUMENT otherwise.
absl::StatusOr<Unit> ParseUnit(absl::string_view text);
std::string UnitToString(const Unit& unit);

// Maps cursor values to instants and cuts them into calendar units. Units of n days or hours are
// counted from 1970-01-01 in `timezone` and handle days of 23 and 25 hours. Immutable, thread-safe.
class CursorCalendar {
 public:
  // `timezone` is where units are cut; `cursor_timezone` is what a zoneless cursor is in.
  // INVALID_ARGUMENT: a zone that this machine does not know.
  static absl::StatusOr<CursorCalendar> Create(CursorType type, absl::string_view timezone,
                                               absl::string_view cursor_timezone);

  CursorType type() const { return type_; }

  // An instant as a cursor value: the wall clock or date that `cursor_timezone` shows then.
  // Requires: type() is kInstant, kWallClock or kDate. Infinite times saturate.
  int64_t FromInstant(absl::Time instant) const;
  // The smallest value that `instant` or any later one has: less than FromInstant() in the hour
  // before clocks are turned back, which comes again. Same requirement.
  int64_t LowestFrom(absl::Time instant) const;
  // The inverse; the first of two in a repeated hour. Same requirement.
  absl::Time ToInstant(int64_t value) const;

  // The largest edge of `unit` at or before `value`, and the smallest one after it.
  // For Kind::kNone they are the ends of int64.
  int64_t UnitStart(int64_t value, const Unit& unit) const;
  int64_t UnitEnd(int64_t value, const Unit& unit) const;

  // As people read it: ISO 8601 (`2013-03-01T05:00:00Z`, `2013-03-01T05:00:00`, `2013-03-01`), a
  // number, or `all`.
  std::string Format(int64_t value) const;
  std::string Format(const Range& range) const;  // "[from, to)"

  // The label of the partition that starts at `value`, in `timezone`: 2013, 2013-03, 2013-03-01,
  // 2013-03-01T05.
  std::string PartitionLabel(int64_t value, const Unit& unit) const;

 private:
  CursorCalendar(CursorType type, absl::TimeZone unit_zone, absl::TimeZone cursor_zone)
      : type_(type), unit_zone_(unit_zone), cursor_zone_(cursor_zone) {}
  int64_t EdgeBefore(int64_t value, const Unit& unit) const;

  CursorType type_;
  absl::TimeZone unit_zone_;
  absl::TimeZone cursor_zone_;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_CURSOR_H_
