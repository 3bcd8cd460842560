// Hours in which a server must not be read, as its owners write them.
//
//   window = [days] [hours]            not both absent
//   days   = item {"," item}           item = day | day "-" day, day = "mon" … "sun"
//   hours  = hh:mm "-" hh:mm           half-open; "24:00" may end; "22:00-02:00" goes on into the
//                                      next day
//
// "mon-fri 08:00-16:30", "sat,sun", "22:00-02:00". Without days: every day; without hours: all of
// the day.
#ifndef HEADWATER_COMMON_DATA_QUIET_WINDOW_H_
#define HEADWATER_COMMON_DATA_QUIET_WINDOW_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace headwater {

inline constexpr int kMinutesPerDay = 24 * 60;

struct QuietWindow {
  unsigned days = 0;    // Bit 0: Monday. The day on which the window begins.
  int from_minute = 0;  // Of the day, 0 to 1439.
  int to_minute = 0;    // 1 to 1440; not after from_minute: of the next day.
  friend bool operator==(const QuietWindow&, const QuietWindow&) = default;
};

// INVALID_ARGUMENT: names the text and what it may be.
absl::StatusOr<QuietWindow> ParseQuietWindow(absl::string_view text);

// Whether some minute of the week is in none of them.
bool LeaveRoom(absl::Span<const QuietWindow> windows);

// When the server may be read again: none while it may be read at `now`, else the end of the quiet
// time that holds `now`, windows that touch taken as one. Hours are wall clock in `zone`: what
// a spring skips is cut away, and of an hour that an autumn repeats the first counts. Requires:
// LeaveRoom(windows).
std::optional<absl::Time> QuietUntil(absl::Span<const QuietWindow> windows, absl::TimeZone zone,
                                     absl::Time now);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_QUIET_WINDOW_H_
