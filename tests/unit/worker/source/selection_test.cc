#include "worker/source/selection.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

std::vector<SourceColumn> Columns() {
  return {{{"year", {TypeKind::kLong}, true}, "INTEGER"},
          {{"time_hour", {TypeKind::kTimestampNtz}, true}, "TIMESTAMP"},
          {{"carrier", {TypeKind::kString}, true}, "TEXT"}};
}

TEST(Selection, KeepsSourceOrderAndMayLeaveTheCursorOut) {
  DatasetSpec dataset;
  dataset.include_columns = {"carrier", "year"};
  dataset.cursor = "time_hour";
  const auto selection = SelectColumns(dataset, Columns());
  ASSERT_TRUE(selection.ok());
  ASSERT_EQ(selection->schema.columns.size(), 2u);
  EXPECT_EQ(selection->schema.columns[0].name, "year");
  EXPECT_EQ(selection->cursor.type, CursorType::kWallClock);
}

TEST(Selection, NamesTheNearestColumn) {
  DatasetSpec dataset;
  dataset.exclude_columns = {"carier"};
  const absl::Status status = SelectColumns(dataset, Columns()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("did you mean 'carrier'"));
}

TEST(Selection, RefusesAnEmptySelectionAndATextCursor) {
  DatasetSpec dataset;
  dataset.exclude_columns = {"carrier", "year", "time_hour"};
  EXPECT_EQ(SelectColumns(dataset, Columns()).status().code(), absl::StatusCode::kInvalidArgument);
  dataset.exclude_columns.clear();
  dataset.cursor = "carrier";
  EXPECT_EQ(SelectColumns(dataset, Columns()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Selection, ACursorThatChangedItsTypeIsNotReadByOldBounds) {
  DatasetSpec dataset;
  dataset.cursor = "year";
  auto selection = SelectColumns(dataset, Columns());
  EXPECT_FALSE(CheckCursorType(dataset, *selection, CursorType::kInstant).ok());
  EXPECT_TRUE(CheckCursorType(dataset, *selection, CursorType::kInteger).ok());
}

}  // namespace
}  // namespace headwater
