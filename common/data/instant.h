// Times and cursor values as people write them, in configurations and on the command line.
#ifndef HEADWATER_COMMON_DATA_INSTANT_H_
#define HEADWATER_COMMON_DATA_INSTANT_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace headwater {

// One end of a window, as an instant or as a value of an integer cursor:
//
//   end     = date | month | year | datetime | ago | "now" | integer
//   month   = "2013-03"                        its first instant
//   datetime= "2013-03-01T05:00[:00][Z|±hh:mm]"  a space may stand for the T
//   ago     = "-" count ("m" | "h" | "d" | "w")  that long before now; days are of 24 hours
//
// Without an offset it is wall clock in `zone`; a wall clock that a spring skipped is the instant
// after the gap, one that an autumn repeats is the first of the two.
// INVALID_ARGUMENT: names the text and what it may be.
absl::StatusOr<absl::Time> ParseInstant(absl::string_view text, absl::Time now,
                                        absl::TimeZone zone);
absl::StatusOr<int64_t> ParseValue(absl::string_view text);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_INSTANT_H_
