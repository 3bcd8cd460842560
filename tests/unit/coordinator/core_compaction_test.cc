// Compaction as the core sees it: what is asked of the committer and offered to workers, and that
// whatever goes wrong with it fails no run.
#include <gmock/gmock.h>

#include <functional>

#include "tests/unit/coordinator/compaction_fixture.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(CoreCompactionTest, SettledUnitsBecomeOnePieceEach) {
  const std::vector<TaskSpec> tasks = Begin("r");
  int64_t from = 0;
  for (const TaskSpec& task : tasks) {
    const auto& compaction = std::get<MicrobatchTask>(task.kind);
    EXPECT_EQ(task.run_id, "r");
    EXPECT_EQ(compaction.extent, (Extent{Range{from, from + 10}, false}));
    EXPECT_EQ(compaction.connections, 0);  // Of a server that takes one, both at a time.
    EXPECT_THAT(compaction.cuts, IsEmpty());
    ASSERT_EQ(compaction.inputs.size(), 2u);
    const Piece* first = Dataset().coverage.Find({from, from + 5});
    EXPECT_EQ(compaction.inputs[0].path, absl::StrCat(from, "@", first->fence));
    from += 10;
  }
  EXPECT_EQ(listed_, 1);
  const int64_t lowest = Dataset().coverage.Find({0, 5})->fill_seq;
  EXPECT_FALSE(Ended("r"));
  Compact(tasks[0]);
  EXPECT_FALSE(Ended("r"));
  ASSERT_EQ(committed_.replacements.size(), 1u);
  EXPECT_EQ(committed_.replacements[0].compacted.size(), 2u);
  Compact(tasks[1]);
  EXPECT_TRUE(Ended("r"));
  EXPECT_THAT(Pieces(), ElementsAre(Range{0, 10}, Range{10, 20}, Range{20, 26}));
  const Piece& whole = *Dataset().coverage.Find({0, 10});
  EXPECT_EQ(whole.fill_seq, lowest);
  EXPECT_EQ(whole.fence, tasks[0].lease.fence);
  EXPECT_EQ(whole.fingerprint.rows, 10);
  EXPECT_EQ(whole.max_cursor, 9);
  EXPECT_EQ(Demand("r").compacted_units, 2);
  EXPECT_EQ(Demand("r").compacted_files, 4);
  EXPECT_EQ(Demand("r").compacted_into, 2);
  EXPECT_EQ(Demand("r").done, 0);  // Nothing was read.
  now_ += kSettled;
  Submit("again");
  Probe(25);
  EXPECT_TRUE(Ended("again"));
}

TEST_F(CoreCompactionTest, ItsRowsAreHashedAsThoseOfItsPiecesWere) {
  spec_.hash_algorithm = HashAlgorithm::kSha256;
  Step({DatasetsConfigured{{spec_}}});
  const std::vector<TaskSpec> tasks = Begin("r");
  ASSERT_EQ(tasks.size(), 2u);
  for (const TaskSpec& task : tasks) {
    EXPECT_EQ(std::get<MicrobatchTask>(task.kind).hash_algorithm, HashAlgorithm::kXxh3);
    Compact(task);
  }
  EXPECT_TRUE(Ended("r"));
  EXPECT_EQ(Demand("r").compacted_units, 2);
}

TEST_F(CoreCompactionTest, ItNeitherWaitsForTheServerNorKeepsOthersFromIt) {
  const std::vector<TaskSpec> tasks = Begin("r", /*bound=*/29);
  Read();  // New rows, over the server's one connection.
  Compact(tasks[0]);
  Compact(tasks[1]);
  EXPECT_TRUE(Ended("r"));
}

TEST_F(CoreCompactionTest, WhateverFailsIsANoticeAndTriedAgainByTheNextRun) {
  const std::vector<std::pair<std::string, std::function<void()>>> failures = {
      {"disk is full",
       [&] {
         for (const TaskSpec& task : Begin("r-0"))
           HandIn(task, Failure{FailureKind::kTask, absl::ResourceExhaustedError("disk is full")});
       }},
      {"do not hold the rows",
       [&] {
         for (const TaskSpec& task : Begin("r-1")) {
           Manifest manifest = Rows(std::get<MicrobatchTask>(task.kind).extent);
           manifest.pieces[0].fingerprint.sum.low += 1;
           HandIn(task, manifest);
         }
       }},
      {"not read",
       [&] {
         list_status_ = absl::UnavailableError("not read");
         now_ += kSettled;
         Submit("r-2");
         Probe(25);
       }},
      {"are gone from the table",
       [&] {
         files_are_gone_ = true;
         now_ += kSettled;
         Submit("r-3");
         Probe(25);
       }},
      {"was gone",
       [&] {
         compaction_check_ = absl::NotFoundError("was gone");
         for (const TaskSpec& task : Begin("r-4")) Compact(task);
       }},
      {"a foreign file",
       [&] {
         compaction_check_ = absl::AlreadyExistsError("a foreign file");
         for (const TaskSpec& task : Begin("r-5")) Compact(task);
       }},
      {"was not heard of", [&] {
         Begin("r-6");
         now_ += absl::Minutes(1);
         Step({Ticked{}});
       }}};
  for (size_t i = 0; i < failures.size(); ++i) {
    SCOPED_TRACE(failures[i].first);
    failures[i].second();
    const std::string run = absl::StrCat("r-", i);
    EXPECT_TRUE(Ended(run));
    EXPECT_EQ(Demand(run).phase, DemandPhase::kDone);
    ASSERT_EQ(Demand(run).notices.size(), 2u);
    EXPECT_THAT(Demand(run).notices[0], HasSubstr("until a later run"));
    EXPECT_THAT(Demand(run).notices[0], HasSubstr(failures[i].first));
    EXPECT_THAT(Dataset().blocked, IsEmpty());
    EXPECT_EQ(Pieces().size(), 5u);
    list_status_ = compaction_check_ = absl::OkStatus();
    files_are_gone_ = false;
  }
  for (const TaskSpec& task : Begin("last")) Compact(task);
  EXPECT_EQ(Pieces().size(), 3u);
}

TEST_F(CoreCompactionTest, WhatGoesOnFailingIsNotTriedByEveryTick) {
  for (const TaskSpec& task : Begin("r"))
    HandIn(task, Failure{FailureKind::kTask, absl::ResourceExhaustedError("disk is full")});
  now_ += absl::Seconds(1);
  Submit("soon");
  Probe(25);
  EXPECT_TRUE(Ended("soon"));
  now_ += absl::Seconds(10);
  Submit("later");
  Probe(25);
  EXPECT_FALSE(Ended("later"));
  Compact(Take(/*compaction=*/true));
  Compact(Take(/*compaction=*/true));
  EXPECT_TRUE(Ended("later"));
  EXPECT_EQ(Dataset().compaction_failures, 0);
}

TEST_F(CoreCompactionTest, WhoWantsItsRowsReadAgainWaitsAndIsNotServedByIt) {
  const std::vector<TaskSpec> tasks = Begin("r");
  Submit("backfill", v1::RUN_KIND_BACKFILL);
  Probe(25);
  EXPECT_TRUE(Ended("r"));  // Its units are somebody else's now.
  HandIn(Take(/*compaction=*/false), Rows({Range{20, 26}, false}));
  EXPECT_THAT(offers_, IsEmpty());
  Compact(tasks[0]);
  EXPECT_EQ(Pieces().front(), (Range{0, 10}));
  EXPECT_THAT(Dataset().needs.Within({0, 10}), ::testing::SizeIs(1));
  const TaskSpec read = Take(/*compaction=*/false);
  EXPECT_EQ(std::get<MicrobatchTask>(read.kind).extent, (Extent{Range{0, 10}, false}));
  HandIn(read, Rows({Range{0, 10}, false}));
  HandIn(tasks[1], HandedBack{"draining"});
  HandIn(Take(/*compaction=*/false), Rows({Range{10, 15}, false}));
}

TEST_F(CoreCompactionTest, OneThatIsHandedBackIsOfferedAgain) {
  const std::vector<TaskSpec> tasks = Begin("r");
  HandIn(tasks[0], HandedBack{"draining"});
  Compact(Take(/*compaction=*/true));
  Compact(tasks[1]);
  EXPECT_TRUE(Ended("r"));
  EXPECT_EQ(Pieces().size(), 3u);
}

TEST_F(CoreCompactionTest, OneThatDiedWithTheCoordinatorIsDoneAgain) {
  Begin("r");
  Restart(/*workers_are_dead=*/true);
  OpenSession();
  for (const TaskSpec& task : {Take(/*compaction=*/true), Take(/*compaction=*/true)}) Compact(task);
  EXPECT_TRUE(Ended("r"));
  EXPECT_EQ(Pieces().size(), 3u);
}

TEST_F(CoreCompactionTest, OneThatOutlivesTheCoordinatorIsStillOne) {
  const std::vector<TaskSpec> tasks = Begin("r");
  const int64_t lowest = Dataset().coverage.Find({0, 5})->fill_seq;
  Restart(/*workers_are_dead=*/false);
  OpenSession({tasks[0].lease, tasks[1].lease});
  EXPECT_EQ(Dataset().claims.at(tasks[0].lease.fence).connections, 0);
  for (const TaskSpec& task : tasks) Compact(task);
  EXPECT_EQ(committed_.replacements.front().compacted.size(), 2u);
  EXPECT_TRUE(Ended("r"));
  EXPECT_EQ(Dataset().coverage.Find({0, 10})->fill_seq, lowest);
}

TEST_F(CoreCompactionTest, ACancelledRunWantsNoneAnyMore) {
  Begin("r");
  Step({RunCancelRequested{1, "r"}});
  EXPECT_TRUE(Ended("r"));
  EXPECT_THAT(Dataset().claims, IsEmpty());
  EXPECT_EQ(Pieces().size(), 5u);
}

TEST_F(CoreCompactionTest, APlanDoesNotListThem) {
  now_ += kSettled;
  PlanRequested plan;
  plan.demands.emplace_back().dataset = id_;
  Step({plan});
  Probe(25);
  ASSERT_EQ(planned_.datasets_size(), 1);
  EXPECT_EQ(planned_.datasets(0).microbatches(), 0);
  EXPECT_EQ(listed_, 0);
}

}  // namespace
}  // namespace headwater
