// How long what a table no longer needs stays in its folder.
#ifndef HEADWATER_COMMON_MODEL_RETENTION_H_
#define HEADWATER_COMMON_MODEL_RETENTION_H_

#include "absl/time/time.h"

namespace headwater {

struct Retention {
  absl::Duration files = absl::Hours(24 * 7);  // Replaced ones: for readers of older versions.
  absl::Duration log = absl::Hours(24 * 30);   // Entries of the table's log.
  absl::Duration attempts = absl::Hours(1);    // What attempts wrote that came to nothing.
  friend bool operator==(const Retention&, const Retention&) = default;
};

// Less is refused: a reader that began before would find files gone under its hands.
inline constexpr absl::Duration kLeastFiles = absl::Hours(1);
inline constexpr absl::Duration kLeastLog = absl::Hours(1);
// Clocks of machines that share a folder differ, and what an attempt wrote is not named at once.
inline constexpr absl::Duration kLeastAttempts = absl::Minutes(10);

// How long runs that have ended stay in the ledger, before they go to the archive.
inline constexpr absl::Duration kHistoryKept = absl::Hours(24 * 30);
inline constexpr absl::Duration kLeastHistory = absl::Seconds(1);

}  // namespace headwater

#endif  // HEADWATER_COMMON_MODEL_RETENTION_H_
