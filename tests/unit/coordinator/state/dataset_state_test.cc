#include "coordinator/state/dataset_state.h"

#include "coordinator/plan/planner.h"
#include "coordinator/state/cluster_state.h"
#include "coordinator/state/progress.h"
#include "gmock/gmock.h"

namespace headwater {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const absl::Time kNoon = absl::FromUnixSeconds(1'385'899'200);  // 2013-12-01T12:00:00Z
int64_t At(absl::Duration after_noon) { return absl::ToUnixMicros(kNoon + after_noon); }

// A dataset whose source is a list of cursor values; every read and probe sees all of it.
class DatasetStateTest : public testing::Test {
 protected:
  DatasetStateTest() {
    DatasetSpec spec;
    spec.id = {"deals", "p1"};
    spec.server.name = "p1";
    spec.strategy = Strategy::kIncremental;
    spec.cursor = "at";
    spec.unit = *ParseUnit("1h");
    spec.server.silent_after = absl::Hours(24 * 7);
    dataset_.TakeSpec(spec, "digest");
  }

  void Probe(absl::Duration clock, std::optional<absl::Time> oldest_transaction = std::nullopt) {
    ProbeResult probe;
    probe.cursor_type = CursorType::kInstant;
    probe.source_clock = kNoon + clock;
    probe.transactions_known = true;
    probe.oldest_transaction = oldest_transaction;
    for (const Range& range : dataset_.TailStretches()) {
      TailCheck check{range, 0, std::nullopt};
      for (int64_t row : rows_) {
        if (!range.Contains(row)) continue;
        ++check.rows;
        check.max_cursor = std::max(check.max_cursor.value_or(row), row);
      }
      probe.tail.push_back(check);
    }
    for (int64_t row : rows_) {
      probe.minimum = std::min(probe.minimum.value_or(row), row);
      probe.bound = std::max(probe.bound.value_or(row), row);
    }
    const int64_t asked_after = sequence_;
    dataset_.TakeProbe(probe, ++sequence_, asked_after);
  }

  // Does what a run would do; returns the extents that were read.
  std::vector<Range> Run() {
    DemandState demand;
    ActivateDemand(dataset_, demand, v1::RUN_KIND_INCREMENTAL, sequence_, Surroundings());
    std::vector<Range> read;
    while (true) {
      const NextClaimResult next = NextClaim(dataset_, demand, kNoon);
      if (!next.claim.has_value()) return read;
      Claim claim;
      claim.fence = ++sequence_;
      claim.extent = next.claim->extent;
      claim.cuts = next.claim->cuts;
      claim.shown = dataset_.Facts();
      claim.manifest.emplace();
      for (const Extent& extent : PiecesOf(claim.extent, claim.cuts)) {
        StagedPiece piece;
        piece.extent = extent;
        for (int64_t row : rows_) {
          if (!extent.range->Contains(row)) continue;
          piece.fingerprint.Add(Hash128{1, static_cast<uint64_t>(row)});
          piece.max_cursor = std::max(piece.max_cursor.value_or(row), row);
        }
        claim.manifest->pieces.push_back(piece);
      }
      dataset_.Publish(claim, kNoon);
      demand.remaining.DropUpTo(*claim.extent.range, claim.fence);
      read.push_back(*claim.extent.range);
    }
  }

  DatasetState dataset_;
  std::vector<int64_t> rows_;
  int64_t sequence_ = 0;
};

TEST_F(DatasetStateTest, AFirstLoadSettlesWhatIsOlderThanTheSettleTime) {
  rows_ = {At(absl::Hours(-3)), At(absl::Minutes(-2))};
  Probe(absl::ZeroDuration());
  EXPECT_EQ(Run().size(), 3u);  // 9, 10 and 11 o'clock; the last is cut where rows have settled.
  EXPECT_EQ(dataset_.coverage.pieces().size(), 3u);  // What has no rows and has settled is one.
  EXPECT_EQ(dataset_.settled_to, At(absl::Minutes(-5)));
  EXPECT_EQ(dataset_.coverage.Missing(*dataset_.domain).size(), 0u);
}

// A source that lags: its newest instant may have more rows, however old it is.
TEST_F(DatasetStateTest, AFirstLoadDoesNotSettleTheBoundsOwnInstant) {
  rows_ = {At(absl::Hours(-30)), At(absl::Hours(-26))};
  Probe(absl::ZeroDuration());
  Run();
  EXPECT_EQ(dataset_.settled_to, rows_.back());
  rows_.push_back(rows_.back());
  rows_.push_back(At(absl::Hours(-2)));
  Probe(absl::Hours(1));
  Run();
  EXPECT_EQ(dataset_.rows(), 4);
}

TEST_F(DatasetStateTest, ATickWithNothingNewReadsNothing) {
  rows_ = {At(absl::Hours(-3)), At(absl::Minutes(-2))};
  Probe(absl::ZeroDuration());
  Run();
  for (int minute : {1, 2, 10, 60}) {
    Probe(absl::Minutes(minute));
    EXPECT_THAT(Run(), IsEmpty()) << minute;
  }
}

TEST_F(DatasetStateTest, TheTailThatWasPublishedWhileAProbeLookedIsReadAgain) {
  rows_ = {At(absl::Hours(-3)), At(absl::Minutes(-2))};
  Probe(absl::ZeroDuration());
  const ProbeResult before = *dataset_.probe;  // It checked no tail: nothing was published yet.
  Run();
  rows_.push_back(At(absl::Minutes(-1)));
  const int64_t asked_after = sequence_;
  dataset_.TakeProbe(before, ++sequence_, 0);  // Offered before what was read since.
  EXPECT_THAT(Run(), IsEmpty());
  dataset_.TakeProbe(before, ++sequence_, asked_after);
  EXPECT_THAT(Run(), ElementsAre(Range{At(absl::Minutes(-5)), At(absl::Minutes(-2)) + 1}));
  EXPECT_THAT(dataset_.NotSeen(asked_after), RangeSet());
}

TEST_F(DatasetStateTest, ARowThatArrivesLateInTheTailIsReadWithoutALookback) {
  rows_ = {At(absl::Hours(-3)), At(absl::Minutes(-1))};
  Probe(absl::ZeroDuration());
  Run();
  rows_.push_back(At(absl::Minutes(-2)));  // Its transaction was open at the first probe.
  Probe(absl::Minutes(3));
  const std::vector<Range> read = Run();
  ASSERT_EQ(read.size(), 1u);
  EXPECT_TRUE(read[0].Contains(rows_.back()));
  EXPECT_EQ(dataset_.rows(), 3);
}

TEST_F(DatasetStateTest, TheTailDoesNotSettleWhileATransactionOfItsTimeIsOpen) {
  rows_ = {At(absl::Hours(-3)), At(absl::Minutes(-2)), At(absl::Minutes(-1))};
  Probe(absl::ZeroDuration());
  Run();
  const int64_t before = dataset_.settled_to;
  Probe(absl::Hours(2), /*oldest_transaction=*/kNoon - absl::Minutes(1));
  EXPECT_EQ(dataset_.settled_to, before);
  Probe(absl::Hours(2), /*oldest_transaction=*/kNoon + absl::Minutes(1));
  EXPECT_GT(dataset_.settled_to, before);
}

TEST_F(DatasetStateTest, TheBoundsOwnInstantNeverSettlesWhileItIsTheBound) {
  rows_ = {At(absl::Hours(-3)), At(absl::Minutes(-1))};
  Probe(absl::ZeroDuration());
  Run();
  Probe(absl::Hours(1));
  Probe(absl::Hours(2));
  EXPECT_EQ(dataset_.settled_to, rows_.back());  // Everything before it, not itself.
  rows_.push_back(rows_.back());                 // A tie.
  Probe(absl::Hours(3));
  EXPECT_EQ(Run().size(), 1u);
  EXPECT_EQ(dataset_.rows(), 3);
}

TEST_F(DatasetStateTest, TailStretchesStayFewAfterALongAbsence) {
  rows_ = {At(absl::Hours(-1))};
  Probe(absl::ZeroDuration());
  Run();
  for (int hour = 1; hour <= 40; ++hour) rows_.push_back(At(absl::Hours(hour)));
  Probe(absl::Hours(41));
  EXPECT_GE(Run().size(), 40u);
  const std::vector<Range> stretches = dataset_.TailStretches();
  EXPECT_LE(static_cast<int>(stretches.size()), kMaxTailChecks);
  EXPECT_EQ(stretches.back().to, dataset_.domain->to);
  EXPECT_LE(stretches.front().from, At(absl::Hours(1)));
}

TEST_F(DatasetStateTest, ASilentSourceIsCalledSilentAndStillAdvances) {
  rows_ = {At(absl::Hours(-1))};
  Probe(absl::Hours(24 * 6));
  Run();
  EXPECT_FALSE(dataset_.SilentFor().has_value());
  Probe(absl::Hours(24 * 30));
  EXPECT_TRUE(dataset_.SilentFor().has_value());
  EXPECT_EQ(dataset_.CompleteThrough(), kNoon + absl::Hours(24 * 30) - absl::Minutes(5));
}

TEST_F(DatasetStateTest, ALookbackThatFindsNothingMovedLeavesThePiecesAsTheyAre) {
  dataset_.spec.lookback_units = 1;
  rows_ = {At(absl::Hours(-3)), At(absl::Minutes(-2)), At(absl::Minutes(-1))};
  Probe(absl::ZeroDuration());
  Run();
  const auto ranges = [&] {
    std::vector<Range> found;
    for (const auto& [from, piece] : dataset_.coverage.pieces()) found.push_back(piece.range);
    return found;
  };
  const std::vector<Range> before = ranges();
  for (int minute : {1, 6, 12, 60}) {
    Probe(absl::Minutes(minute));
    EXPECT_FALSE(Run().empty());
    EXPECT_EQ(ranges(), before) << minute;
  }
  EXPECT_EQ(dataset_.settled_to, rows_.back());  // Inside of the last piece.
}

// A row far ahead of the clock makes the last piece long: what has settled of it is not read with
// every new row.
TEST_F(DatasetStateTest, APieceThatMovedIsCutWhereItHasSettled) {
  dataset_.spec.unit = *ParseUnit("30d");
  rows_ = {At(absl::Hours(-3)), At(absl::Minutes(-20)), At(absl::Hours(20))};
  Probe(absl::ZeroDuration());
  Run();
  Probe(absl::Minutes(10));
  const int64_t settled = dataset_.settled_to;
  EXPECT_GT(settled, At(absl::Minutes(-5)));
  rows_.push_back(At(absl::Minutes(9)));
  Probe(absl::Minutes(11));
  ASSERT_EQ(Run().size(), 1u);
  rows_.push_back(At(absl::Minutes(10)));
  Probe(absl::Minutes(12));
  const std::vector<Range> read = Run();
  ASSERT_EQ(read.size(), 1u);
  EXPECT_GE(read[0].from, settled);
}

TEST_F(DatasetStateTest, WithABoundByTheClockTheDomainNeedsNoMinimum) {
  dataset_.spec.begin = "2013-07-01";
  ProbeResult probe;
  probe.cursor_type = CursorType::kInstant;
  probe.source_clock = kNoon;
  probe.bound = absl::ToUnixMicros(kNoon);
  dataset_.TakeProbe(probe, ++sequence_, 0);
  ASSERT_TRUE(dataset_.domain.has_value());
  EXPECT_EQ(dataset_.domain->from,
            absl::ToUnixMicros(absl::FromCivil(absl::CivilDay(2013, 7, 1), absl::UTCTimeZone())));
  EXPECT_EQ(dataset_.domain->to, absl::ToUnixMicros(kNoon) + 1);
}

TEST_F(DatasetStateTest, BeginCutsTheDomain) {
  dataset_.spec.begin = "2013-12-01T10:30:00Z";
  rows_ = {At(absl::Hours(-30)), At(absl::Minutes(-1))};
  Probe(absl::ZeroDuration());
  EXPECT_EQ(dataset_.domain->from, At(absl::Minutes(-90)));
  Run();
  EXPECT_EQ(dataset_.rows(), 1);
  const auto bad = BeginOf(
      [&] {
        DatasetSpec spec = dataset_.spec;
        spec.begin = "-7d";
        return spec;
      }(),
      *dataset_.calendar);
  EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument);
}

// Progress as one event sets it, of what a table had when its ledger was lost.
TEST_F(DatasetStateTest, AHealedDatasetReadsWhatItLacksAndWhatIsStale) {
  rows_ = {At(absl::Hours(-9)), At(absl::Hours(-6)), At(absl::Hours(-3)), At(absl::Minutes(-2))};
  Probe(absl::ZeroDuration());
  Run();
  v1::DatasetProgress progress;
  for (const auto& [from, piece] : dataset_.coverage.pieces()) {
    if (!piece.empty()) *progress.add_pieces() = ToSnapshot(piece);
  }
  const v1::Range& newest = progress.pieces(progress.pieces_size() - 1).range();
  *progress.add_stale() = newest;
  progress.set_settled_to(dataset_.settled_to);
  DatasetState healed;
  healed.TakeSpec(dataset_.spec, "digest");
  SetProgress(progress, ++sequence_, healed);
  dataset_ = healed;
  Probe(absl::Minutes(1));
  EXPECT_EQ(dataset_.domain->from, At(absl::Hours(-9))) << "what is covered is of the domain";
  const std::vector<Range> read = Run();
  EXPECT_EQ(read.back(), (Range{newest.from(), newest.to()}));
  for (const Range& range : read) EXPECT_FALSE(range.Contains(At(absl::Hours(-6))));
  EXPECT_THAT(dataset_.coverage.Missing(*dataset_.domain), IsEmpty());
  Probe(absl::Minutes(20));
  Run();
  EXPECT_GT(dataset_.settled_to, progress.settled_to()) << "it goes on to settle";
}

TEST_F(DatasetStateTest, AnAdoptedDatasetIsReadInOne) {
  rows_ = {At(absl::Hours(-9)), At(absl::Hours(-3)), At(absl::Minutes(-2))};
  v1::DatasetProgress progress;
  progress.set_adopted(true);
  SetProgress(progress, ++sequence_, dataset_);
  Probe(absl::ZeroDuration());
  DemandState demand;
  ActivateDemand(dataset_, demand, v1::RUN_KIND_INCREMENTAL, sequence_, Surroundings());
  const NextClaimResult next = NextClaim(dataset_, demand, kNoon);
  ASSERT_TRUE(next.claim.has_value());
  EXPECT_EQ(next.claim->extent, (Extent{*dataset_.domain, true})) << "nobody knows what is where";
  EXPECT_GT(next.claim->cuts.size(), 5u);
  Claim claim;
  claim.fence = ++sequence_;
  claim.extent = next.claim->extent;
  claim.whole = true;
  dataset_.claims.emplace(claim.fence, claim);
  EXPECT_FALSE(NextClaim(dataset_, demand, kNoon).claim.has_value()) << "one at a time";
  dataset_.claims.clear();
  claim.manifest.emplace();
  StagedPiece& piece = claim.manifest->pieces.emplace_back();
  piece.extent.range = claim.extent.range;
  piece.fingerprint.rows = 3;
  dataset_.Publish(claim, kNoon);
  EXPECT_FALSE(dataset_.adopted);
  EXPECT_EQ(dataset_.coverage.pieces().size(), 1u);
}

}  // namespace
}  // namespace headwater
