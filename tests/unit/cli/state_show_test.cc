#include "cli/state_show.h"

#include "cli/takeover_report.h"
#include "gmock/gmock.h"

namespace headwater {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::StateSegment Segment(const std::string& state, const std::string& extent, int64_t pieces,
                         int64_t rows) {
  v1::StateSegment segment;
  segment.set_state(state);
  segment.set_extent(extent);
  segment.set_pieces(pieces);
  segment.set_rows(rows);
  segment.set_settled(state == "fresh");
  return segment;
}

TEST(StateShow, ListsEachDatasetRangeByRange) {
  v1::GetStateResponse state;
  v1::DatasetRecord* record = state.add_datasets();
  record->mutable_dataset()->set_server("jfk");
  record->mutable_dataset()->set_table("flights");
  record->set_strategy("partition");
  record->set_settled_to("2013-03-01");
  *record->add_segments() = Segment("fresh", "[a, b)", 20, 12'345);
  *record->add_segments() = Segment("missing", "[b, c)", 0, 0);
  state.add_datasets()->mutable_dataset()->set_table("weather");
  state.set_ledger_id("0f3a");
  state.set_ledger_sequence(77);
  EXPECT_EQ(StateText(state),
            "jfk/flights  partition, settled up to 2013-03-01\n"
            "STATE    EXTENT  PIECES    ROWS\n"
            "fresh    [a, b)      20  12,345  settled\n"
            "missing  [b, c)       0       0\n"
            "\n"
            "/weather  \n"
            "nothing is recorded of it\n"
            "\n"
            "ledger 0f3a at event 77\n");
}

TEST(StateDiff, ShowsOnlyWhatDiffers) {
  v1::ChangeStateResponse changes;
  v1::ChangedDataset* one = changes.add_datasets();
  one->mutable_dataset()->set_server("jfk");
  one->mutable_dataset()->set_table("flights");
  one->set_changed(true);
  *one->add_before() = Segment("fresh", "[a, c)", 2, 20);
  *one->add_before() = Segment("missing", "[c, d)", 0, 0);
  *one->add_after() = Segment("stale", "[a, b)", 1, 10);
  *one->add_after() = Segment("fresh", "[b, c)", 1, 10);
  *one->add_after() = Segment("missing", "[c, d)", 0, 0);
  one->add_notes("something to know");
  v1::ChangedDataset* other = changes.add_datasets();
  other->mutable_dataset()->set_server("lga");
  other->mutable_dataset()->set_table("flights");
  EXPECT_EQ(StateDiff(changes),
            "jfk/flights\n"
            "  - fresh  [a, c)  2 pieces, 20 rows\n"
            "  + stale  [a, b)  1 piece, 10 rows\n"
            "  + fresh  [b, c)  1 piece, 10 rows\n"
            "    something to know\n"
            "lga/flights: as it is\n");
}

TEST(TakeoverReport, SaysWhatIsTakenWhatIsLeftAndWhy) {
  v1::TakeoverReport report;
  v1::TakenTable* table = report.add_tables();
  table->set_table("flights");
  table->set_folder("/lake/flights");
  table->set_owner("lost");
  table->set_version(7);
  v1::TakenDataset* taken = table->add_datasets();
  taken->mutable_dataset()->set_server("jfk");
  taken->mutable_dataset()->set_table("flights");
  taken->set_fresh_pieces(20);
  taken->set_stale_pieces(1);
  taken->set_rows(1'976);
  taken->add_reasons("they had settled");
  EXPECT_FALSE(LeftSomething(report));
  v1::TakenDataset* left = table->add_datasets();
  left->mutable_dataset()->set_server("lga");
  left->mutable_dataset()->set_table("flights");
  left->add_foreign_files("theirs.parquet");
  left->set_foreign_file_count(3);
  EXPECT_TRUE(LeftSomething(report));
  const std::string text = TakeoverText(report);
  EXPECT_THAT(text, HasSubstr("flights (/lake/flights): version 7, of ledger lost\n"));
  EXPECT_THAT(text, HasSubstr("  jfk/flights: 20 pieces fresh, 1 stale, 1,976 rows\n"
                              "    - they had settled\n"));
  EXPECT_THAT(text, HasSubstr("  lga/flights: left as it is\n"));
  EXPECT_THAT(text, HasSubstr("      theirs.parquet\n      and 2 more\n"));
  left->set_adopted(true);
  EXPECT_FALSE(LeftSomething(report));
  EXPECT_THAT(TakeoverText(report), Not(HasSubstr("left as it is")));
  table->set_refused("not ours");
  EXPECT_TRUE(LeftSomething(report));
  EXPECT_THAT(TakeoverText(report), HasSubstr("left alone"));
}

}  // namespace
}  // namespace headwater
