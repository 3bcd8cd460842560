// Cases of several runs at once, of runs that end early, and of whom a run is for. docs/cases.md
// lists all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/cases/case_world.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNoon = absl::FromUnixSeconds(1'385'899'200);  // 2013-12-01T12:00:00Z

// Three servers, of which twelve hours are loaded, a row each ten minutes.
class ManyRunsCases : public ::testing::Test {
 protected:
  ManyRunsCases() : world_(kNoon) {
    for (const char* server : {"p1", "p2", "p3"}) {
      world_.Add(server);
      for (int i = 0; i < 72; ++i) world_.InsertAt(server, kNoon - absl::Minutes(10 * i + 1));
    }
    world_.Configure();
    world_.Tick();
    world_.Pass(absl::Hours(2));
    world_.Tick();
    world_.TakeReads();
    world_.TakeProbes();
  }

  void ExpectSame() {
    for (const char* server : {"p1", "p2", "p3"})
      EXPECT_EQ(world_.Published(server), world_.Visible(server)) << server;
  }

  // How often each hour of p1 has been read since the last call.
  std::map<int64_t, int> HoursRead() {
    std::map<int64_t, int> hours;
    for (const CaseRead& read : world_.TakeReads()) {
      const int64_t hour = absl::ToInt64Microseconds(absl::Hours(1));
      for (int64_t at = read.extent.range->from / hour; at * hour < read.extent.range->to; ++at)
        ++hours[at];
    }
    return hours;
  }

  DemandRequest Hours(int from, int to) const {
    return world_.Backfill("p1", kNoon - absl::Hours(from), kNoon - absl::Hours(to));
  }

  CaseWorld world_;
};

TEST_F(ManyRunsCases, OverlappingBackfillsReadWhatBothWantOnce) {
  world_.HoldReads(true);
  const std::string one = world_.Submit(v1::RUN_KIND_BACKFILL, {Hours(10, 4)});
  const std::string two = world_.Submit(v1::RUN_KIND_BACKFILL, {Hours(7, 2)});
  world_.Finish();
  for (const std::string& run : {one, two}) {
    EXPECT_TRUE(world_.Describe(run).ended());
    EXPECT_FALSE(world_.Describe(run).failed());
  }
  const std::map<int64_t, int> hours = HoursRead();
  EXPECT_THAT(hours, SizeIs(8));
  int twice = 0;
  for (const auto& [hour, times] : hours) twice += times - 1;
  // Microbatches that had begun when the second was asked for are too old for it, and only those:
  // as many as the server has connections for backfills.
  EXPECT_LE(twice, 3);
  ExpectSame();
  EXPECT_THAT(world_.Dataset("p1").needs.entries(), IsEmpty());
}

TEST_F(ManyRunsCases, ARowThatComesAfterAnotherRunsReadIsFoundByTheRunThatWasAskedAfterIt) {
  world_.InsertAt("p1", world_.now() - absl::Minutes(2));
  world_.HoldReads(true);
  world_.SubmitTick({"p1"});
  while (world_.held() > 0) world_.ReadOnly();
  world_.InsertAt("p1", world_.now() - absl::Minutes(3));
  const std::string asked_after_it = world_.SubmitTick({"p1"});
  while (!world_.Describe(asked_after_it).ended() && world_.undelivered() > 0) world_.Deliver();
  EXPECT_FALSE(world_.Describe(asked_after_it).ended());
  world_.ReleaseAll();
  world_.Finish();
  EXPECT_TRUE(world_.Describe(asked_after_it).ended());
  ExpectSame();
}

// What had settled before cannot have changed: it is not read for each who asks.
TEST_F(ManyRunsCases, WhatIsReadOfTheSettledPastServesThoseWhoAskMeanwhile) {
  world_.HoldReads(true);
  world_.Add("p4");
  for (int i = 0; i < 72; ++i) world_.InsertAt("p4", kNoon - absl::Minutes(10 * i + 1));
  world_.Configure();
  world_.SubmitTick({"p4"});
  const std::string two = world_.SubmitTick({"p4"});
  world_.ReleaseAll();
  world_.Finish();
  EXPECT_TRUE(world_.Describe(two).ended());
  EXPECT_THAT(world_.TakeReads(), SizeIs(12));
}

TEST_F(ManyRunsCases, TwoBackfillsOfTheSameAskedTogetherCostOne) {
  world_.Submit(v1::RUN_KIND_BACKFILL, {Hours(10, 4)});
  world_.Finish();
  const size_t alone = world_.TakeReads().size();
  world_.HoldReads(true);
  const std::string tick = world_.SubmitTick({"p1"});
  world_.Submit(v1::RUN_KIND_BACKFILL, {Hours(10, 4), Hours(8, 4)});
  world_.Finish();
  EXPECT_EQ(world_.TakeReads().size(), alone);
}

TEST_F(ManyRunsCases, ABackfillThatIsCancelledInTheMiddleLeavesAWholeTableAndNoNeeds) {
  // What the source has changed is the backfill's to find.
  world_.InsertAt("p1", kNoon - absl::Hours(3));
  world_.InsertAt("p1", kNoon - absl::Hours(9));
  int gaps = 0;
  const size_t rows = world_.Published("p1").size();
  world_.on_version = [&] { gaps += world_.Published("p1").size() < rows ? 1 : 0; };
  world_.HoldReads(true);
  const std::string run = world_.Submit(v1::RUN_KIND_BACKFILL, {Hours(10, 2)});
  const int first = world_.held();
  ASSERT_GT(first, 0);
  for (int i = 0; i < 3; ++i) world_.Release();
  const size_t published = world_.Published("p1").size();
  EXPECT_EQ(published, rows + 1);  // That of nine hours ago.
  world_.Cancel(run);
  world_.Finish();
  const v1::WatchRunResponse described = world_.Describe(run);
  EXPECT_TRUE(described.ended());
  EXPECT_TRUE(described.cancelled());
  EXPECT_EQ(world_.Published("p1").size(), published);
  EXPECT_EQ(gaps, 0);
  EXPECT_THAT(world_.Dataset("p1").needs.entries(), IsEmpty());
  EXPECT_THAT(world_.Dataset("p1").claims, IsEmpty());
  // The next tick does not go on with it, and another backfill finds the rest.
  world_.TakeReads();
  world_.Tick();
  EXPECT_THAT(world_.TakeReads(), IsEmpty());
  world_.Submit(v1::RUN_KIND_BACKFILL, {Hours(10, 2)});
  world_.Finish();
  ExpectSame();
}

TEST_F(ManyRunsCases,
       TwoRunsOfOneScheduleBothEndAndReadTwiceOnlyWhatHadBegunWhenTheSecondWasAsked) {
  for (const char* server : {"p1", "p2", "p3"}) {
    world_.InsertAt(server, world_.now() - absl::Minutes(90));
    world_.InsertAt(server, world_.now());
  }
  const int versions = world_.versions();
  world_.HoldReads(true);
  const std::string one = world_.SubmitTick();
  const int held = world_.held();
  const std::string two = world_.SubmitTick();
  EXPECT_EQ(world_.held(), held);  // What is in flight is not offered again.
  world_.Finish();
  for (const std::string& run : {one, two}) {
    EXPECT_TRUE(world_.Describe(run).ended());
    EXPECT_FALSE(world_.Describe(run).failed());
  }
  ExpectSame();
  std::map<std::pair<std::string, int64_t>, int> read;
  for (const CaseRead& each : world_.TakeReads()) ++read[{each.server, each.extent.range->from}];
  int twice = 0;
  for (const auto& [microbatch, times] : read) twice += times - 1;
  EXPECT_LE(twice, held);
  EXPECT_GT(static_cast<int>(read.size()), held);
  EXPECT_GT(world_.versions(), versions);
}

TEST_F(ManyRunsCases, AFullReloadOfOneServerHasNoGapForReadersAndTouchesNoOther) {
  const std::vector<uint64_t> before = world_.Published("p2");
  std::map<std::string, std::vector<int64_t>> fences;
  const auto fences_of = [&](const char* server) {
    std::vector<int64_t> found;
    for (const CasePiece& piece : world_.Files(server)) found.push_back(piece.fence);
    return found;
  };
  const std::vector<int64_t> one = fences_of("p1"), two = fences_of("p2"), three = fences_of("p3");
  // Every row is another one now, as after a migration of the source.
  for (CaseRow& row : world_.At("p2").rows) row.content += 1'000'000;
  const std::vector<uint64_t> after = world_.Visible("p2");
  int versions = 0, wrong = 0;
  world_.on_version = [&] {
    ++versions;
    std::set<uint64_t> rows;
    for (uint64_t content : world_.Published("p2")) rows.insert(content % 1'000'000);
    wrong += rows == std::set<uint64_t>(before.begin(), before.end()) &&
                     world_.Published("p2").size() == before.size()
                 ? 0
                 : 1;
  };
  world_.Submit(v1::RUN_KIND_BACKFILL, {world_.Backfill("p2")});
  world_.Finish();
  EXPECT_EQ(world_.Published("p2"), after);
  EXPECT_GT(versions, 0);
  EXPECT_EQ(wrong, 0);
  EXPECT_NE(fences_of("p2"), two);
  EXPECT_EQ(fences_of("p1"), one);
  EXPECT_EQ(fences_of("p3"), three);
  for (const CaseRead& read : world_.TakeReads()) EXPECT_EQ(read.server, "p2");
}

TEST_F(ManyRunsCases, ARunTouchesTheServersThatItNamesExactly) {
  const std::vector<std::vector<std::string>> subsets = {
      {"p1"}, {"p3"}, {"p1", "p2"}, {"p2", "p3"}, {"p1", "p2", "p3"}};
  for (const std::vector<std::string>& subset : subsets) {
    world_.Pass(absl::Minutes(20));
    std::map<std::string, size_t> before;
    for (const char* server : {"p1", "p2", "p3"}) {
      before[server] = world_.Published(server).size();
      world_.InsertAt(server, world_.now());
    }
    world_.TakeReads();
    const v1::WatchRunResponse run = world_.Tick(subset);
    std::set<std::string> read, ran;
    for (const CaseRead& each : world_.TakeReads()) read.insert(each.server);
    for (const v1::RunDataset& dataset : run.datasets()) ran.insert(dataset.dataset().server());
    EXPECT_EQ(read, std::set<std::string>(subset.begin(), subset.end()));
    EXPECT_EQ(ran, read);
    EXPECT_EQ(world_.TakeProbes(), static_cast<int>(subset.size()));
    for (const char* server : {"p1", "p2", "p3"}) {
      if (read.contains(server)) {
        EXPECT_EQ(world_.Published(server), world_.Visible(server)) << server;
      } else {
        EXPECT_EQ(world_.Published(server).size(), before[server]) << server;
      }
    }
    world_.Tick();
    world_.TakeProbes();
  }
}

}  // namespace
}  // namespace headwater
