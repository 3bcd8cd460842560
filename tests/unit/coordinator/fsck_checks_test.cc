#include "coordinator/fsck_checks.h"

#include "common/model/model_proto.h"
#include "gmock/gmock.h"

namespace headwater {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kDay = 86'400'000'000;
constexpr char kLedger[] = "ledger-1";

DatasetSpec Spec() {
  DatasetSpec spec;
  spec.id = {"deals", "p1"};
  spec.server.name = "p1";
  spec.server.url = "test:p1";
  spec.server.timezone = "UTC";
  spec.relation = "t";
  spec.target_uri = "lake/deals";
  spec.strategy = Strategy::kPartition;
  spec.cursor = "at";
  spec.cursor_timezone = "UTC";
  spec.unit = Unit{Unit::Kind::kDay, 1};
  return spec;
}

Extent Day(int64_t day) { return {Range{day * kDay, (day + 1) * kDay}, false}; }

// A ledger in which each day of `fences` has been read by that attempt and published: ten rows.
class FsckChecksTest : public ::testing::Test {
 protected:
  FsckChecksTest() {
    v1::Event defined;
    *defined.mutable_dataset_defined()->mutable_spec() = ToProto(Spec());
    defined.mutable_dataset_defined()->set_digest("digest");
    Apply(defined);
    v1::Event set;
    *set.mutable_progress_set()->mutable_dataset() = RefOf(Spec().id);
    for (int64_t day = 0; day < 3; ++day) {
      v1::PieceSnapshot* piece = set.mutable_progress_set()->mutable_progress()->add_pieces();
      piece->mutable_range()->set_from(day * kDay);
      piece->mutable_range()->set_to((day + 1) * kDay);
      piece->set_fence(day + 1);
      piece->set_fill_seq(day + 1);
      *piece->mutable_fingerprint() = ToProto(Fingerprint{10, {}});
      survey_.servers["p1"].pieces.push_back(Found(day, day + 1));
    }
    Apply(set);
    v1::Event taken;
    taken.mutable_table_taken()->set_table("deals");
    taken.mutable_table_taken()->set_commit_sequence(3);
    taken.mutable_table_taken()->set_version(7);
    Apply(taken);
    survey_.exists = true;
    survey_.version = 7;
    survey_.owner = kLedger;
    survey_.own_sequence = 3;
    survey_.max_fence = 3;
  }

  static SurveyedPiece Found(int64_t day, int64_t fence) {
    SurveyedPiece piece;
    piece.extent = Day(day);
    piece.fence = fence;
    piece.fingerprint = {10, {}};
    piece.live_rows = 10;
    return piece;
  }

  void Apply(const v1::Event& event) { state_.Apply(state_.last_sequence() + 1, event); }

  SurveyedServer& server() { return survey_.servers["p1"]; }

  std::vector<std::string> Check() {
    out_.Clear();
    out_.set_table("deals");
    out_.set_folder("lake/deals");
    CheckTable({state_, survey_, kLedger, {7, 3}}, out_);
    CheckLedger(state_, out_);
    std::vector<std::string> found;
    for (const v1::Violation& violation : out_.violations()) {
      EXPECT_FALSE(violation.where().empty());
      EXPECT_FALSE(violation.expected().empty());
      EXPECT_FALSE(violation.found().empty());
      EXPECT_FALSE(violation.advice().empty());
      found.push_back(violation.invariant());
    }
    return found;
  }

  ClusterState state_;
  TableSurvey survey_;
  v1::CheckedTable out_;
};

TEST_F(FsckChecksTest, FindsNothingWhereTheTableHasJustThePiecesOfTheLedger) {
  EXPECT_THAT(Check(), IsEmpty());
  EXPECT_EQ(out_.datasets(), 1);
  EXPECT_EQ(out_.pieces(), 3);
  EXPECT_EQ(out_.rows(), 30);
}

TEST_F(FsckChecksTest, FindsAPieceThatTheTableDoesNotHave) {
  server().pieces.pop_back();
  EXPECT_THAT(Check(), ElementsAre("I4"));
  EXPECT_THAT(out_.violations(0).found(), HasSubstr("no file"));
}

TEST_F(FsckChecksTest, FindsOtherRowsOtherAttemptsAndOtherSums) {
  server().pieces[0].live_rows = 9;
  server().pieces[1].fence = 9;
  server().pieces[2].fingerprint.sum.low = 1;
  EXPECT_THAT(Check(), ElementsAre("I4", "I4", "I4"));
  server().pieces[0] = Found(0, 1);
  server().pieces[1] = Found(1, 2);
  server().pieces[2] = Found(2, 3);
  server().pieces[2].one_attempt = false;
  EXPECT_THAT(Check(), ElementsAre("I4"));
  server().pieces[2] = Found(2, 3);
  server().pieces[2].live_rows = -1;
  EXPECT_THAT(Check(), IsEmpty()) << "what another writer does not say is nothing against it";
}

TEST_F(FsckChecksTest, FindsRowsThatAreThereTwice) {
  SurveyedPiece half = Found(1, 1);
  half.extent.range->from += kDay / 2;
  server().pieces.insert(server().pieces.begin() + 2, half);
  EXPECT_THAT(Check(), ElementsAre("I1", "I1")) << "the log overlaps, and the ledger has it once";
}

TEST_F(FsckChecksTest, WhatTheLedgerDoesNotCountAsLoadedIsOnlyNoted) {
  server().pieces.push_back(Found(3, 2));
  EXPECT_THAT(Check(), IsEmpty());
  EXPECT_THAT(out_.notes(0), HasSubstr("1 piece"));
}

TEST_F(FsckChecksTest, FindsFilesWithoutOurTags) {
  server().foreign = {"server_source=p1/part-0.parquet"};
  survey_.servers[""].foreign = {"part-1.parquet"};
  EXPECT_THAT(Check(), ElementsAre("I2", "I2"));
  EXPECT_THAT(out_.violations(0).advice(), HasSubstr("repair --adopt p1/deals"));
}

TEST_F(FsckChecksTest, FindsALedgerThatIsOlderThanItsTable) {
  survey_.own_sequence = 4;
  EXPECT_THAT(Check(), ElementsAre("I8")) << "then the pieces differ, which says nothing new";
  survey_.own_sequence = 3;
  survey_.max_fence = 1'000;
  EXPECT_THAT(Check(), ElementsAre("I8"));
}

TEST_F(FsckChecksTest, FindsATableThatIsBehindOrGoneOrAnothers) {
  survey_.version = 6;
  EXPECT_THAT(Check(), ElementsAre("I4"));
  survey_.version = 7;
  survey_.own_sequence = 2;
  EXPECT_THAT(Check(), ElementsAre("I4"));
  survey_.owner = "ledger-2";
  survey_.own_sequence = 3;
  EXPECT_THAT(Check(), ElementsAre("owner"));
  survey_ = {};
  EXPECT_THAT(Check(), ElementsAre("I4"));
}

TEST_F(FsckChecksTest, FindsClaimsThatOverlapOrNeverEnd) {
  DatasetState dataset;
  dataset.TakeSpec(Spec(), "digest");
  const auto check = [&] {
    out_.Clear();
    CheckProgressOf(dataset, 20, out_);
    std::vector<std::string> found;
    for (const v1::Violation& violation : out_.violations()) found.push_back(violation.invariant());
    return found;
  };
  const auto claim = [&](int64_t fence, const Extent& extent) {
    Claim& made = dataset.claims[fence];
    made.fence = fence;
    made.extent = extent;
    made.granted = absl::UnixEpoch();
  };
  claim(11, Day(5));
  claim(12, Day(6));
  EXPECT_THAT(check(), IsEmpty());
  claim(13, {Range{5 * kDay + 7, 5 * kDay + 8}, true});
  EXPECT_THAT(check(), ElementsAre("I11"));
  claim(14, {std::nullopt, true});
  EXPECT_THAT(check(), ElementsAre("I11", "I11")) << "there is one outside";
  dataset.claims.clear();
  claim(21, Day(5));
  EXPECT_THAT(check(), ElementsAre("I11")) << "its number is of the future";
  dataset.claims.clear();
  claim(11, Day(5));
  dataset.claims[11].granted = absl::InfinitePast();
  EXPECT_THAT(check(), ElementsAre("I12"));
  dataset.claims.clear();
  dataset.blocked.push_back({Day(5), 1, 0, false, absl::InfiniteFuture(), {}});
  EXPECT_THAT(check(), ElementsAre("I12"));
  dataset.blocked[0].quarantined = true;
  EXPECT_THAT(check(), IsEmpty()) << "it waits for people";
}

}  // namespace
}  // namespace headwater
