#include "tests/contract/committer_contract.h"

#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "gmock/gmock.h"

namespace headwater {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

StagedPiece MakePiece(CommitterPlace& place, const std::string& server, int64_t fence, Range range,
                      const std::string& name) {
  StagedPiece piece;
  piece.extent.range = range;
  piece.fingerprint = {1, {1, static_cast<uint64_t>(fence)}};
  piece.files = place.Stage(server, fence, name);
  return piece;
}

Replacement MakeReplacement(const std::string& server, int64_t fence, Range extent,
                            std::vector<StagedPiece> pieces) {
  Replacement replacement;
  replacement.dataset = {"deals", server};
  replacement.fence = fence;
  replacement.extent.range = extent;
  replacement.manifest.pieces = std::move(pieces);
  replacement.manifest.schema.columns = {{"id", {TypeKind::kLong}, true}};
  replacement.manifest.spec_version = "spec";
  return replacement;
}

Intent MakeIntent(int64_t sequence, std::vector<Replacement> replacements) {
  Intent intent{"deals", sequence, "", std::move(replacements)};
  intent.hash = IntentHash(intent);
  return intent;
}

// One piece [0, 10) of server p1 with one file.
Intent OnePiece(CommitterPlace& place, int64_t sequence, int64_t fence, const std::string& name,
                Range range = {0, 10}) {
  return MakeIntent(sequence, {MakeReplacement("p1", fence, range,
                                               {MakePiece(place, "p1", fence, range, name)})});
}

TEST_P(CommitterContract, NothingIsVisibleBeforeCommit) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  const Intent intent = OnePiece(*place, 1, 5, "a");
  EXPECT_FALSE(committer->Inspect()->exists);
  EXPECT_THAT(*committer->Check(intent.replacements), ElementsAre(absl::OkStatus()));
  EXPECT_THAT(place->Visible(), IsEmpty());
  ASSERT_TRUE(committer->Commit(intent).ok());
  EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", ElementsAre("a"))));
  EXPECT_EQ(committer->Inspect()->last_sequence, 1);
  EXPECT_EQ(place->Open()->Inspect()->max_fence, 5);
}

TEST_P(CommitterContract, TheSameIntentTwiceIsOneVersion) {
  auto place = GetParam().make_place();
  const Intent intent = OnePiece(*place, 1, 5, "a");
  const auto first = place->Open()->Commit(intent);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = place->Open()->Commit(intent);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(first->version, again->version);
  EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", ElementsAre("a"))));
}

TEST_P(CommitterContract, FailedAtAnyFailpointThenRetriedPublishesOnce) {
  for (const std::string& failpoint : GetParam().failpoints) {
    for (const bool restart : {false, true}) {
      SCOPED_TRACE(failpoint);
      auto place = GetParam().make_place();
      auto committer = place->Open();
      ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 5, "old")).ok());
      const Intent intent = OnePiece(*place, 2, 6, "new");
      ASSERT_TRUE(ArmFailpoints(absl::StrCat(failpoint, ":error:UNKNOWN")).ok());
      EXPECT_EQ(committer->Commit(intent).status().code(), absl::StatusCode::kUnknown);
      ASSERT_TRUE(ArmFailpoints("").ok());
      if (restart) committer = place->Open();
      const auto retried = committer->Commit(intent);
      ASSERT_TRUE(retried.ok()) << retried.status();
      EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", ElementsAre("new"))));
      EXPECT_EQ(committer->Inspect()->last_sequence, 2);
      EXPECT_EQ(retried->version, committer->Inspect()->version);
    }
  }
}

TEST_P(CommitterContract, ACommitStandsWhateverFailsAfterIt) {
  for (const std::string& failpoint : GetParam().upkeep_failpoints) {
    SCOPED_TRACE(failpoint);
    auto place = GetParam().make_place();
    auto committer = place->Open();
    ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 1, "a", {0, 10})).ok());
    ASSERT_TRUE(ArmFailpoints(absl::StrCat(failpoint, ":error:UNAVAILABLE")).ok());
    EXPECT_TRUE(committer->Commit(OnePiece(*place, 2, 2, "b", {10, 20})).ok());
    ASSERT_TRUE(ArmFailpoints("").ok());
    ASSERT_TRUE(committer->Commit(OnePiece(*place, 3, 3, "c", {20, 30})).ok());
    EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", UnorderedElementsAre("a", "b", "c"))));
  }
}

TEST_P(CommitterContract, KilledAtAnyStepTheTableIsOpenedAgainAndGoesOn) {
  std::vector<std::string> failpoints = GetParam().failpoints;
  failpoints.insert(failpoints.end(), GetParam().upkeep_failpoints.begin(),
                    GetParam().upkeep_failpoints.end());
  for (const std::string& failpoint : failpoints) {
    SCOPED_TRACE(failpoint);
    auto place = GetParam().make_place();
    ASSERT_TRUE(place->Open()->Commit(OnePiece(*place, 1, 1, "a", {0, 10})).ok());
    const Intent intent = OnePiece(*place, 2, 2, "b", {10, 20});
    EXPECT_EXIT(
        {
          (void)ArmFailpoints(absl::StrCat(failpoint, ":crash"));
          (void)place->Open()->Commit(intent);
        },
        testing::ExitedWithCode(137), "");
    auto committer = place->Open();
    const auto contents = committer->Inspect();
    ASSERT_TRUE(contents.ok()) << contents.status();
    const bool published = contents->last_sequence == 2;
    EXPECT_EQ(place->Visible().at("p1").size(), published ? 2u : 1u);
    const auto retried = committer->Commit(intent);
    ASSERT_TRUE(retried.ok()) << retried.status();
    EXPECT_EQ(retried->version, contents->version + (published ? 0 : 1));
    ASSERT_TRUE(committer->Commit(OnePiece(*place, 3, 3, "c", {20, 30})).ok());
    EXPECT_EQ(place->Open()->Inspect()->last_sequence, 3);
    EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", UnorderedElementsAre("a", "b", "c"))));
  }
}

TEST_P(CommitterContract, AnOlderSequenceIsRefused) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 7, 5, "a")).ok());
  EXPECT_EQ(committer->Commit(OnePiece(*place, 6, 4, "b")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", ElementsAre("a"))));
}

TEST_P(CommitterContract, AnotherIntentUnderOurSequenceIsRefused) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 5, "a")).ok());
  EXPECT_EQ(committer->Commit(OnePiece(*place, 1, 6, "b")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", ElementsAre("a"))));
}

TEST_P(CommitterContract, ReplacingAPieceRemovesItsFilesAndNoOthers) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  Replacement p1 = MakeReplacement(
      "p1", 1, {0, 20},
      {MakePiece(*place, "p1", 1, {0, 10}, "a"), MakePiece(*place, "p1", 1, {10, 20}, "b")});
  Replacement p2 = MakeReplacement("p2", 2, {0, 10}, {MakePiece(*place, "p2", 2, {0, 10}, "c")});
  ASSERT_TRUE(committer->Commit(MakeIntent(1, {p1, p2})).ok());
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 2, 3, "d", {10, 20})).ok());
  EXPECT_THAT(place->Visible(), UnorderedElementsAre(Pair("p1", UnorderedElementsAre("a", "d")),
                                                     Pair("p2", ElementsAre("c"))));
}

TEST_P(CommitterContract, OnePieceMayTakeThePlaceOfMany) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 1, "a", {0, 10})).ok());
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 2, 2, "b", {10, 20})).ok());
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 3, 3, "both", {0, 20})).ok());
  EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", ElementsAre("both"))));
}

TEST_P(CommitterContract, AnUnchangedPieceKeepsItsFiles) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 1, "a", {0, 10})).ok());
  StagedPiece same;
  same.extent.range = Range{0, 10};
  same.unchanged = true;
  ASSERT_TRUE(committer
                  ->Commit(MakeIntent(
                      2, {MakeReplacement("p1", 2, {0, 20},
                                          {same, MakePiece(*place, "p1", 2, {10, 20}, "b")})}))
                  .ok());
  EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", UnorderedElementsAre("a", "b"))));
}

TEST_P(CommitterContract, APieceWithoutRowsOverNothingWritesNothing) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 1, "a", {0, 10})).ok());
  const int64_t version = committer->Inspect()->version;
  StagedPiece empty;
  empty.extent.range = Range{50, 60};
  const auto result =
      committer->Commit(MakeIntent(2, {MakeReplacement("p1", 2, {50, 60}, {empty})}));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->version, -1);
  EXPECT_EQ(committer->Inspect()->version, version);
  empty.extent.range = Range{0, 10};  // Over files it is a deletion.
  ASSERT_TRUE(committer->Commit(MakeIntent(3, {MakeReplacement("p1", 3, {0, 10}, {empty})})).ok());
  EXPECT_THAT(place->Visible(), IsEmpty());
}

TEST_P(CommitterContract, AnAbandonedIntentIsNeverCommitted) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 1, "a")).ok());
  const Intent intent = OnePiece(*place, 2, 2, "b");
  ASSERT_TRUE(committer->Abandon(intent).ok());
  ASSERT_TRUE(place->Open()->Abandon(intent).ok());
  EXPECT_EQ(place->Open()->Commit(intent).status().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", ElementsAre("a"))));
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 3, 3, "c")).ok());
}

TEST_P(CommitterContract, AnIntentOfATableThatIsNotThereCanBeAbandoned) {
  auto place = GetParam().make_place();
  const Intent intent = OnePiece(*place, 1, 5, "a");
  ASSERT_TRUE(place->Open()->Abandon(intent).ok());
  EXPECT_THAT(place->Visible(), IsEmpty());
  auto committer = place->Open();
  EXPECT_TRUE(committer->Inspect()->exists);
  EXPECT_EQ(committer->Inspect()->last_sequence, 1);
  EXPECT_EQ(committer->Commit(intent).status().code(), absl::StatusCode::kCancelled);
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 2, 6, "b")).ok());
  EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", ElementsAre("b"))));
}

TEST_P(CommitterContract, AnIntentThatReplacesNothingMakesNoTable) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  EXPECT_EQ(committer->Abandon(MakeIntent(1, {})).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(committer->Commit(MakeIntent(1, {}))->version, -1);
  EXPECT_FALSE(place->Open()->Inspect()->exists);
  EXPECT_THAT(place->Visible(), IsEmpty());
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 1, "a")).ok());
  EXPECT_TRUE(committer->Abandon(MakeIntent(2, {})).ok());
  EXPECT_EQ(committer->Commit(MakeIntent(2, {})).status().code(), absl::StatusCode::kCancelled);
}

TEST_P(CommitterContract, TheHighestFenceIsRememberedWhenItsFilesAreGone) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 5, "a", {0, 10})).ok());
  StagedPiece empty;
  empty.extent.range = Range{0, 10};
  ASSERT_TRUE(committer->Commit(MakeIntent(2, {MakeReplacement("p1", 9, {0, 10}, {empty})})).ok());
  EXPECT_EQ(committer->Inspect()->max_fence, 9);
  // A fence that was granted earlier may be published later.
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 3, 7, "b", {20, 30})).ok());
  EXPECT_EQ(place->Open()->Inspect()->max_fence, 9);
  ASSERT_TRUE(committer->Abandon(OnePiece(*place, 4, 12, "c")).ok());
  EXPECT_EQ(place->Open()->Inspect()->max_fence, 12);
}

TEST_P(CommitterContract, ColumnsThatDifferOnlyInCaseAreRefused) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  Replacement both = OnePiece(*place, 1, 1, "a").replacements.front();
  both.manifest.schema.columns.push_back({"ID", {TypeKind::kString}, true});
  Replacement partition = OnePiece(*place, 1, 2, "b", {10, 20}).replacements.front();
  partition.manifest.schema.columns.push_back({"Server_Source", {TypeKind::kString}, true});
  auto statuses = *committer->Check({both, partition});
  for (const auto& [status, words] :
       {std::pair(statuses[0], "columns 'id' and 'ID'"),
        std::pair(statuses[1], "columns 'Server_Source' and 'server_source'")}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  }
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 3, "c")).ok());
  Replacement other = OnePiece(*place, 2, 4, "d", {20, 30}).replacements.front();
  other.manifest.schema.columns[0].name = "Id";
  statuses = *committer->Check({other});
  EXPECT_EQ(statuses[0].code(), absl::StatusCode::kInvalidArgument) << statuses[0];
  EXPECT_THAT(std::string(statuses[0].message()),
              HasSubstr("column id of the table is written Id in the source."));
}

TEST_P(CommitterContract, ColumnsThatDoNotFitAreRefusedWithTheDifference) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 1, "a")).ok());
  Replacement good = OnePiece(*place, 2, 2, "b", {10, 20}).replacements.front();
  Replacement bad = OnePiece(*place, 2, 3, "c", {20, 30}).replacements.front();
  bad.manifest.schema.columns = {{"id", {TypeKind::kString}, true},
                                 {"price", {TypeKind::kDecimal, 18, 6}, true}};
  const auto statuses = *committer->Check({good, bad});
  ASSERT_EQ(statuses.size(), 2u);
  EXPECT_TRUE(statuses[0].ok()) << statuses[0];
  EXPECT_EQ(statuses[1].code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(statuses[1].message()),
              HasSubstr("column id is long in the table and string in the source"));
}

TEST_P(CommitterContract, AnIntentWhoseFilesAreGoneIsNotCommittedAndCanBeAbandoned) {
  for (const bool table_is_there : {false, true}) {
    auto place = GetParam().make_place();
    auto committer = place->Open();
    if (table_is_there) {
      ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 1, "a")).ok());
    }
    Intent intent = OnePiece(*place, 2, 2, "b", {10, 20});
    // As if the file had lost a byte since it was staged.
    intent.replacements[0].manifest.pieces[0].files[0].size_bytes += 1;
    intent.hash = IntentHash(intent);
    EXPECT_EQ((*committer->Check(intent.replacements))[0].code(), absl::StatusCode::kNotFound);
    intent.replacements[0].manifest.pieces[0].files[0].path += ".gone";
    intent.hash = IntentHash(intent);
    EXPECT_EQ((*committer->Check(intent.replacements))[0].code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(committer->Commit(intent).status().code(), absl::StatusCode::kNotFound);
    EXPECT_TRUE(committer->Abandon(intent).ok());
    EXPECT_TRUE(committer->Commit(OnePiece(*place, 3, 3, "c", {10, 20})).ok());
  }
}

TEST_P(CommitterContract, AClaimThatCutsAPieceIsRefused) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(OnePiece(*place, 1, 1, "a", {0, 10})).ok());
  EXPECT_EQ((*committer->Check(OnePiece(*place, 2, 2, "b", {5, 15}).replacements))[0].code(),
            absl::StatusCode::kInternal);
}

TEST_P(CommitterContract, ATableOfAnotherLedgerIsRefused) {
  auto place = GetParam().make_place();
  ASSERT_TRUE(place->Open()->Commit(OnePiece(*place, 1, 1, "a")).ok());
  auto stranger = place->Open("ledger-b");
  EXPECT_EQ(stranger->Inspect().status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(stranger->Check({}).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(stranger->Commit(OnePiece(*place, 2, 2, "b")).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(place->Visible(), ElementsAre(Pair("p1", ElementsAre("a"))));
}

}  // namespace
}  // namespace headwater
