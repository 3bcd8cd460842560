#include "common/data/row_conformer.h"

#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/data/arrow_schema.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> Conform(const Schema& from, const Schema& to,
                                                            const std::string& rows) {
  return RowConformer(from, to).Conform(*BatchOf(from, rows)->arrow());
}

TEST(RowConformer, GivesRowsTheColumnsOfATableInItsOrder) {
  const Schema from = {{{"b", {TypeKind::kString}}, {"a", {TypeKind::kLong}}}};
  const Schema to = {
      {{"a", {TypeKind::kLong}}, {"c", {TypeKind::kDate}}, {"b", {TypeKind::kString}}}};
  const auto rows = Conform(from, to, R"([["x", 1], [null, 2]])");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE((*rows)->Equals(*BatchOf(to, R"([[1, null, "x"], [2, null, null]])")->arrow()))
      << (*rows)->ToString();
}

TEST(RowConformer, LeavesOutWhatTheTableLacks) {
  const Schema from = {{{"a", {TypeKind::kLong}}, {"b", {TypeKind::kString}}}};
  const auto rows = Conform(from, {{{"b", {TypeKind::kString}}}}, R"([[1, "x"]])");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ((*rows)->num_columns(), 1);
}

TEST(RowConformer, WidensTypesWithoutChangingValues) {
  const Schema from = {{{"a", {TypeKind::kInteger}}, {"d", {TypeKind::kDecimal, 5, 2}}}};
  const Schema to = {{{"a", {TypeKind::kLong}}, {"d", {TypeKind::kDecimal, 12, 4}}}};
  const auto rows = Conform(from, to, R"([[-7, "1.50"], [null, null]])");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE((*rows)->Equals(*BatchOf(to, R"([[-7, "1.5000"], [null, null]])")->arrow()))
      << (*rows)->ToString();
}

TEST(RowConformer, AValueThatDoesNotFitIsAnErrorThatNamesTheColumn) {
  const Schema from = {{{"a", {TypeKind::kLong}}}};
  const auto rows = Conform(from, {{{"a", {TypeKind::kInteger}}}}, "[[5000000000]]");
  EXPECT_EQ(rows.status().code(), absl::StatusCode::kInvalidArgument) << rows.status();
  EXPECT_THAT(std::string(rows.status().message()), ::testing::HasSubstr("'a'"));
}

TEST(RowConformer, ABatchWithoutRowsHasTheColumnsToo) {
  const auto rows = Conform({{{"a", {TypeKind::kLong}}}},
                            {{{"a", {TypeKind::kLong}}, {"b", {TypeKind::kString}}}}, "[]");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ((*rows)->num_columns(), 2);
  EXPECT_EQ((*rows)->num_rows(), 0);
}

}  // namespace
}  // namespace headwater
