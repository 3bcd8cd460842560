#include "worker/source/selection.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

SourceColumn ColumnOf(const std::string& name, TypeKind kind, const std::string& type_name) {
  return {.column = {name, {kind}, true}, .type_name = type_name};
}

std::vector<SourceColumn> Columns() {
  return {ColumnOf("year", TypeKind::kLong, "INTEGER"),
          ColumnOf("time_hour", TypeKind::kTimestampNtz, "TIMESTAMP"),
          ColumnOf("carrier", TypeKind::kString, "TEXT")};
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

TEST(Selection, ReadsNamedColumnsAsText) {
  DatasetSpec dataset;
  dataset.text_columns = {"year"};
  const auto selection = SelectColumns(dataset, Columns());
  ASSERT_TRUE(selection.ok());
  EXPECT_EQ(selection->schema.columns[0].type, ColumnType{TypeKind::kString});
  EXPECT_TRUE(selection->columns[0].as_text);
  EXPECT_EQ(selection->columns[0].notice,
            "column 'year' (INTEGER) is read as text, as columns: cast asks for");
  EXPECT_FALSE(selection->columns[1].as_text);
}

TEST(Selection, RefusesToReadAsTextWhatCannotBe) {
  std::vector<SourceColumn> columns = Columns();
  columns.push_back(ColumnOf("raw", TypeKind::kBinary, "BLOB"));
  DatasetSpec dataset;
  dataset.relation = "flights";
  const auto refusal = [&](const std::string& column) {
    dataset.text_columns = {column};
    return SelectColumns(dataset, columns).status();
  };
  EXPECT_THAT(std::string(refusal("raw").message()),
              HasSubstr("column 'raw' of 'flights' (BLOB) cannot be read as text"));
  EXPECT_EQ(refusal("yaer").code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(refusal("yaer").message()), HasSubstr("did you mean 'year'"));
  dataset.cursor = "time_hour";
  EXPECT_EQ(refusal("time_hour").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refusal("time_hour").message()), HasSubstr("it is the cursor"));
}

TEST(Selection, AColumnThatNothingHoldsIsLeftOutOrReadAsText) {
  std::vector<SourceColumn> columns = Columns();
  columns.push_back(ColumnOf("huge", TypeKind::kString, "DECIMAL(50,2)"));
  columns.back().refusal = "is too wide";
  DatasetSpec dataset;
  const absl::Status refused = SelectColumns(dataset, columns).status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("is too wide; leave it out"));
  dataset.exclude_columns = {"huge"};
  EXPECT_TRUE(SelectColumns(dataset, columns).ok());
  dataset.exclude_columns.clear();
  dataset.text_columns = {"huge"};
  EXPECT_TRUE(SelectColumns(dataset, columns).ok());
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
