#include "common/model/extent.h"

namespace headwater {

std::vector<Extent> PiecesOf(const Extent& extent, const std::vector<int64_t>& cuts) {
  std::vector<Extent> pieces;
  if (extent.range.has_value()) {
    int64_t from = extent.range->from;
    for (int64_t cut : cuts) {
      pieces.push_back({Range{from, cut}, false});
      from = cut;
    }
    pieces.push_back({Range{from, extent.range->to}, false});
  }
  if (extent.outside) pieces.push_back({std::nullopt, true});
  return pieces;
}

}  // namespace headwater
