#include "coordinator/plan/takeover_plan.h"

#include "coordinator/state/progress.h"
#include "gmock/gmock.h"

namespace headwater {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kDay = 86'400'000'000;

DatasetSpec Spec() {
  DatasetSpec spec;
  spec.id = {"deals", "p1"};
  spec.server.name = "p1";
  spec.strategy = Strategy::kPartition;
  spec.cursor = "at";
  spec.cursor_timezone = "UTC";
  spec.unit = Unit{Unit::Kind::kDay, 1};
  return spec;
}

SurveyedPiece PieceAt(int64_t day, int64_t fence, int64_t settled_day, int64_t rows = 10) {
  SurveyedPiece piece;
  piece.extent.range = Range{day * kDay, (day + 1) * kDay};
  piece.fence = fence;
  piece.fingerprint = {rows, {1, 2}};
  piece.spec_version = "v";
  piece.settled_to = settled_day * kDay;
  piece.live_rows = rows;
  return piece;
}

TableSurvey With(SurveyedServer server) {
  TableSurvey survey;
  survey.exists = true;
  survey.version = 7;
  survey.servers["p1"] = std::move(server);
  return survey;
}

std::vector<std::string> ReasonsOf(const PlannedTakeover& plan) {
  return {plan.report.reasons().begin(), plan.report.reasons().end()};
}

// The dataset as a ledger has it that was made of the plan, at event 100.
DatasetState Made(const DatasetSpec& spec, const PlannedTakeover& plan) {
  EXPECT_TRUE(CheckProgress(plan.progress, 99).ok()) << CheckProgress(plan.progress, 99);
  DatasetState dataset;
  dataset.TakeSpec(spec, "digest");
  SetProgress(plan.progress, 100, dataset);
  return dataset;
}

TEST(TakeoverPlan, SettledPiecesAreFreshAndOthersStale) {
  SurveyedServer server;
  server.pieces = {PieceAt(0, 5, 1), PieceAt(1, 6, 1), PieceAt(2, 9, 2)};
  const PlannedTakeover plan = PlanTakeover(Spec(), With(server), false);
  EXPECT_TRUE(plan.possible);
  EXPECT_EQ(plan.report.fresh_pieces(), 2);
  EXPECT_EQ(plan.report.stale_pieces(), 1);
  const DatasetState dataset = Made(Spec(), plan);
  EXPECT_EQ(dataset.coverage.pieces().size(), 3u);
  EXPECT_EQ(dataset.settled_to, 2 * kDay) << "what the newest attempt knew";
  const auto needs = dataset.needs.entries();
  ASSERT_EQ(needs.size(), 1u);
  EXPECT_EQ(needs[0].range, (Range{2 * kDay, 3 * kDay}));
  EXPECT_EQ(needs[0].sequence, 100) << "no attempt from before meets it";
}

TEST(TakeoverPlan, TheNewestAttemptSaysWhatHadSettledAlsoWhenThatIsLess) {
  SurveyedServer server;  // A reload was under way: the settled point had moved back.
  server.pieces = {PieceAt(0, 9, 0), PieceAt(1, 6, 2)};
  EXPECT_EQ(PlanTakeover(Spec(), With(server), false).report.fresh_pieces(), 0);
}

TEST(TakeoverPlan, AHoleBetweenPiecesIsMissing) {
  SurveyedServer server;
  server.pieces = {PieceAt(0, 5, 4), PieceAt(3, 6, 4)};
  const DatasetState dataset = Made(Spec(), PlanTakeover(Spec(), With(server), false));
  EXPECT_THAT(dataset.coverage.Missing({0, 4 * kDay}), ElementsAre(Range{kDay, 3 * kDay}));
}

TEST(TakeoverPlan, APieceWithoutAllOfItsFilesIsStaleAndNeverUnchanged) {
  SurveyedServer server;
  server.pieces = {PieceAt(0, 5, 2), PieceAt(1, 6, 2)};
  server.pieces[0].live_rows = 4;
  const PlannedTakeover plan = PlanTakeover(Spec(), With(server), false);
  EXPECT_EQ(plan.report.fresh_pieces(), 1);
  const DatasetState dataset = Made(Spec(), plan);
  const Piece& damaged = dataset.coverage.pieces().at(0);
  EXPECT_EQ(damaged.fingerprint.rows, 4) << "never more than the table has";
  EXPECT_EQ(damaged.spec_version, "") << "what is read there is written";
  EXPECT_FALSE(dataset.needs.Within({0, kDay}).empty());
}

TEST(TakeoverPlan, APieceWhoseBadRowsAreGoneIsStale) {
  SurveyedServer server;
  server.pieces = {PieceAt(0, 5, 2)};
  server.pieces[0].fingerprint.rows = 12;
  server.pieces[0].bad_rows = 2;
  EXPECT_EQ(PlanTakeover(Spec(), With(server), false).report.stale_pieces(), 1);
  server.pieces[0].live_bad_rows = 2;
  const PlannedTakeover whole = PlanTakeover(Spec(), With(server), false);
  EXPECT_EQ(whole.report.fresh_pieces(), 1);
  EXPECT_EQ(Made(Spec(), whole).bad_rows(), 2);
}

TEST(TakeoverPlan, OutsideRowsAreReadAgainTogetherWithTheEndOfTheDomain) {
  SurveyedServer server;
  server.pieces = {PieceAt(0, 5, 1), PieceAt(1, 5, 1)};
  SurveyedPiece outside = PieceAt(0, 4, 1, 3);
  outside.extent = Extent{std::nullopt, true};
  server.pieces.push_back(outside);
  const DatasetState dataset = Made(Spec(), PlanTakeover(Spec(), With(server), false));
  ASSERT_TRUE(dataset.outside.has_value());
  EXPECT_EQ(dataset.outside_need, 100);
  EXPECT_EQ(dataset.joined_from, 2 * kDay - 1) << "what was of the far future may be there now";
}

TEST(TakeoverPlan, AServerWithoutRowsIsMissing) {
  const PlannedTakeover plan = PlanTakeover(Spec(), With({}), false);
  EXPECT_TRUE(plan.possible);
  EXPECT_EQ(plan.progress.pieces_size(), 0);
  TableSurvey other;
  EXPECT_THAT(ReasonsOf(PlanTakeover(Spec(), other, false)), Contains(HasSubstr("missing")));
}

TEST(TakeoverPlan, FilesOfAnotherWriterAreNotTakenUnasked) {
  SurveyedServer server;
  server.pieces = {PieceAt(0, 5, 1)};
  server.foreign = {"theirs.parquet"};
  const PlannedTakeover left = PlanTakeover(Spec(), With(server), false);
  EXPECT_FALSE(left.possible);
  EXPECT_THAT(ReasonsOf(left), ElementsAre(HasSubstr("repair --adopt")));
  EXPECT_THAT(left.report.foreign_files(), ElementsAre("theirs.parquet"));
  const PlannedTakeover taken = PlanTakeover(Spec(), With(server), true);
  EXPECT_TRUE(taken.possible && taken.adopts);
  EXPECT_TRUE(Made(Spec(), taken).adopted);
  EXPECT_EQ(taken.progress.pieces_size(), 0) << "all goes with the next read";
}

TEST(TakeoverPlan, FilesThatWereAdoptedBeforeNeedNotBeAskedForAgain) {
  SurveyedServer server;
  server.adopted_files = 2;
  const PlannedTakeover plan = PlanTakeover(Spec(), With(server), false);
  EXPECT_TRUE(plan.possible);
  EXPECT_FALSE(plan.adopts) << "their tags are there";
  EXPECT_TRUE(plan.progress.adopted());
}

TEST(TakeoverPlan, PiecesThatNoAttemptOfThisDatasetCanHaveWrittenAreNotTaken) {
  SurveyedServer overlapping;
  overlapping.pieces = {PieceAt(0, 5, 1), PieceAt(0, 6, 1)};
  overlapping.pieces[1].extent.range->to += 1;
  EXPECT_THAT(ReasonsOf(PlanTakeover(Spec(), With(overlapping), false)),
              ElementsAre(HasSubstr("overlap")));
  SurveyedServer mixed;
  mixed.pieces = {PieceAt(0, 5, 1)};
  mixed.pieces[0].one_attempt = false;
  EXPECT_THAT(ReasonsOf(PlanTakeover(Spec(), With(mixed), false)),
              ElementsAre(HasSubstr("several attempts")));
  EXPECT_TRUE(PlanTakeover(Spec(), With(mixed), true).adopts);
  DatasetSpec whole = Spec();
  whole.strategy = Strategy::kFull;
  whole.cursor = "";
  SurveyedServer by_cursor;
  by_cursor.pieces = {PieceAt(0, 5, 1)};
  EXPECT_THAT(ReasonsOf(PlanTakeover(whole, With(by_cursor), false)),
              ElementsAre(HasSubstr("by a cursor")));
}

TEST(TakeoverPlan, RowsWithoutACursorAreStale) {
  DatasetSpec whole = Spec();
  whole.strategy = Strategy::kFull;
  whole.cursor = "";
  SurveyedServer server;
  server.pieces = {PieceAt(0, 5, 0)};
  server.pieces[0].extent.range = Range{0, 1};
  const DatasetState dataset = Made(whole, PlanTakeover(whole, With(server), false));
  EXPECT_FALSE(dataset.needs.Within({0, 1}).empty());
  EXPECT_EQ(dataset.coverage.pieces().size(), 1u);
}

TEST(TakeoverPlan, OfKeyedTablesNothingIsCovered) {
  DatasetSpec keyed = Spec();
  keyed.write = WriteMode::kMerge;
  SurveyedServer server;
  server.keyed_files = 2;
  server.keyed_rows = 20;
  const PlannedTakeover plan = PlanTakeover(keyed, With(server), false);
  EXPECT_TRUE(plan.possible);
  const DatasetState dataset = Made(keyed, plan);
  EXPECT_THAT(dataset.coverage.pieces(), IsEmpty());
  EXPECT_EQ(dataset.table_rows, 20) << "a look at the table compares with it";
  server.foreign = {"theirs.parquet"};
  EXPECT_FALSE(PlanTakeover(keyed, With(server), false).possible);
  const PlannedTakeover adopted = PlanTakeover(keyed, With(server), true);
  EXPECT_TRUE(adopted.adopts_by_key && !adopted.adopts);
  EXPECT_FALSE(Made(keyed, adopted).adopted) << "histories cannot be read from a source again";
  EXPECT_FALSE(PlanTakeover(Spec(), With(server), true).possible) << "not by key any more";
}

}  // namespace
}  // namespace headwater
