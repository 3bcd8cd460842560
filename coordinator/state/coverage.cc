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
    if (piece->empty()) continue;
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

const Piece* Coverage::FirstFrom(int64_t at) const {
  const auto it = FirstAt(pieces_, at);
  return it == pieces_.end() ? nullptr : &it->second;
}

const Piece* Coverage::Known(Range range) const {
  if (range.empty()) return nullptr;
  const auto it = FirstAt(pieces_, range.from);
  if (it == pieces_.end() || it->second.range.from > range.from) return nullptr;
  const Piece& piece = it->second;
  const bool within = piece.empty() && piece.range.to >= range.to;
  return piece.range == range || within ? &piece : nullptr;
}

void Coverage::Put(Piece piece) {
  HW_CHECK(!piece.range.empty() && Overlapping(piece.range).empty());
  const int64_t from = piece.range.from;
  pieces_.emplace(from, std::move(piece));
}

std::vector<Piece*> Coverage::CutOut(Range range) {
  CutEmpty(range.from);
  CutEmpty(range.to);
  return Overlapping(range);
}

void Coverage::Drop(Range range) {
  CutEmpty(range.from);
  CutEmpty(range.to);
  auto it = FirstAt(pieces_, range.from);
  while (it != pieces_.end() && it->first < range.to) it = pieces_.erase(it);
}

std::optional<Range> Coverage::Hull() const {
  if (pieces_.empty()) return std::nullopt;
  return Range{pieces_.begin()->second.range.from, pieces_.rbegin()->second.range.to};
}

void Coverage::CutEmpty(int64_t at) {
  const auto it = FirstAt(pieces_, at);
  if (it == pieces_.end() || !it->second.empty() || it->first >= at) return;
  Piece rest = it->second;
  rest.range.from = at;
  it->second.range.to = at;
  it->second.settled_through = std::min(it->second.settled_through, at);
  pieces_.emplace(at, std::move(rest));
}

void Coverage::JoinEmpty(Range range) {
  if (range.empty()) return;
  auto it = FirstAt(pieces_, range.from);
  if (it != pieces_.begin()) --it;
  while (it != pieces_.end() && it->first <= range.to) {
    const auto next = std::next(it);
    if (next == pieces_.end()) return;
    Piece& one = it->second;
    const Piece& other = next->second;
    const bool settled =
        one.settled_through >= one.range.to && other.settled_through >= other.range.to;
    if (!one.empty() || !other.empty() || !settled || one.range.to != other.range.from ||
        one.spec_version != other.spec_version) {
      it = next;
      continue;
    }
    one.range.to = other.range.to;
    one.settled_through = other.settled_through;
    one.fill_seq = std::min(one.fill_seq, other.fill_seq);
    if (other.shown.clock > one.shown.clock) one.shown = other.shown;
    pieces_.erase(next);
  }
}

}  // namespace headwater
