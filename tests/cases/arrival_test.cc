// Cases of when and in which order rows arrive, and servers with them. docs/cases.md lists all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/cases/case_world.h"

namespace headwater {
namespace {

using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

const absl::Time kNoon = absl::FromUnixSeconds(1'385'899'200);  // 2013-12-01T12:00:00Z

class ArrivalCases : public ::testing::Test {
 protected:
  ArrivalCases() : world_(kNoon) {}

  // Servers with a row each ten minutes of the last `hours`.
  void Start(const std::vector<std::string>& servers, int hours = 3) {
    for (const std::string& server : servers) {
      world_.Add(server);
      for (int i = 0; i < hours * 6; ++i)
        world_.InsertAt(server, world_.now() - absl::Minutes(10 * i + 1));
    }
    world_.Configure();
  }

  void ExpectSame(const std::string& server) {
    EXPECT_EQ(world_.Published(server), world_.Visible(server)) << server;
  }

  // A tick that costs the probe of each dataset, and no version.
  void ExpectNothingNew(int datasets = 1) {
    const int versions = world_.versions();
    world_.TakeReads();
    world_.TakeProbes();
    EXPECT_FALSE(world_.Tick().failed());
    EXPECT_THAT(world_.TakeReads(), IsEmpty());
    EXPECT_EQ(world_.TakeProbes(), datasets);
    EXPECT_EQ(world_.versions(), versions);
  }

  CaseWorld world_;
};

TEST_F(ArrivalCases, ANewServerJoinsAnExistingTable) {
  Start({"p1"});
  world_.Tick();
  world_.Pass(absl::Hours(30));
  world_.Tick();
  const std::vector<Range> pieces = world_.Pieces("p1");
  world_.TakeReads();
  // Its rows are older than anything that p1's probes have shown, and as new.
  Start({"p2"}, /*hours=*/60);
  EXPECT_FALSE(world_.Tick().failed());
  ExpectSame("p1");
  ExpectSame("p2");
  EXPECT_EQ(world_.Pieces("p1"), pieces);
  for (const CaseRead& read : world_.TakeReads()) EXPECT_EQ(read.server, "p2");
  ExpectNothingNew(2);
}

TEST_F(ArrivalCases, AServerThatIsSilentForThirtyDaysIsCompleteAndWritesNothing) {
  Start({"p1"});
  world_.At("p1").spec.server.silent_after = absl::Hours(24 * 7);
  world_.Configure();
  world_.Tick();
  const int versions = world_.versions();
  absl::Time complete = world_.Dataset("p1").CompleteThrough();
  for (int day = 1; day <= 30; ++day) {
    world_.Pass(absl::Hours(24));
    ExpectNothingNew();
    const absl::Time through = world_.Dataset("p1").CompleteThrough();
    EXPECT_EQ(through, world_.now() - world_.At("p1").spec.settle) << day;
    EXPECT_GT(through, complete);
    complete = through;
    EXPECT_EQ(world_.Dataset("p1").SilentFor().has_value(), day > 6) << day;
  }
  EXPECT_EQ(world_.versions(), versions);
  world_.InsertAt("p1", world_.now());
  world_.Tick();
  ExpectSame("p1");
  EXPECT_FALSE(world_.Dataset("p1").SilentFor().has_value());
}

TEST_F(ArrivalCases, AServerThatIsUnreachableForADayHoldsUpItselfOnlyAndMissesNothing) {
  Start({"p1", "p2"});
  world_.Tick();
  world_.At("p2").reachable = false;
  const absl::Time complete = world_.Dataset("p2").CompleteThrough();
  for (int hour = 0; hour < 24; ++hour) {
    world_.Pass(absl::Hours(1));
    for (const char* server : {"p1", "p2"}) world_.InsertAt(server, world_.now());
    const v1::WatchRunResponse run = world_.Tick();
    EXPECT_TRUE(run.failed());
    for (const v1::RunDataset& dataset : run.datasets()) {
      EXPECT_EQ(dataset.state(), dataset.dataset().server() == "p2" ? v1::RunDataset::STATE_FAILED
                                                                    : v1::RunDataset::STATE_DONE);
    }
    ExpectSame("p1");
    EXPECT_EQ(world_.Dataset("p2").CompleteThrough(), complete);
    EXPECT_FALSE(world_.Dataset("p2").SilentFor().has_value());  // Nobody knows.
  }
  world_.At("p2").reachable = true;
  EXPECT_FALSE(world_.Tick().failed());
  ExpectSame("p2");
  EXPECT_GT(world_.Dataset("p2").CompleteThrough(), complete);
  ExpectNothingNew(2);
}

TEST_F(ArrivalCases, AReplicaTwoHoursBehindIsReadAsItCatchesUp) {
  Start({"p1"});
  for (CaseRow& row : world_.At("p1").rows) row.visible_at = absl::FromUnixMicros(*row.cursor);
  world_.At("p1").behind = absl::Hours(2);
  world_.Tick();
  for (int i = 0; i < 24; ++i) {
    world_.Pass(absl::Minutes(10));
    // Of each transaction some rows are stamped as it began, and some half an hour before.
    world_.InsertAt("p1", world_.now(), world_.now());
    world_.InsertAt("p1", world_.now() - absl::Minutes(3), world_.now());
    world_.Tick();
    ExpectSame("p1");
    EXPECT_LE(world_.Dataset("p1").CompleteThrough(), world_.now() - absl::Hours(2));
    EXPECT_LE(world_.Dataset("p1").settled_to, absl::ToUnixMicros(world_.now() - absl::Hours(2)));
  }
  world_.At("p1").behind = absl::ZeroDuration();
  world_.Tick();
  ExpectSame("p1");
  EXPECT_EQ(world_.Dataset("p1").CompleteThrough(), world_.now() - absl::Minutes(5));
}

TEST_F(ArrivalCases, AReplicaThatStoodStillBringsWhatWasCommittedMeanwhile) {
  Start({"p1"});
  CaseServer& replica = world_.At("p1");
  replica.transactions_known = false;
  world_.Tick();
  world_.Pass(absl::Minutes(20));
  const absl::Time stopped = world_.now();
  replica.behind = absl::ZeroDuration();
  world_.InsertAt("p1", stopped - absl::Minutes(1), stopped);
  world_.Tick();
  EXPECT_THAT(world_.Pieces("p1"), SizeIs(Gt(1)));
  // Written before it stopped, committed after.
  world_.InsertAt("p1", stopped - absl::Minutes(25), stopped + absl::Minutes(1));
  for (int i = 0; i < 12; ++i) {
    world_.Pass(absl::Minutes(30));
    replica.behind = world_.now() - stopped;
    world_.Tick();
  }
  replica.behind = absl::ZeroDuration();
  world_.Tick();
  ExpectSame("p1");
  // With the replica at its server's heels it settles as ever.
  world_.Pass(absl::Hours(2));
  world_.Tick();
  world_.TakeReads();
  world_.Tick();
  EXPECT_EQ(world_.Dataset("p1").settled_to, absl::ToUnixMicros(stopped - absl::Minutes(1)));
}

// Yesterday's stamps in random order, one a second for eight minutes, with a tick each twenty.
void InsertNightlyBatch(CaseWorld& world, unsigned seed, bool with_todays_rows) {
  std::vector<int> seconds;
  for (int i = 0; i < 480; ++i) seconds.push_back(i * 180);
  std::shuffle(seconds.begin(), seconds.end(), std::mt19937_64(seed));
  const absl::Time yesterday = absl::FromCivil(
      absl::CivilDay(absl::ToCivilDay(world.now(), absl::UTCTimeZone()) - 1), absl::UTCTimeZone());
  for (size_t i = 0; i < seconds.size(); ++i) {
    world.InsertAt("p1", yesterday + absl::Seconds(seconds[i]));
    if (with_todays_rows && i % 30 == 0) world.InsertAt("p1", world.now());
    world.Pass(absl::Seconds(1));
    if (i % 20 == 19) world.Tick();
  }
}

TEST_F(ArrivalCases, ANightlyBatchInRandomOrderIsFoundByTheTailWhileItsStampsHaveNotSettled) {
  for (const unsigned seed : {1, 2, 3, 4, 5}) {
    world_ = CaseWorld(kNoon - absl::Hours(11));
    Start({"p1"}, /*hours=*/0);
    world_.At("p1").spec.settle = absl::Minutes(10);  // Longer than the batch takes.
    world_.Configure();
    for (int i = 0; i < 100; ++i)  // Of the day before yesterday, all that there is.
      world_.InsertAt("p1", world_.now() - absl::Hours(26) - absl::Minutes(13 * i));
    world_.Tick();
    world_.Pass(absl::Hours(1));
    world_.Tick();
    InsertNightlyBatch(world_, seed, /*with_todays_rows=*/false);
    world_.Tick();
    EXPECT_EQ(world_.Published("p1"), world_.Visible("p1")) << "seed " << seed;
    for (int i = 0; i < 3; ++i) {
      world_.Pass(absl::Minutes(11));
      ExpectNothingNew();
    }
  }
}

TEST_F(ArrivalCases, ANightlyBatchOfStampsThatHaveSettledIsFoundByALookback) {
  for (const int lookback : {0, 1}) {
    world_ = CaseWorld(kNoon - absl::Hours(11));
    Start({"p1"}, /*hours=*/40);  // Live rows: yesterday has settled.
    world_.At("p1").spec.unit = *ParseUnit("1d");
    world_.At("p1").spec.lookback_units = lookback;
    world_.Configure();
    world_.Tick();
    world_.Pass(absl::Hours(1));
    world_.Tick();
    InsertNightlyBatch(world_, 7, /*with_todays_rows=*/true);
    world_.Tick();
    if (lookback > 0) {
      ExpectSame("p1");
      continue;
    }
    // docs/configuration.md says so: without a lookback only what has not settled is found.
    EXPECT_THAT(world_.Visible("p1"), IsSupersetOf(world_.Published("p1")));
    EXPECT_EQ(world_.Visible("p1").size() - world_.Published("p1").size(), 480u);
    world_.Submit(v1::RUN_KIND_BACKFILL, {world_.Backfill("p1")});
    world_.Finish();
    ExpectSame("p1");
  }
}

TEST_F(ArrivalCases, AMillionRowsOnOneInstantAreSmallStateAndNeitherLostNorRepeated) {
  Start({"p1"}, 0);
  const size_t before = world_.state().Serialize().size();
  const absl::Time instant = kNoon - absl::Minutes(30 * 60 + 7);
  for (int i = 0; i < 1'000'000; ++i) world_.InsertAt("p1", instant);
  world_.Tick();
  ExpectSame("p1");
  EXPECT_THAT(world_.Pieces("p1"), SizeIs(2));  // Up to it, which has settled, and itself.
  EXPECT_LT(world_.state().Serialize().size() - before, 1024u);
  world_.Pass(absl::Hours(1));
  ExpectNothingNew();
  world_.InsertAt("p1", instant);  // One more, which nothing but the count tells from the others.
  world_.Tick();
  ExpectSame("p1");
  ExpectNothingNew();
}

TEST_F(ArrivalCases, LateRowsAtABorderAndAtTheBoundArrive) {
  Start({"p1"}, 0);
  const absl::Time eleven = kNoon - absl::Hours(1);
  world_.InsertAt("p1", eleven - absl::Minutes(30));
  world_.InsertAt("p1", kNoon - absl::Minutes(2));
  world_.Tick();
  const int64_t settled = world_.Dataset("p1").settled_to;
  const std::vector<Range> pieces = world_.Pieces("p1");
  ASSERT_GT(pieces.size(), 2u);
  EXPECT_EQ(pieces.back().to, world_.CursorOf("p1", kNoon - absl::Minutes(2)) + 1);
  // Exactly at the bound; one microsecond beyond it; exactly where pieces have settled, which is
  // the border of two of them; and in the last microsecond before the bound.
  const int64_t bound = pieces.back().to - 1;
  for (const int64_t value : {bound, bound + 1, settled, bound - 1, bound}) {
    world_.Pass(absl::Seconds(10));
    world_.Insert("p1", value);
    world_.Tick();
    ExpectSame("p1");
  }
  // At the edge of two units, of which neither has rows close to it.
  world_.PassTo(kNoon + absl::Minutes(58));
  world_.InsertAt("p1", kNoon + absl::Minutes(57));
  world_.Tick();
  world_.PassTo(kNoon + absl::Minutes(61));
  world_.InsertAt("p1", kNoon + absl::Minutes(61));
  world_.Tick();
  const int64_t edge = world_.CursorOf("p1", kNoon + absl::Hours(1));
  for (const int64_t value : {edge, edge - 1, edge, edge + 1}) {
    world_.Insert("p1", value);
    world_.Tick();
    ExpectSame("p1");
  }
  // Long after, when all but the bound's own instant has settled.
  world_.Pass(absl::Hours(5));
  world_.Tick();
  world_.Insert("p1", world_.Dataset("p1").domain->to - 1);
  world_.Tick();
  ExpectSame("p1");
  world_.Pass(absl::Hours(1));
  ExpectNothingNew();
}

TEST_F(ArrivalCases, ARowTwentyHoursInTheFutureFreezesNothingAndSettlesNothingBeyondTheClock) {
  Start({"p1"});
  world_.InsertAt("p1", kNoon + absl::Hours(20));
  world_.Tick();
  ExpectSame("p1");
  int64_t settled = world_.Dataset("p1").settled_to;
  for (int i = 0; i < 22 * 6; ++i) {
    world_.Pass(absl::Minutes(10));
    world_.InsertAt("p1", world_.now() - absl::Minutes(4));  // Committed late.
    world_.InsertAt("p1", world_.now());
    world_.Tick();
    ExpectSame("p1");
    EXPECT_LE(world_.Dataset("p1").settled_to, absl::ToUnixMicros(world_.now()));
    EXPECT_GT(world_.Dataset("p1").settled_to, settled);
    EXPECT_GT(world_.Dataset("p1").settled_to, absl::ToUnixMicros(world_.now() - absl::Hours(1)));
    settled = world_.Dataset("p1").settled_to;
  }
  EXPECT_LT(world_.Pieces("p1").size(), 200u);
}

}  // namespace
}  // namespace headwater
