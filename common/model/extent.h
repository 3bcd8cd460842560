// What a microbatch or a piece covers.
#ifndef HEADWATER_COMMON_MODEL_EXTENT_H_
#define HEADWATER_COMMON_MODEL_EXTENT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "common/data/cursor.h"

namespace headwater {

// A range, the `outside` rows (NULL cursors and those at or beyond the domain's end), or both. A
// dataset without a cursor is the range [0, 1).
struct Extent {
  std::optional<Range> range;
  bool outside = false;
  friend bool operator==(const Extent&, const Extent&) = default;
};

// The pieces that `extent` and `cuts` make, in order; the outside piece last. Requires: the cuts
// ascend strictly, inside of the range.
std::vector<Extent> PiecesOf(const Extent& extent, const std::vector<int64_t>& cuts);

}  // namespace headwater

#endif  // HEADWATER_COMMON_MODEL_EXTENT_H_
