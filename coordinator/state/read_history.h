// How long reads of a dataset have taken of late: what the next ones may be expected to take.
#ifndef HEADWATER_COORDINATOR_STATE_READ_HISTORY_H_
#define HEADWATER_COORDINATOR_STATE_READ_HISTORY_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "common/data/cursor.h"

namespace headwater {

// Sums over reads, in which each weighs three quarters of the one after it. Thread-compatible.
struct ReadHistory {
  double seconds = 0;  // From the grant to the outcome.
  double rows = 0;
  double bytes = 0;
  double width = 0;  // Of the ranges, in the cursor's own values.

  void Take(const Range& range, absl::Duration took, int64_t rows_read, int64_t bytes_read) {
    constexpr double kKept = 0.75;
    seconds = seconds * kKept + absl::ToDoubleSeconds(took);
    rows = rows * kKept + static_cast<double>(rows_read);
    bytes = bytes * kKept + static_cast<double>(bytes_read);
    width = width * kKept + WidthOf(range);
  }

  // Absent without a read.
  std::optional<double> SecondsOf(const Range& range) const { return ShareOf(range, seconds); }
  std::optional<double> RowsOf(const Range& range) const { return ShareOf(range, rows); }
  std::optional<double> BytesPerRow() const {
    if (rows <= 0) return std::nullopt;
    return bytes / rows;
  }

  static double WidthOf(const Range& range) {
    return static_cast<double>(range.to) - static_cast<double>(range.from);
  }

 private:
  std::optional<double> ShareOf(const Range& range, double sum) const {
    if (width <= 0) return std::nullopt;
    return sum / width * WidthOf(range);
  }
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_READ_HISTORY_H_
