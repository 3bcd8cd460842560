// Sets of half-open ranges, and ranges that carry a number. Both keep the fewest entries that say
// the same: neighbours that touch (and carry the same number) are one entry. Thread-compatible.
#ifndef HEADWATER_COMMON_DATA_RANGE_SET_H_
#define HEADWATER_COMMON_DATA_RANGE_SET_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/data/cursor.h"

namespace headwater {

// Instants that are in, as disjoint ranges in ascending order. Operations cost O(log n + entries
// touched).
class RangeSet {
 public:
  RangeSet() = default;
  explicit RangeSet(Range range) { Add(range); }

  // An empty range changes nothing.
  void Add(Range range);
  void Subtract(Range range);
  void Subtract(const RangeSet& other);

  bool empty() const { return ranges_.empty(); }
  bool Contains(int64_t value) const;
  bool Overlaps(Range range) const;
  // The parts of `range` that are in, ascending.
  std::vector<Range> Within(Range range) const;
  // The parts of `range` that are not in, ascending.
  std::vector<Range> Outside(Range range) const;
  std::vector<Range> ranges() const;

  friend bool operator==(const RangeSet&, const RangeSet&) = default;

 private:
  std::map<int64_t, int64_t> ranges_;  // from -> to; disjoint, not touching.
};

// A sequence number per instant; instants that were never raised, or were dropped, have none. This
// is how `need_seq` is kept: needs only rise until a read meets them.
class SequenceMap {
 public:
  struct Entry {
    Range range;
    int64_t sequence = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // Each instant of `range` gets the larger of its number and `sequence`.
  void Raise(Range range, int64_t sequence);
  // Drops the instants of `range` whose number is at most `sequence`.
  void DropUpTo(Range range, int64_t sequence);

  bool empty() const { return entries_.empty(); }
  // The numbered parts of `range`, ascending.
  std::vector<Entry> Within(Range range) const;
  std::vector<Entry> entries() const;
  // The first numbered part at or after `value`; parts that begin before it are cut there.
  std::optional<Entry> FirstFrom(int64_t value) const;
  // The last numbered part before `value`; parts that end after it are cut there.
  std::optional<Entry> LastBefore(int64_t value) const;

  friend bool operator==(const SequenceMap&, const SequenceMap&) = default;

 private:
  struct Value {
    int64_t to = 0;
    int64_t sequence = 0;
    friend bool operator==(const Value&, const Value&) = default;
  };
  using Map = std::map<int64_t, Value>;

  void SplitAt(int64_t value);
  void MergeAround(Range range);
  Map::const_iterator FirstOverlapping(Range range) const;

  Map entries_;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_RANGE_SET_H_
