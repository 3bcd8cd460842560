// Cases of a source whose bound moves back: rows that had settled are gone. docs/cases.md lists
// all.
#include <gmock/gmock.h>

#include <set>

#include "tests/cases/cursor_cases.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RestoredSourceCases : public CursorCases {
 protected:
  // Three hours of rows, and a fourth that has settled as well.
  void Load(CursorType type, bool reload) {
    CaseServer& server = Start(type);
    server.spec.reload_on_regress = reload;
    server.spec.settle_values = 0;
    world_.Add("p2", type);
    world_.Configure();
    for (int i = 0; i < 18; ++i) Put(i);
    world_.Insert("p2", 0);
    world_.Tick();
    for (int i = 18; i < 24; ++i) {
      world_.Pass(absl::Minutes(10));
      Put(i);
      EXPECT_EQ(First(world_.Tick()), "");
    }
    world_.Pass(absl::Hours(1));
    world_.Tick();
    ExpectSame();
    ASSERT_GE(world_.Dataset("p1").settled_to, world_.At("p1").rows.back().cursor);
  }

  // The i-th row: each ten minutes, or each 200 values.
  void Put(int i) {
    if (world_.At("p1").type == CursorType::kInteger) {
      world_.Insert("p1", i * 200);
    } else {
      world_.InsertAt("p1", kNoon - absl::Hours(3) + absl::Minutes(10 * i));
    }
  }

  // As of a backup: the last rows are gone, and one before them has changed.
  void RestoreUpTo(size_t rows) {
    std::vector<CaseRow>& all = world_.At("p1").rows;
    all.resize(rows);
    if (rows > 2) all[2].content += 1'000;
  }
};

TEST_F(RestoredSourceCases, StopsLoudlyAndChangesNothing) {
  Load(CursorType::kInstant, /*reload=*/false);
  const std::vector<uint64_t> before = world_.Published("p1");
  const int64_t settled = world_.Dataset("p1").settled_to;
  RestoreUpTo(15);
  world_.Insert("p2", 1);
  const v1::WatchRunResponse run = world_.Tick();
  EXPECT_TRUE(run.failed());
  EXPECT_THAT(First(run), HasSubstr("expected rows up to 2013-12-01T12:"));
  EXPECT_THAT(First(run), HasSubstr("found none after 2013-12-01T11:20:00Z"));
  EXPECT_THAT(First(run), HasSubstr("on_bound_regress: reload"));
  EXPECT_EQ(world_.Published("p1"), before);
  EXPECT_EQ(world_.Dataset("p1").settled_to, settled);
  EXPECT_EQ(world_.Published("p2"), world_.Visible("p2"));
  RestoreUpTo(0);
  EXPECT_THAT(First(world_.Tick()), HasSubstr("found none at all"));
  EXPECT_EQ(world_.Published("p1"), before);
}

TEST_F(RestoredSourceCases, IsReadAgainIfSoConfiguredAndGoesOnFromThere) {
  for (const CursorType type : {CursorType::kInstant, CursorType::kInteger}) {
    for (const size_t rows : {15u, 1u, 0u}) {
      SCOPED_TRACE(rows);
      world_ = CaseWorld(kNoon);
      Load(type, /*reload=*/true);
      RestoreUpTo(rows);
      EXPECT_FALSE(world_.Tick().failed());
      ExpectSame();
      EXPECT_THAT(world_.Dataset("p1").needs.entries(), IsEmpty());
      ExpectNothingNew();
      world_.Restart();
      // What comes after the restored rows is found, though it had settled once.
      for (int i = static_cast<int>(rows); i < 40; ++i) {
        world_.Pass(absl::Minutes(1));
        Put(i);
        EXPECT_FALSE(world_.Tick().failed());
        ExpectSame();
      }
      world_.Pass(absl::Hours(3));
      ExpectNothingNew();
    }
  }
}

TEST_F(RestoredSourceCases, ReadersMissNoRowThatBothStatesHave) {
  Load(CursorType::kInstant, /*reload=*/true);
  RestoreUpTo(15);
  std::set<uint64_t> both;
  for (const CaseRow& row : world_.At("p1").rows) both.insert(row.content % 1'000);
  world_.on_version = [&] {
    std::set<uint64_t> seen;
    for (uint64_t content : world_.Published("p1"))
      EXPECT_TRUE(seen.insert(content % 1'000).second) << "twice";
    for (uint64_t content : both) EXPECT_TRUE(seen.contains(content)) << "a gap";
  };
  world_.Tick();
  ExpectSame();
}

// Deleting the newest rows while they may still settle, or one that was ahead of the clock, is no
// restore.
TEST_F(RestoredSourceCases, RowsThatHaveNotSettledMayGo) {
  Start();
  world_.Configure();
  world_.InsertAt("p1", kNoon - absl::Hours(2));
  world_.InsertAt("p1", kNoon - absl::Minutes(2));
  world_.InsertAt("p1", kNoon + absl::Hours(20));
  world_.Tick();
  world_.Pass(absl::Hours(1));
  world_.Tick();
  world_.At("p1").rows.pop_back();
  EXPECT_FALSE(world_.Tick().failed());
  ExpectSame();
  world_.InsertAt("p1", world_.now());
  world_.Tick();
  world_.At("p1").rows.pop_back();
  EXPECT_FALSE(world_.Tick().failed());
  ExpectSame();
}

}  // namespace
}  // namespace headwater
