// Strict parsers from the text that servers print to the values that columns hold. Pure. Each takes
// the whole text or nothing: no blanks, no rounding, no default.
#ifndef HEADWATER_WORKER_SOURCE_VALUE_TEXT_H_
#define HEADWATER_WORKER_SOURCE_VALUE_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/data/cursor.h"
#include "common/data/utf8.h"

namespace headwater {

std::optional<int64_t> ParseInteger(absl::string_view text);

// Decimal or scientific notation, `NaN`, and `Infinity` or `Inf` with a sign.
std::optional<double> ParseDouble(absl::string_view text);

// The unscaled value of a decimal(precision, scale). None: not a number, or digits that do not fit
// (zeros beyond the scale do). Takes an exponent.
std::optional<__int128> ParseDecimal(absl::string_view text, int precision, int scale);

// Days since 1970-01-01. None: no such day, or not in the years 1 to 9999.
std::optional<int32_t> DaysOf(int year, int month, int day);

// `2013-01-31`, as DaysOf().
std::optional<int32_t> ParseDate(absl::string_view text);

// `2013-01-31 05:00:00` with ' ' or 'T', and a fraction of up to six digits (zeros may follow):
// microseconds since 1970 as written. With `finer` further digits may follow: they are dropped,
// which gives the microsecond that the value lies in, also before 1970; `*finer` says whether there
// were any but zeros.
std::optional<int64_t> ParseWallClock(absl::string_view text, bool* finer = nullptr);

// The same followed by `Z`, `+02`, `-0330` or `+05:30`: microseconds since 1970 UTC. A text without
// a zone is taken as UTC only if `zoneless_is_utc`.
std::optional<int64_t> ParseInstant(absl::string_view text, bool zoneless_is_utc,
                                    bool* finer = nullptr);

// A cursor value as CursorAsText() prints it.
std::optional<int64_t> ParseCursor(CursorType type, absl::string_view text, bool* finer = nullptr);

// `text` for a message: at most 80 bytes, without control characters.
std::string Excerpt(absl::string_view text);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_VALUE_TEXT_H_
