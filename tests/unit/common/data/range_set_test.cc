#include "common/data/range_set.h"

#include <array>
#include <random>

#include "gtest/gtest.h"

namespace headwater {
namespace {

constexpr int kCells = 24;  // The model: one instant is one cell.
constexpr int kRounds = 2'000;

Range RandomRange(std::mt19937& random) {
  const int64_t a = random() % kCells, b = random() % (kCells + 1);
  return {std::min(a, b), std::max(a, b)};
}

TEST(RangeSet, AgreesWithOneCellPerInstant) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < kRounds; ++round) {
    RangeSet set;
    std::array<bool, kCells> cells{};
    for (int step = 0; step < 12; ++step) {
      const Range range = RandomRange(random);
      const bool add = random() % 3 != 0;
      add ? set.Add(range) : set.Subtract(range);
      for (int64_t i = range.from; i < range.to; ++i) cells[i] = add;
      for (int i = 0; i < kCells; ++i) ASSERT_EQ(set.Contains(i), cells[i]);
      const Range probe = RandomRange(random);
      int64_t inside = 0, expected = 0;
      for (const Range& part : set.Within(probe)) inside += part.to - part.from;
      for (int64_t i = probe.from; i < probe.to; ++i) expected += cells[i];
      ASSERT_EQ(inside, expected);
      ASSERT_EQ(set.Overlaps(probe), expected > 0);
      int64_t out = 0, before = probe.from - 1;
      for (const Range& part : set.Outside(probe)) {
        ASSERT_LT(before, part.from);
        ASSERT_FALSE(set.Overlaps(part));
        before = part.to;
        out += part.to - part.from;
      }
      ASSERT_EQ(out, probe.to - probe.from - expected);
    }
    int64_t edges = 0;  // The fewest entries: one per run of cells.
    for (int i = 0; i < kCells; ++i) edges += cells[i] && (i == 0 || !cells[i - 1]);
    ASSERT_EQ(static_cast<int64_t>(set.ranges().size()), edges);
  }
}

TEST(SequenceMap, AgreesWithOneCellPerInstant) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < kRounds; ++round) {
    SequenceMap map;
    std::array<int64_t, kCells> cells{};  // 0: none.
    for (int step = 0; step < 12; ++step) {
      const Range range = RandomRange(random);
      const int64_t sequence = 1 + random() % 4;
      const bool raise = random() % 3 != 0;
      raise ? map.Raise(range, sequence) : map.DropUpTo(range, sequence);
      for (int64_t i = range.from; i < range.to; ++i) {
        if (raise) cells[i] = std::max(cells[i], sequence);
        if (!raise && cells[i] <= sequence) cells[i] = 0;
      }
      std::array<int64_t, kCells> seen{};
      int64_t before = -1;
      for (const SequenceMap::Entry& entry : map.entries()) {
        ASSERT_LT(before, entry.range.from);
        before = entry.range.from;
        for (int64_t i = entry.range.from; i < entry.range.to; ++i) seen[i] = entry.sequence;
      }
      ASSERT_EQ(seen, cells);
      const int64_t at = random() % kCells;
      const auto first = map.FirstFrom(at);
      int64_t expected = at;
      while (expected < kCells && cells[expected] == 0) ++expected;
      ASSERT_EQ(first.has_value(), expected < kCells);
      if (first.has_value()) {
        ASSERT_EQ(first->range.from, expected);
      }
      const auto last = map.LastBefore(at);
      expected = at;
      while (expected > 0 && cells[expected - 1] == 0) --expected;
      ASSERT_EQ(last.has_value(), expected > 0);
      if (last.has_value()) {
        ASSERT_EQ(last->range.to, expected);
        ASSERT_EQ(last->sequence, cells[expected - 1]);
      }
    }
  }
}

}  // namespace
}  // namespace headwater
