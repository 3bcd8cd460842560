#include "common/data/range_set.h"

#include <algorithm>
#include <iterator>

namespace headwater {

void RangeSet::Add(Range range) {
  if (range.empty()) return;
  auto it = ranges_.lower_bound(range.from);
  if (it != ranges_.begin() && std::prev(it)->second >= range.from) --it;
  while (it != ranges_.end() && it->first <= range.to) {
    range.from = std::min(range.from, it->first);
    range.to = std::max(range.to, it->second);
    it = ranges_.erase(it);
  }
  ranges_.emplace(range.from, range.to);
}

void RangeSet::Subtract(Range range) {
  if (range.empty()) return;
  auto it = ranges_.lower_bound(range.from);
  if (it != ranges_.begin() && std::prev(it)->second > range.from) --it;
  while (it != ranges_.end() && it->first < range.to) {
    const Range old{it->first, it->second};
    it = ranges_.erase(it);
    if (old.from < range.from) ranges_.emplace(old.from, range.from);
    if (range.to < old.to) it = ranges_.emplace(range.to, old.to).first;
  }
}

void RangeSet::Subtract(const RangeSet& other) {
  for (const auto& [from, to] : other.ranges_) Subtract({from, to});
}

bool RangeSet::Contains(int64_t value) const {
  auto it = ranges_.upper_bound(value);
  return it != ranges_.begin() && value < std::prev(it)->second;
}

bool RangeSet::Overlaps(Range range) const {
  if (range.empty()) return false;
  auto it = ranges_.lower_bound(range.from);
  if (it != ranges_.end() && it->first < range.to) return true;
  return it != ranges_.begin() && range.from < std::prev(it)->second;
}

std::vector<Range> RangeSet::Within(Range range) const {
  std::vector<Range> found;
  if (range.empty()) return found;
  auto it = ranges_.lower_bound(range.from);
  if (it != ranges_.begin() && std::prev(it)->second > range.from) --it;
  for (; it != ranges_.end() && it->first < range.to; ++it) {
    found.push_back({std::max(it->first, range.from), std::min(it->second, range.to)});
  }
  return found;
}

std::vector<Range> RangeSet::Outside(Range range) const {
  std::vector<Range> found;
  for (const Range& in : Within(range)) {
    if (range.from < in.from) found.push_back({range.from, in.from});
    range.from = in.to;
  }
  if (!range.empty()) found.push_back(range);
  return found;
}

std::vector<Range> RangeSet::ranges() const {
  std::vector<Range> all;
  for (const auto& [from, to] : ranges_) all.push_back({from, to});
  return all;
}

SequenceMap::Map::const_iterator SequenceMap::FirstOverlapping(Range range) const {
  auto it = entries_.lower_bound(range.from);
  if (it != entries_.begin() && std::prev(it)->second.to > range.from) --it;
  return it;
}

void SequenceMap::SplitAt(int64_t value) {
  auto it = entries_.lower_bound(value);
  if (it == entries_.begin()) return;
  --it;
  if (it->second.to <= value) return;
  entries_.emplace(value, Value{it->second.to, it->second.sequence});
  it->second.to = value;
}

void SequenceMap::MergeAround(Range range) {
  auto it = entries_.lower_bound(range.from);
  if (it != entries_.begin()) --it;
  while (it != entries_.end() && it->first <= range.to) {
    auto next = std::next(it);
    if (next != entries_.end() && it->second.to == next->first &&
        it->second.sequence == next->second.sequence) {
      it->second.to = next->second.to;
      entries_.erase(next);
    } else {
      it = next;
    }
  }
}

void SequenceMap::Raise(Range range, int64_t sequence) {
  if (range.empty()) return;
  SplitAt(range.from);
  SplitAt(range.to);
  int64_t at = range.from;
  auto it = entries_.lower_bound(range.from);
  while (at < range.to) {
    if (it == entries_.end() || it->first >= range.to) {
      entries_.emplace_hint(it, at, Value{range.to, sequence});
      break;
    }
    if (at < it->first) entries_.emplace_hint(it, at, Value{it->first, sequence});
    it->second.sequence = std::max(it->second.sequence, sequence);
    at = it->second.to;
    ++it;
  }
  MergeAround(range);
}

void SequenceMap::DropUpTo(Range range, int64_t sequence) {
  if (range.empty()) return;
  SplitAt(range.from);
  SplitAt(range.to);
  auto it = entries_.lower_bound(range.from);
  while (it != entries_.end() && it->first < range.to) {
    it = it->second.sequence <= sequence ? entries_.erase(it) : std::next(it);
  }
  MergeAround(range);
}

std::vector<SequenceMap::Entry> SequenceMap::Within(Range range) const {
  std::vector<Entry> found;
  if (range.empty()) return found;
  for (auto it = FirstOverlapping(range); it != entries_.end() && it->first < range.to; ++it) {
    found.push_back({{std::max(it->first, range.from), std::min(it->second.to, range.to)},
                     it->second.sequence});
  }
  return found;
}

std::vector<SequenceMap::Entry> SequenceMap::entries() const {
  std::vector<Entry> all;
  for (const auto& [from, value] : entries_) all.push_back({{from, value.to}, value.sequence});
  return all;
}

std::optional<SequenceMap::Entry> SequenceMap::FirstFrom(int64_t value) const {
  auto it = entries_.lower_bound(value);
  if (it != entries_.begin() && std::prev(it)->second.to > value) --it;
  if (it == entries_.end()) return std::nullopt;
  return Entry{{std::max(it->first, value), it->second.to}, it->second.sequence};
}

std::optional<SequenceMap::Entry> SequenceMap::LastBefore(int64_t value) const {
  auto it = entries_.lower_bound(value);
  if (it == entries_.begin()) return std::nullopt;
  --it;
  return Entry{{it->first, std::min(it->second.to, value)}, it->second.sequence};
}

}  // namespace headwater
