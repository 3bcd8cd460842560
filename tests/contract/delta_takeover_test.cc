// Takeovers of Delta tables: what is found in them, and what the commit changes.
#include "coordinator/commit/delta/delta_takeover.h"

#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_log.h"
#include "gmock/gmock.h"
#include "tests/contract/delta_place.h"

namespace headwater {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<TableTakeover> OpenFor(const DeltaPlace& place, const std::string& ledger) {
  return *DeltaTakeoverFactory().Open({"deals", place.root(), ledger});
}

// As another writer's compaction: our files go, one of theirs comes.
void Rewrite(const DeltaPlace& place, const std::vector<std::string>& gone,
             const std::string& come) {
  auto store = OpenLocalStore(place.root());
  DeltaVersion rewrite;
  for (const std::string& path : gone)
    rewrite.removes.push_back({path, 1, false, {{"server_source", "p1"}}, 1});
  rewrite.adds.push_back({come, {{"server_source", "p1"}}, 1, 1, false, R"({"numRecords":2})", {}});
  const int64_t version = DeltaSnapshot::Load(*store)->version() + 1;
  ASSERT_TRUE(PutVersion(*store, version, rewrite).ok());
}

TEST(DeltaTakeover, FindsThePiecesThatWerePublished) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  for (int64_t number : {1, 2, 3}) {
    Intent intent = Numbered(place, number);
    intent.replacements[0].settled_to = number * 10;
    intent.replacements[0].manifest.spec_version = "v1";
    intent.replacements[0].manifest.pieces[0].fingerprint.sum = {7, 9};
    intent.hash = IntentHash(intent);
    ASSERT_TRUE(committer->Commit(intent).ok());
  }
  const auto survey = OpenFor(place, "other")->Survey();
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_EQ(survey->owner, "ledger");
  EXPECT_EQ(survey->last_sequence, 3);
  EXPECT_EQ(survey->max_fence, 3);
  const SurveyedServer& server = survey->servers.at("p1");
  ASSERT_EQ(server.pieces.size(), 3u);
  const SurveyedPiece& piece = server.pieces[1];
  EXPECT_EQ(piece.extent.range, (Range{20, 30}));
  EXPECT_EQ(piece.fence, 2);
  EXPECT_EQ(piece.fingerprint, (Fingerprint{1, {7, 9}}));
  EXPECT_EQ(piece.spec_version, "v1");
  EXPECT_EQ(piece.settled_to, 20);
  EXPECT_TRUE(piece.whole());
}

TEST(DeltaTakeover, ATakenTableTakesCommitsOfItsNewLedgerOnly) {
  DeltaPlace place;
  ASSERT_TRUE(place.Open("lost")->Commit(Numbered(place, 1)).ok());
  auto takeover = OpenFor(place, "new");
  const auto survey = takeover->Survey();
  ASSERT_TRUE(survey.ok()) << survey.status();
  const auto version = takeover->Take({survey->version, survey->last_sequence + 1, {}, {}});
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(*version, survey->version + 1);
  EXPECT_EQ(place.Visible().at("p1").size(), 1u);
  EXPECT_EQ(place.Open("lost")->Commit(Numbered(place, 5)).status().code(),
            absl::StatusCode::kAlreadyExists);
  auto committer = place.Open("new");
  const auto contents = committer->Inspect();
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(contents->last_sequence, 2) << "the new ledger goes on from there";
  EXPECT_EQ(contents->max_fence, 1);
  // What is known of the piece is what was published.
  const PublishedPiece piece{{"deals", "p1"}, {Range{10, 20}, false}, 1, 1};
  EXPECT_THAT(*committer->FindLost({piece}), IsEmpty());
  EXPECT_TRUE(committer->Commit(Numbered(place, 5)).ok());
}

TEST(DeltaTakeover, AnAdoptedFileGoesWithAReadOfEverythingAndNotBefore) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  ASSERT_TRUE(committer->Commit(Numbered(place, 1)).ok());
  ASSERT_TRUE(committer->Commit(Numbered(place, 2)).ok());
  const std::string first = Numbered(place, 1).replacements[0].manifest.pieces[0].files[0].path;
  Rewrite(place, {first}, "theirs-a.parquet");
  auto takeover = OpenFor(place, "ledger");
  const auto survey = takeover->Survey();
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_THAT(survey->servers.at("p1").foreign, ElementsAre("theirs-a.parquet"));
  ASSERT_TRUE(takeover->Take({survey->version, survey->last_sequence + 1, {"p1"}, {}}).ok());
  EXPECT_EQ(place.Visible().at("p1").size(), 2u) << "nothing goes before it has been read again";

  Intent part = Numbered(place, 4);
  const auto refused = *committer->Check(part.replacements);
  EXPECT_EQ(refused[0].code(), absl::StatusCode::kAlreadyExists) << refused[0];
  part.replacements[0].whole = true;
  part.hash = IntentHash(part);
  const auto published = committer->Commit(part);
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_THAT(place.Visible().at("p1"), ElementsAre("f4"));
}

TEST(DeltaTakeover, FilesThatComeAfterTheAdoptionAreNotAdopted) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  ASSERT_TRUE(committer->Commit(Numbered(place, 1)).ok());
  Rewrite(place, {}, "theirs-a.parquet");
  auto takeover = OpenFor(place, "ledger");
  const auto survey = takeover->Survey();
  ASSERT_TRUE(takeover->Take({survey->version, 2, {"p1"}, {}}).ok());
  Rewrite(place, {}, "theirs-b.parquet");
  Intent whole = Numbered(place, 4);
  whole.replacements[0].whole = true;
  const auto status = (*committer->Check(whole.replacements))[0];
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), HasSubstr("theirs-b"));
}

TEST(DeltaTakeover, IsRefusedWhenSomebodyHasWrittenMeanwhile) {
  DeltaPlace place;
  ASSERT_TRUE(place.Open("lost")->Commit(Numbered(place, 1)).ok());
  auto takeover = OpenFor(place, "new");
  const auto survey = takeover->Survey();
  Rewrite(place, {}, "theirs-a.parquet");
  EXPECT_EQ(takeover->Take({survey->version, 2, {}, {}}).status().code(),
            absl::StatusCode::kAborted);
  EXPECT_EQ(OpenFor(place, "new")->Survey()->owner, "lost");
}

TEST(DeltaTakeover, AFolderOfOthersIsLeftAlone) {
  DeltaPlace place;
  EXPECT_FALSE(OpenFor(place, "new")->Survey()->exists);
  std::filesystem::create_directories(place.root());
  std::ofstream(place.root() + "/report.xlsx") << "mine";
  EXPECT_EQ(OpenFor(place, "new")->Survey().status().code(), absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace headwater
