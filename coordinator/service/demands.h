// From what a person wrote (a selection, a window) to what the core takes: demands.
#ifndef HEADWATER_COORDINATOR_SERVICE_DEMANDS_H_
#define HEADWATER_COORDINATOR_SERVICE_DEMANDS_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/config/config.h"
#include "coordinator/core.h"
#include "headwater/v1/admin.pb.h"

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

// The datasets that are meant. NOT_FOUND: as Select().
absl::StatusOr<std::vector<const DatasetConfig*>> Resolve(const Config& config,
                                                          const v1::Selection& selection);

// One demand for each dataset, its window read in the server's zone; an absent end is open. Four
// digits are a year and a value: what the cursor is, only the probe knows, and the core uses the
// one that fits. INVALID_ARGUMENT: a kind or mode that is not one, an end that cannot be read, a
// window that is empty, a window for a run that is no backfill.
absl::StatusOr<std::vector<DemandRequest>> MakeDemands(
    const std::vector<const DatasetConfig*>& datasets, v1::RunKind kind,
    const v1::BackfillWindow* window, absl::Time now);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_SERVICE_DEMANDS_H_
