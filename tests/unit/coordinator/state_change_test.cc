#include "coordinator/plan/state_change.h"

#include "coordinator/plan/planner.h"
#include "coordinator/state/progress.h"
#include "coordinator/state/segments.h"
#include "gmock/gmock.h"

namespace headwater {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kSequence = 100;

// Four pieces of ten values, of which the third has no rows; nothing of 40 to 50.
class StateChangeTest : public testing::Test {
 protected:
  StateChangeTest() {
    DatasetSpec spec;
    spec.id = {"deals", "p1"};
    spec.server.name = "p1";
    spec.strategy = Strategy::kIncremental;
    spec.cursor = "id";
    spec.unit = Unit{Unit::Kind::kValues, 10};
    dataset_.TakeSpec(spec, "digest");
    dataset_.calendar = *CalendarOf(spec, CursorType::kInteger);
    dataset_.domain = Range{0, 50};
    dataset_.first_load_settled = true;
    dataset_.settled_to = 30;
    for (int64_t i = 0; i < 4; ++i) {
      Piece piece;
      piece.range = {10 * i, 10 * i + 10};
      piece.fingerprint = {i == 2 ? 0 : 5, {1, static_cast<uint64_t>(i)}};
      piece.fence = piece.fill_seq = i + 1;
      piece.spec_version = "v";
      piece.max_cursor = 10 * i + 9;
      piece.settled_through = std::min<int64_t>(30, 10 * i + 10);
      dataset_.coverage.Put(piece);
      if (i == 2) continue;
      SurveyedPiece surveyed;
      surveyed.extent.range = piece.range;
      surveyed.fence = piece.fence;
      surveyed.fingerprint = piece.fingerprint;
      surveyed.spec_version = "v";
      surveyed.settled_to = 0;  // So the table alone calls everything stale.
      surveyed.live_rows = 5;
      survey_.servers["p1"].pieces.push_back(surveyed);
    }
    survey_.exists = true;
  }

  DatasetState After(const ChangedProgress& changed) {
    EXPECT_TRUE(CheckProgress(changed.progress, kSequence - 1).ok())
        << CheckProgress(changed.progress, kSequence - 1);
    DatasetState after = dataset_;
    SetProgress(changed.progress, kSequence, after);
    return after;
  }

  // "fresh 0-30", …
  static std::vector<std::string> Shown(const DatasetState& dataset) {
    std::vector<std::string> shown;
    for (const v1::StateSegment& segment : SegmentsOf(dataset))
      shown.push_back(segment.state() + " " + segment.extent());
    return shown;
  }

  ChangedProgress Import(const v1::DatasetProgress& imported) {
    return ImportProgress(dataset_, survey_, imported, kSequence - 1);
  }

  DatasetState dataset_;
  TableSurvey survey_;
};

TEST_F(StateChangeTest, ProgressThatIsSetAsItWasIsTheSame) {
  dataset_.needs.Raise({5, 7}, 9);
  dataset_.outside = OutsidePiece{{2, {3, 4}}, 1, 2, "v"};
  dataset_.outside_need = 8;
  dataset_.joined_from = 40;
  const v1::DatasetProgress progress = ProgressOf(dataset_);
  DatasetState again;
  again.TakeSpec(dataset_.spec, "digest");
  SetProgress(progress, kSequence, again);
  EXPECT_EQ(ProgressOf(again).SerializeAsString(), progress.SerializeAsString());
}

TEST_F(StateChangeTest, SegmentsSayWhatIsWhereAndJoinWhatIsAlike) {
  EXPECT_THAT(Shown(dataset_), ElementsAre("fresh [0, 40)", "missing [40, 50)"));
  dataset_.needs.Raise({12, 18}, 9);
  EXPECT_THAT(Shown(dataset_),
              ElementsAre("fresh [0, 12)", "stale [12, 18)", "fresh [18, 40)", "missing [40, 50)"));
  const auto segments = SegmentsOf(dataset_);
  EXPECT_EQ(segments[0].pieces() + segments[1].pieces() + segments[2].pieces(), 4);
  EXPECT_EQ(segments[0].rows() + segments[1].rows() + segments[2].rows(), 15);
  EXPECT_FALSE(segments[2].settled());
}

TEST_F(StateChangeTest, AMarkedWindowIsStaleWhereSomethingIsLoaded) {
  const DatasetState after = After(MarkProgress(dataset_, {15, 45}, false, false));
  EXPECT_THAT(Shown(after), ElementsAre("fresh [0, 15)", "stale [15, 40)", "missing [40, 50)"));
  EXPECT_EQ(after.needs.Within({15, 16}).front().sequence, kSequence)
      << "no attempt before meets it";
  EXPECT_EQ(after.coverage.pieces().size(), 4u) << "nothing is forgotten";
}

TEST_F(StateChangeTest, WhatIsCalledFreshIsNotReadAgain) {
  dataset_.needs.Raise({0, 50}, 9);
  const DatasetState after = After(MarkProgress(dataset_, {0, 20}, false, true));
  EXPECT_THAT(Shown(after), ElementsAre("fresh [0, 20)", "stale [20, 40)", "missing [40, 50)"));
}

TEST_F(StateChangeTest, WhatIsNotKnownToBeWholeIsNeverCalledFresh) {
  v1::DatasetProgress damaged = ProgressOf(dataset_);
  damaged.mutable_pieces(1)->clear_spec_version();
  *damaged.add_stale() = damaged.pieces(1).range();
  SetProgress(damaged, 9, dataset_);
  const ChangedProgress changed = MarkProgress(dataset_, {0, 50}, true, true);
  EXPECT_THAT(changed.notes, ElementsAre(HasSubstr("1 pieces stay stale")));
  EXPECT_THAT(Shown(After(changed)), Contains("stale [10, 20)"));
  dataset_.adopted = true;
  EXPECT_THAT(MarkProgress(dataset_, {0, 50}, true, true).notes,
              ElementsAre(HasSubstr("another writer")));
}

TEST_F(StateChangeTest, AResetReadsAndWritesEverythingAgainAndForgetsNoFile) {
  const DatasetState after = After(ResetProgress(dataset_));
  EXPECT_THAT(Shown(after), ElementsAre("stale [0, 40)", "missing [40, 50)"));
  Claim claim;
  claim.extent.range = Range{0, 20};
  claim.cuts = {10};
  EXPECT_EQ(MicrobatchOf(dataset_, claim).known.size(), 2u);
  EXPECT_THAT(MicrobatchOf(after, claim).known, IsEmpty()) << "nothing is found unchanged";
  dataset_.spec.write = WriteMode::kMerge;
  EXPECT_THAT(Shown(After(ResetProgress(dataset_))), ElementsAre("missing [0, 50)"));
}

TEST_F(StateChangeTest, AnImportOfWhatTheTableHasIsFresh) {
  const v1::DatasetProgress exported = ProgressOf(dataset_);
  // As after a heal: all is stale, and what has no rows is not known.
  v1::DatasetProgress healed = exported;
  healed.mutable_pieces()->DeleteSubrange(2, 1);
  for (const v1::PieceSnapshot& piece : healed.pieces()) *healed.add_stale() = piece.range();
  SetProgress(healed, 9, dataset_);
  EXPECT_THAT(Shown(After(Import(healed))), Contains("stale [0, 20)"));
  const DatasetState after = After(Import(exported));
  EXPECT_THAT(Shown(after), ElementsAre("fresh [0, 20)", "missing [20, 30)", "fresh [30, 40)",
                                        "missing [40, 50)"));
  EXPECT_EQ(after.settled_to, 30);
  EXPECT_EQ(after.coverage.pieces().at(0).max_cursor, 9);
}

TEST_F(StateChangeTest, AnImportNeverSaysMoreThanTheTableHas) {
  v1::DatasetProgress exported = ProgressOf(dataset_);
  exported.mutable_pieces(0)->set_fence(7);                         // Another attempt,
  exported.mutable_pieces(1)->mutable_fingerprint()->set_rows(50);  // other rows,
  v1::PieceSnapshot* more = exported.add_pieces();                  // and one that is not there.
  *more = exported.pieces(3);
  more->mutable_range()->set_from(40);
  more->mutable_range()->set_to(50);
  const ChangedProgress changed = Import(exported);
  EXPECT_THAT(changed.notes, Contains(HasSubstr("3 pieces are left out")));
  const DatasetState after = After(changed);
  EXPECT_THAT(Shown(after), ElementsAre("stale [0, 20)", "fresh [20, 40)", "missing [40, 50)"))
      << "what has no rows is known to this ledger itself";
  EXPECT_EQ(after.rows(), 15);
  EXPECT_EQ(after.settled_to, 0) << "nor what the import says has settled";
}

TEST_F(StateChangeTest, AnImportKeepsWhatIsToBeReadAgain) {
  dataset_.needs.Raise({12, 18}, 9);
  const v1::DatasetProgress exported = ProgressOf(dataset_);
  EXPECT_THAT(Shown(After(Import(exported))), Contains("stale [12, 18)"));
}

TEST_F(StateChangeTest, ATableWithFilesOfOthersTakesNoImport) {
  survey_.servers["p1"].foreign = {"theirs.parquet"};
  const ChangedProgress changed = Import(ProgressOf(dataset_));
  EXPECT_EQ(changed.progress.SerializeAsString(), ProgressOf(dataset_).SerializeAsString());
  EXPECT_THAT(changed.notes, ElementsAre(HasSubstr("did not write")));
}

TEST_F(StateChangeTest, WhatNoLedgerCanHaveWrittenIsRefused) {
  v1::DatasetProgress progress = ProgressOf(dataset_);
  EXPECT_TRUE(CheckProgress(progress, kSequence).ok());
  EXPECT_FALSE(CheckProgress(progress, 3).ok()) << "a fence of the future";
  v1::DatasetProgress overlap = progress;
  overlap.mutable_pieces(0)->mutable_range()->set_to(11);
  EXPECT_FALSE(CheckProgress(overlap, kSequence).ok());
  v1::DatasetProgress bad = progress;
  bad.mutable_pieces(0)->set_bad_rows(6);
  EXPECT_FALSE(CheckProgress(bad, kSequence).ok());
  v1::DatasetProgress nothing = progress;
  nothing.set_end(nothing.begin());
  EXPECT_FALSE(CheckProgress(nothing, kSequence).ok());
}

}  // namespace
}  // namespace headwater
