#include "common/data/value_spread.h"

#include <algorithm>
#include <utility>

namespace headwater {

ValueSpread::ValueSpread(std::vector<SpreadStep> steps) : steps_(std::move(steps)) {
  std::sort(steps_.begin(), steps_.end(),
            [](const SpreadStep& a, const SpreadStep& b) { return a.value < b.value; });
  if (!steps_.empty()) steps_.front().at += std::exchange(steps_.front().before, 0.0);
  double below = 0;
  for (const SpreadStep& step : steps_) {
    below += step.before;
    below_.push_back(below);
    below += step.at;
  }
}

double ValueSpread::RowsBelow(int64_t value) const {
  const auto step =
      std::lower_bound(steps_.begin(), steps_.end(), value,
                       [](const SpreadStep& a, int64_t wanted) { return a.value < wanted; });
  if (steps_.empty() || step == steps_.begin()) return 0;
  const auto i = static_cast<size_t>(step - steps_.begin());
  const double behind = below_[i - 1] + steps_[i - 1].at;
  if (step == steps_.end()) return behind;
  const double width = static_cast<double>(step->value) - static_cast<double>(steps_[i - 1].value);
  const double part = static_cast<double>(value) - static_cast<double>(steps_[i - 1].value);
  return behind + step->before * part / width;
}

}  // namespace headwater
