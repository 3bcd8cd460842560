// Cases of what a cursor is: a date, an integer, a wall clock; its units, and the days on which
// clocks are changed. docs/cases.md lists all.
#include "tests/cases/cursor_cases.h"

#include <algorithm>

namespace headwater {
namespace {

// A day's microbatches on the days when clocks are changed: a unit's edges are the zone's midnights
// or hours, no row falls between two, and none is in both.
TEST_F(CursorCases, DaysAreCutOnBothDaylightSavingDaysOfNewYorkAndOslo) {
  struct Change {
    const char* zone;
    const char* begin;  // UTC.
    const char* end;
    int hours;
  };
  const Change changes[] = {
      {"America/New_York", "2013-03-10 05:00", "2013-03-11 04:00", 23},
      {"America/New_York", "2013-11-03 04:00", "2013-11-04 05:00", 25},
      {"Europe/Oslo", "2013-03-30 23:00", "2013-03-31 22:00", 23},
      {"Europe/Oslo", "2013-10-26 22:00", "2013-10-27 23:00", 25},
  };
  for (const Change& change : changes) {
    for (const CursorType type : {CursorType::kInstant, CursorType::kWallClock}) {
      for (const char* unit : {"1d", "1h"}) {
        SCOPED_TRACE(testing::Message() << change.zone << " " << change.begin << " " << unit);
        const absl::Time begin = Utc(change.begin), end = Utc(change.end);
        EXPECT_EQ(end - begin, absl::Hours(change.hours));
        world_ = CaseWorld(end + absl::Hours(30));
        Start(type, change.zone).spec.unit = *ParseUnit(unit);
        world_.Configure();
        for (absl::Time at = begin - absl::Hours(2); at < end + absl::Hours(2);
             at += absl::Minutes(30)) {
          world_.InsertAt("p1", at);
        }
        world_.Tick();
        ExpectSame();
        const int64_t from = world_.CursorOf("p1", begin), to = world_.CursorOf("p1", end);
        std::vector<Range> day;
        for (const Range& piece : world_.Pieces("p1")) {
          EXPECT_TRUE(piece.from >= from || piece.to <= from) << "a day's edge is inside a piece";
          EXPECT_TRUE(piece.from >= to || piece.to <= to) << "a day's edge is inside a piece";
          if (piece.from >= from && piece.to <= to) day.push_back(piece);
        }
        ASSERT_FALSE(day.empty());
        EXPECT_EQ(day.front().from, from);
        EXPECT_EQ(day.back().to, to);
        // The repeated hour is one unit; as written, the day of 23 hours has a unit without rows.
        const int hours = type == CursorType::kInstant ? std::min(change.hours, 24) : 24;
        const int skipped = type == CursorType::kWallClock && change.hours == 23 ? 1 : 0;
        const int pieces = std::string(unit) == "1d" ? 1 : hours;
        EXPECT_GE(static_cast<int>(day.size()), pieces - skipped);
        EXPECT_LE(static_cast<int>(day.size()), pieces);
        world_.Pass(absl::Hours(1));
        ExpectNothingNew();
      }
    }
  }
}

TEST_F(CursorCases, DatesArriveAllDayLongAndEachDayAfterItsEnd) {
  Start(CursorType::kDate, "Europe/Oslo").spec.unit = *ParseUnit("1d");
  world_.Configure();
  for (int day = 0; day < 5; ++day) world_.InsertAt("p1", kNoon - absl::Hours(24 * day));
  world_.Tick();
  ExpectSame();
  for (int i = 0; i < 60; ++i) {
    world_.Pass(absl::Hours(1));
    world_.InsertAt("p1", world_.now());
    // Until four hours after midnight rows of the day before come as well.
    if (absl::ToCivilHour(world_.now(), absl::UTCTimeZone()).hour() < 3)
      world_.InsertAt("p1", world_.now() - absl::Hours(4));
    world_.At("p1").oldest_transaction = world_.now() - absl::Hours(5);
    world_.Tick();
    ExpectSame();
  }
  EXPECT_LT(world_.Pieces("p1").size(), 20u);
}

TEST_F(CursorCases, IntegersAreLoadedInUnitsOfTheirOwn) {
  Start(CursorType::kInteger);
  world_.Configure();
  for (int64_t value : {-1500, -1, 0, 1, 999, 1000, 1001, 4999}) world_.Insert("p1", value);
  world_.Tick();
  ExpectSame();
  for (const Range& piece : world_.Pieces("p1"))
    EXPECT_EQ((piece.from + 2000) / 1000, (piece.to - 1 + 2000) / 1000) << piece.from;
  ExpectNothingNew();
  for (const int64_t value : {5000, 5000, 4999, 7200}) {
    world_.Pass(absl::Seconds(30));
    world_.Insert("p1", value);
    world_.Tick();
    ExpectSame();
  }
}

TEST_F(CursorCases, IntegerKeysThatAreCommittedOutOfOrderAreAllFound) {
  Start(CursorType::kInteger);
  world_.Configure();
  for (int64_t value = 1; value <= 20'000; value += 500) world_.Insert("p1", value);
  world_.Tick();
  // Numbers are drawn in order; each is committed by another transaction, some a few minutes later,
  // and one after an hour: it holds back what may settle.
  const absl::Time began = world_.now();
  int64_t next = 20'001;
  world_.Insert("p1", next++, began + absl::Hours(1));
  for (int i = 0; i < 300; ++i) {
    world_.Pass(absl::Seconds(20));
    world_.At("p1").oldest_transaction.reset();
    if (world_.now() < began + absl::Hours(1)) world_.At("p1").oldest_transaction = began;
    world_.Insert("p1", next++, world_.now() + absl::Seconds(i * 37 % 280));
    world_.Tick();
    ExpectSame();
  }
  world_.Pass(absl::Minutes(10));
  world_.Tick();
  ExpectSame();
  world_.Pass(absl::Minutes(10));
  world_.Tick();
  EXPECT_GE(world_.Dataset("p1").settled_to, next - 1);
}

TEST_F(CursorCases, AUnitMayBecomeShorterAndLongerOnALoadedTable) {
  for (const char* before : {"1d", "1h"}) {
    world_ = CaseWorld(kNoon);
    Start().spec.unit = *ParseUnit(before);
    world_.Configure();
    for (int hour = 1; hour < 24 * 7; ++hour) world_.InsertAt("p1", kNoon - absl::Hours(hour));
    world_.Tick();
    world_.Pass(absl::Hours(1));
    const std::vector<Range> pieces = world_.Pieces("p1");
    world_.At("p1").spec.unit = *ParseUnit(before == std::string("1d") ? "1h" : "1d");
    world_.Configure();
    world_.TakeReads();
    world_.Tick();
    for (const CaseRead& read :
         world_.TakeReads())  // At most what a longer first unit begins with.
      EXPECT_LE(read.extent.range->to, pieces.front().from);
    std::vector<Range> after = world_.Pieces("p1");
    std::erase_if(after, [&](const Range& piece) { return piece.to <= pieces.front().from; });
    if (before == std::string("1d")) {
      EXPECT_EQ(after, pieces);  // What is there stays, but for compaction.
    }
    ExpectNothingNew();
    GoOn(4);
    world_.Restart();
    ExpectNothingNew();
    // A part of an old piece is read again with the whole of it.
    const absl::Time at = kNoon - absl::Minutes(60 * 60 - 1);
    world_.InsertAt("p1", at);
    world_.Submit(v1::RUN_KIND_BACKFILL,
                  {world_.Backfill("p1", at - absl::Minutes(1), at + absl::Minutes(59))});
    world_.Finish();
    ExpectSame();
    world_.At("p1").rows.pop_back();
    world_.Submit(v1::RUN_KIND_BACKFILL, {world_.Backfill("p1")});
    world_.Finish();
    ExpectSame();
    GoOn(4);
  }
}

// Between 02:00 and 03:00 of that day a wall clock goes round twice. Rows of the second round lie
// before those of the first that are already loaded.
TEST_F(CursorCases, TheRepeatedHourOfAutumnInWallTimeLosesNothingWhileItHappens) {
  const absl::Time second = Utc("2013-10-27 01:00");  // 02:00 in Oslo for the second time.
  for (const int every : {1, 4, 7, 13}) {
    SCOPED_TRACE(every);
    world_ = CaseWorld(second - absl::Hours(3));
    Start(CursorType::kWallClock, "Europe/Oslo");
    world_.Configure();
    for (int i = 1; i < 40; ++i) world_.InsertAt("p1", world_.now() - absl::Minutes(7 * i));
    for (int i = 0; world_.now() < second + absl::Hours(3); ++i) {
      world_.Pass(absl::Minutes(1));
      world_.InsertAt("p1", world_.now());
      world_.InsertAt("p1", world_.now() - absl::Minutes(3));
      if (i % every != 0) continue;
      world_.Tick();
      ExpectSame();
      // Before the second round nothing of the hour has settled; in it, what it has come past.
      EXPECT_LE(world_.Dataset("p1").settled_to, world_.now() < second
                                                     ? absl::ToUnixMicros(Utc("2013-10-27 02:00"))
                                                     : world_.CursorOf("p1", world_.now()));
    }
    EXPECT_GT(world_.Dataset("p1").settled_to, absl::ToUnixMicros(Utc("2013-10-27 03:00")));
  }
}

TEST_F(CursorCases, AFirstLoadInTheRepeatedHourSettlesNothingThatIsToComeAgain) {
  const absl::Time second = Utc("2013-10-27 01:00");
  for (const int minute : {-20, -1, 30, 59, 62}) {
    SCOPED_TRACE(minute);
    world_ = CaseWorld(second + absl::Minutes(minute));
    Start(CursorType::kWallClock, "Europe/Oslo");
    world_.Configure();
    for (int i = 1; i < 90; ++i) world_.InsertAt("p1", world_.now() - absl::Minutes(i));
    world_.Tick();
    ExpectSame();
    EXPECT_LE(world_.Dataset("p1").settled_to,
              std::max(absl::ToUnixMicros(Utc("2013-10-27 02:00")),
                       world_.CursorOf("p1", world_.now() - absl::Minutes(5))));
    for (int i = 0; i < 60; ++i) {
      world_.Pass(absl::Minutes(2));
      world_.InsertAt("p1", world_.now());
      world_.Tick();
      ExpectSame();
    }
  }
}

}  // namespace
}  // namespace headwater
