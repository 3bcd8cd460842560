#include "coordinator/state/coverage.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/check.h"

namespace headwater {
namespace {

// The first piece that may overlap a range beginning at `from`.
template <typename Map>
auto FirstAt(Map& pieces, int64_t from) {
  auto it = pieces.lower_bound(from);
  if (it != pieces.begin() && std::prev(it)->second.range.to > from) --it;
  return it;
}

}  // namespace

Range Coverage::Widen(Range range) const {
  if (range.empty()) return range;
  Range wide = range;
  for (const Piece* piece : Overlapping(range)) {
    wide.from = std::min(wide.from, piece->range.from);
    wide.to = std::max(wide.to, piece->range.to);
  }
  return wide;
}

std::vector<Range> Coverage::Missing(Range range) const {
  std::vector<Range> missing;
  int64_t at = range.from;
  for (const Piece* piece : Overlapping(range)) {
    if (at < piece->range.from) missing.push_back({at, piece->range.from});
    at = std::max(at, piece->range.to);
  }
  if (at < range.to) missing.push_back({at, range.to});
  return missing;
}

std::vector<const Piece*> Coverage::Overlapping(Range range) const {
  std::vector<const Piece*> found;
  if (range.empty()) return found;
  for (auto it = FirstAt(pieces_, range.from); it != pieces_.end() && it->first < range.to; ++it) {
    found.push_back(&it->second);
  }
  return found;
}

std::vector<Piece*> Coverage::Overlapping(Range range) {
  std::vector<Piece*> found;
  if (range.empty()) return found;
  for (auto it = FirstAt(pieces_, range.from); it != pieces_.end() && it->first < range.to; ++it) {
    found.push_back(&it->second);
  }
  return found;
}

const Piece* Coverage::Find(Range exact) const {
  const auto it = pieces_.find(exact.from);
  return it != pieces_.end() && it->second.range == exact ? &it->second : nullptr;
}

void Coverage::Put(Piece piece) {
  HW_CHECK(!piece.range.empty() && Overlapping(piece.range).empty());
  const int64_t from = piece.range.from;
  pieces_.emplace(from, std::move(piece));
}

void Coverage::Drop(Range range) {
  auto it = FirstAt(pieces_, range.from);
  while (it != pieces_.end() && it->first < range.to) it = pieces_.erase(it);
}

}  // namespace headwater
