// Cron expressions, as schedules are written.
//
//   expression = minute hour day month weekday                  cron: weekdays 0 to 7
//              | second minute hour day month weekday [year]    Quartz: weekdays 1 to 7
//   field      = item {"," item}
//   item       = ("*" | value | value "-" value) ["/" step]
//
// Months and weekdays have names (JAN, MON). Quartz has more: `?` (no choice) as a whole day or
// weekday, where one of the two must be `?` or `*`; the days `L`, `L-3`, `LW` and `15W`; the
// weekdays `L`, `6L` (the last Friday) and `6#3` (the third).
#ifndef HEADWATER_COMMON_CONFIG_CRON_H_
#define HEADWATER_COMMON_CONFIG_CRON_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace headwater {

// INVALID_ARGUMENT: not an expression; names the field, what was expected and what was found.
absl::Status CheckCron(absl::string_view expression);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_CRON_H_
