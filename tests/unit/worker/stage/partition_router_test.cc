#include "worker/stage/partition_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kHour = 3'600'000'000;

StagingOptions OptionsOf(CursorType type, const ColumnType& column) {
  StagingOptions options;
  options.dataset.id = {"flights", "ewr"};
  options.dataset.cursor = "at";
  options.cursor_type = type;
  options.source_schema = {{{"id", {TypeKind::kLong}}, {"at", column}}};
  options.domain_end = 1'000'000;
  return options;
}

StagingOptions IntegerOptions() { return OptionsOf(CursorType::kInteger, {TypeKind::kLong}); }

absl::Status CreateStatus(const StagingOptions& options) {
  return PartitionRouter::Create(options).status();
}

TEST(PartitionRouter, MakesOnePiecePerCutAndOneForTheOutside) {
  StagingOptions options = IntegerOptions();
  options.extent = {Range{0, 30}, true};
  options.cuts = {10, 20};
  auto router = *PartitionRouter::Create(options);
  EXPECT_THAT(router.pieces(),
              ElementsAre(Extent{Range{0, 10}, false}, Extent{Range{10, 20}, false},
                          Extent{Range{20, 30}, false}, Extent{std::nullopt, true}));
  std::vector<int> slots = {99};
  const std::string rows = "[[1,9],[2,10],[3,29],[4,null],[5,1000000],[6,0]]";
  ASSERT_TRUE(router.Route(*BatchOf(options.source_schema, rows), slots).ok());
  std::vector<int> pieces;
  for (const int slot : slots) pieces.push_back(router.slots()[slot].piece);
  EXPECT_THAT(pieces, ElementsAre(0, 1, 2, 3, 3, 0));
  EXPECT_EQ(router.max_cursor(0), 9);
  EXPECT_EQ(router.max_cursor(2), 29);
  EXPECT_EQ(router.max_cursor(3), std::nullopt);
  EXPECT_EQ(router.slots()[0].partition, (PartitionValues{{"server_source", "ewr"}}));
}

TEST(PartitionRouter, RefusesWhatContradictsItself) {
  StagingOptions options = IntegerOptions();
  EXPECT_EQ(CreateStatus(options).code(), absl::StatusCode::kInvalidArgument);
  options.extent = {Range{5, 5}, false};
  EXPECT_EQ(CreateStatus(options).code(), absl::StatusCode::kInvalidArgument);
  options.extent = {Range{0, 30}, false};
  EXPECT_TRUE(CreateStatus(options).ok());
  for (const std::vector<int64_t>& cuts :
       std::vector<std::vector<int64_t>>{{0}, {30}, {31}, {-1}, {20, 10}, {10, 10}}) {
    options.cuts = cuts;
    EXPECT_EQ(CreateStatus(options).code(), absl::StatusCode::kInvalidArgument);
  }
  options.cuts.clear();
  options.dataset.server.timezone = "Mars/Olympus";
  EXPECT_EQ(CreateStatus(options).code(), absl::StatusCode::kInvalidArgument);
  options.dataset.server.timezone = "UTC";
  options.source_schema.columns[1].type.kind = TypeKind::kString;
  EXPECT_THAT(std::string(CreateStatus(options).message()), HasSubstr("'at' has type string"));
  options.dataset.cursor = "gone";
  EXPECT_THAT(std::string(CreateStatus(options).message()), HasSubstr("'gone'"));
}

TEST(PartitionRouter, NamesTheRowThatLiesOutside) {
  StagingOptions options = IntegerOptions();
  options.extent = {Range{0, 30}, false};
  for (const char* value : {"-1", "30", "null", "1000000"}) {
    auto router = *PartitionRouter::Create(options);
    std::vector<int> slots;
    const auto batch = BatchOf(options.source_schema, absl::StrCat("[[1,0],[2,", value, "]]"));
    const absl::Status status = router.Route(*batch, slots);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << value;
    const std::string shown = std::string(value) == "null" ? "NULL" : value;
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("'at' = ", shown)));
  }
}

TEST(PartitionRouter, ADatasetWithoutACursorIsOnePiece) {
  StagingOptions options = OptionsOf(CursorType::kNone, {TypeKind::kString});
  options.dataset.cursor = "";
  options.extent = {Range{0, 1}, false};
  auto router = *PartitionRouter::Create(options);
  std::vector<int> slots;
  ASSERT_TRUE(router.Route(*BatchOf(options.source_schema, R"([[1,"a"],[2,null]])"), slots).ok());
  EXPECT_THAT(slots, ElementsAre(0, 0));
  EXPECT_EQ(router.max_cursor(0), std::nullopt);
}

TEST(PartitionRouter, TheEndsOfInt64AreCursors) {
  StagingOptions options = IntegerOptions();
  options.domain_end = std::numeric_limits<int64_t>::max();
  options.extent = {Range{std::numeric_limits<int64_t>::min(), options.domain_end}, true};
  auto router = *PartitionRouter::Create(options);
  std::vector<int> slots;
  const std::string rows =
      "[[1,-9223372036854775808],[2,9223372036854775806],[3,9223372036854775807]]";
  ASSERT_TRUE(router.Route(*BatchOf(options.source_schema, rows), slots).ok());
  EXPECT_THAT(slots, ElementsAre(0, 0, 1));
  EXPECT_EQ(router.max_cursor(0), std::numeric_limits<int64_t>::max() - 1);
}

// Against the plain rule, value by value, over days of 23 and 25 hours.
class PartitionRouterProperty : public ::testing::TestWithParam<uint32_t> {};

TEST_P(PartitionRouterProperty, AgreesWithTheRuleForEveryRow) {
  std::mt19937_64 random(GetParam());
  const bool zoned = random() % 2 == 0;
  const CursorType type = zoned ? CursorType::kInstant : CursorType::kWallClock;
  StagingOptions options =
      OptionsOf(type, {zoned ? TypeKind::kTimestamp : TypeKind::kTimestampNtz});
  options.dataset.server.timezone = "America/New_York";
  options.dataset.partition_by = {
      std::vector{Unit::Kind::kHour, Unit::Kind::kDay, Unit::Kind::kMonth}[random() % 3], 1};
  // Around both changes of the clock in 2013.
  const int64_t middle = (random() % 2 == 0 ? 1'362'898'800 : 1'383'458'400) * int64_t{1'000'000};
  const int64_t from = middle - 48 * kHour, to = middle + 48 * kHour;
  options.extent = {Range{from, to}, true};
  for (int i = 0; i < 5; ++i) options.cuts.push_back(from + 1 + random() % (to - from - 1));
  std::sort(options.cuts.begin(), options.cuts.end());
  options.cuts.erase(std::unique(options.cuts.begin(), options.cuts.end()), options.cuts.end());
  options.domain_end = random() % 2 == 0 ? to : to - 10 * kHour;
  const CursorCalendar calendar =
      *CursorCalendar::Create(type, "America/New_York", "America/New_York");

  auto router = *PartitionRouter::Create(options);
  std::vector<std::optional<int64_t>> largest(router.pieces().size());
  for (int batch = 0; batch < 5; ++batch) {
    std::vector<std::optional<int64_t>> values;
    std::vector<std::string> rows;
    for (int i = 0; i < 100; ++i) {
      std::optional<int64_t> value;
      if (random() % 10 != 0) value = from + static_cast<int64_t>(random() % (to - from));
      if (random() % 10 == 0) value = options.domain_end + static_cast<int64_t>(random() % kHour);
      values.push_back(value);
      rows.push_back(
          value ? absl::StrCat("[0,\"",
                               absl::FormatTime("%E4Y-%m-%d %H:%M:%E6S",
                                                absl::FromUnixMicros(*value), absl::UTCTimeZone()),
                               "\"]")
                : "[0,null]");
    }
    std::vector<int> slots;
    const auto made =
        BatchOf(options.source_schema, absl::StrCat("[", absl::StrJoin(rows, ","), "]"));
    const absl::Status status = router.Route(*made, slots);
    ASSERT_TRUE(status.ok()) << status;
    for (size_t i = 0; i < values.size(); ++i) {
      const PartitionRouter::Slot& slot = router.slots()[slots[i]];
      if (!values[i]) {
        EXPECT_TRUE(router.pieces()[slot.piece].outside);
        EXPECT_EQ(slot.partition[1].second, std::nullopt);
        continue;
      }
      const int64_t value = *values[i];
      const Unit& unit = options.dataset.partition_by;
      EXPECT_EQ(slot.partition[1].second,
                calendar.PartitionLabel(calendar.UnitStart(value, unit), unit));
      const Extent& piece = router.pieces()[slot.piece];
      EXPECT_EQ(piece.outside, value >= options.domain_end);
      if (piece.outside) continue;
      EXPECT_TRUE(piece.range->Contains(value));
      largest[slot.piece] = std::max(largest[slot.piece].value_or(value), value);
    }
  }
  for (size_t i = 0; i < largest.size(); ++i) EXPECT_EQ(router.max_cursor(i), largest[i]);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PartitionRouterProperty, ::testing::Range(1u, 31u));

}  // namespace
}  // namespace headwater
