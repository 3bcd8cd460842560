// Pieces with rows are whole; those without are cut and joined as it suits.
#include "coordinator/state/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Piece PieceOf(int64_t from, int64_t to, int64_t rows, int64_t fill = 1) {
  Piece piece;
  piece.range = {from, to};
  piece.fingerprint.rows = rows;
  piece.fence = piece.fill_seq = fill;
  piece.spec_version = std::string(1, 'v');  // GCC 12 warns of a copy of a literal here.
  piece.settled_through = to;
  return piece;
}

std::vector<Range> RangesOf(const Coverage& coverage) {
  std::vector<Range> ranges;
  for (const auto& [from, piece] : coverage.pieces()) {
    EXPECT_EQ(from, piece.range.from);
    ranges.push_back(piece.range);
  }
  return ranges;
}

TEST(CoverageTest, OnlyPiecesWithRowsWidenARange) {
  Coverage coverage;
  coverage.Put(PieceOf(0, 10, 0));
  coverage.Put(PieceOf(10, 20, 3));
  coverage.Put(PieceOf(20, 90, 0));
  EXPECT_EQ(coverage.Widen({5, 7}), (Range{5, 7}));
  EXPECT_EQ(coverage.Widen({5, 12}), (Range{5, 20}));
  EXPECT_EQ(coverage.Widen({15, 30}), (Range{10, 30}));
}

TEST(CoverageTest, DroppingLeavesTheRestOfWhatHasNoRows) {
  Coverage coverage;
  coverage.Put(PieceOf(0, 100, 0));
  coverage.Drop({40, 50});
  EXPECT_THAT(RangesOf(coverage), ElementsAre(Range{0, 40}, Range{50, 100}));
  EXPECT_EQ(coverage.Find({0, 40})->settled_through, 40);
  EXPECT_EQ(coverage.Find({50, 100})->settled_through, 100);
  EXPECT_THAT(coverage.Missing({0, 100}), ElementsAre(Range{40, 50}));
  coverage.Put(PieceOf(40, 50, 2));
  coverage.Drop({45, 46});
  EXPECT_THAT(RangesOf(coverage), ElementsAre(Range{0, 40}, Range{50, 100}));
}

TEST(CoverageTest, WhatIsUnsettledOfAPieceStaysSoInBothHalves) {
  Coverage coverage;
  Piece piece = PieceOf(0, 100, 0);
  piece.settled_through = 60;
  coverage.Put(piece);
  EXPECT_EQ(coverage.CutOut({30, 80}).size(), 1);
  EXPECT_EQ(coverage.Find({0, 30})->settled_through, 30);
  EXPECT_EQ(coverage.Find({30, 80})->settled_through, 60);
  EXPECT_EQ(coverage.Find({80, 100})->settled_through, 60);
}

TEST(CoverageTest, APartOfWhatHasNoRowsIsKnown) {
  Coverage coverage;
  coverage.Put(PieceOf(0, 10, 0));
  coverage.Put(PieceOf(10, 20, 3));
  EXPECT_NE(coverage.Known({2, 5}), nullptr);
  EXPECT_NE(coverage.Known({0, 10}), nullptr);
  EXPECT_NE(coverage.Known({10, 20}), nullptr);
  EXPECT_EQ(coverage.Known({10, 15}), nullptr);
  EXPECT_EQ(coverage.Known({5, 15}), nullptr);
  EXPECT_EQ(coverage.Known({30, 40}), nullptr);
  EXPECT_EQ(coverage.Known({5, 5}), nullptr);
}

TEST(CoverageTest, NeighboursWithoutRowsBecomeOneWhenTheyHaveSettled) {
  Coverage coverage;
  coverage.Put(PieceOf(0, 10, 0, 7));
  coverage.Put(PieceOf(10, 20, 0, 5));
  coverage.Put(PieceOf(20, 30, 1));
  coverage.Put(PieceOf(30, 40, 0));
  coverage.Put(PieceOf(41, 50, 0));
  Piece young = PieceOf(50, 60, 0);
  young.settled_through = 55;
  coverage.Put(young);
  Piece other = PieceOf(60, 70, 0);
  other.spec_version = std::string(1, 'w');
  coverage.Put(other);
  coverage.JoinEmpty({10, 70});
  EXPECT_THAT(RangesOf(coverage), ElementsAre(Range{0, 20}, Range{20, 30}, Range{30, 40},
                                              Range{41, 50}, Range{50, 60}, Range{60, 70}));
  EXPECT_EQ(coverage.Find({0, 20})->fill_seq, 5);  // Nothing is told to be newer than it is.
  EXPECT_EQ(coverage.Find({0, 20})->settled_through, 20);
}

TEST(CoverageTest, JoiningReachesTheNeighboursOnBothSides) {
  Coverage coverage;
  for (int64_t from = 0; from < 50; from += 10) coverage.Put(PieceOf(from, from + 10, 0));
  coverage.JoinEmpty({20, 30});
  EXPECT_THAT(RangesOf(coverage), ElementsAre(Range{0, 10}, Range{10, 50}));
  Coverage none;
  none.JoinEmpty({0, 10});
  EXPECT_THAT(RangesOf(none), IsEmpty());
}

}  // namespace
}  // namespace headwater
