// Names that nobody else has chosen.
#ifndef HEADWATER_COMMON_BASE_IDS_H_
#define HEADWATER_COMMON_BASE_IDS_H_

#include <string>

#include "absl/time/time.h"

namespace headwater {

// 32 lower-case hex digits from the system's source of randomness: boot ids, sessions, ledgers.
// Thread-safe.
std::string RandomId();

// `r-20261121-7f3a90c1`: the day in UTC, so that people can find a run again, and 32 random bits: a
// thousand runs on one day meet by chance once in ten thousand days. Thread-safe.
std::string RandomRunId(absl::Time now);
std::string RandomPlanId(absl::Time now);  // `p-…`, likewise.

}  // namespace headwater

#endif  // HEADWATER_COMMON_BASE_IDS_H_
