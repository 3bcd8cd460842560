// How rows are spread over a cursor's values, as a server's statistics have it: for plans, never
// for a decision that has to be right.
#ifndef HEADWATER_COMMON_DATA_VALUE_SPREAD_H_
#define HEADWATER_COMMON_DATA_VALUE_SPREAD_H_

#include <cstdint>
#include <vector>

#include "common/data/cursor.h"

namespace headwater {

// About `before` rows lie between the value of the step before and this one, and `at` on it.
struct SpreadStep {
  int64_t value = 0;
  double before = 0;
  double at = 0;
  friend bool operator==(const SpreadStep&, const SpreadStep&) = default;
};

// Thread-compatible.
class ValueSpread {
 public:
  // Ascending by value; others are put in order. What the first step has `before` is on it.
  explicit ValueSpread(std::vector<SpreadStep> steps);

  bool empty() const { return steps_.empty(); }
  // About how many rows have a cursor in `range`. Between two steps they are spread evenly.
  double RowsIn(const Range& range) const { return RowsBelow(range.to) - RowsBelow(range.from); }

 private:
  double RowsBelow(int64_t value) const;

  std::vector<SpreadStep> steps_;
  std::vector<double> below_;  // Rows below the value of each step.
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_VALUE_SPREAD_H_
