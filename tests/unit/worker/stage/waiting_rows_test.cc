#include "worker/stage/waiting_rows.h"

#include <arrow/api.h>

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "common/data/row_batch.h"
#include "gtest/gtest.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

const Schema kSchema = {{{"id", {TypeKind::kLong}}, {"day", {TypeKind::kDate}}}};

std::string IdsOf(const std::vector<std::shared_ptr<arrow::ChunkedArray>>& columns) {
  std::string ids;
  for (const auto& chunk : columns.at(0)->chunks()) {
    const auto& values = static_cast<const arrow::Int64Array&>(*chunk);
    for (int64_t i = 0; i < values.length(); ++i) absl::StrAppend(&ids, values.Value(i), " ");
  }
  return ids;
}

TEST(WaitingRows, PutsRowsInTheOrderOfTheirCursor) {
  WaitingRows waiting(1);
  waiting.Add(BatchOf(kSchema, R"([[1, "2026-01-02"], [2, "2026-01-05"]])")->arrow(), 10);
  EXPECT_TRUE(waiting.ascending());
  waiting.Add(BatchOf(kSchema, R"([[3, "2026-01-05"], [4, null], [5, null]])")->arrow(), 10);
  EXPECT_TRUE(waiting.ascending()) << "ties and NULLs at the end are in order";
  waiting.Add(BatchOf(kSchema, R"([[6, "1969-12-31"], [7, "2026-01-02"]])")->arrow(), 5);
  EXPECT_FALSE(waiting.ascending());
  EXPECT_EQ(waiting.rows(), 7);
  EXPECT_EQ(waiting.size_bytes(), 25);
  const auto columns = waiting.Take();
  ASSERT_TRUE(columns.ok()) << columns.status();
  EXPECT_EQ(IdsOf(*columns), "6 1 7 2 3 4 5 ");
  EXPECT_TRUE(waiting.empty());
  EXPECT_EQ(waiting.size_bytes(), 0);

  waiting.Add(BatchOf(kSchema, R"([[8, "1960-01-01"]])")->arrow(), 1);
  EXPECT_TRUE(waiting.ascending()) << "what was handed out is forgotten";
}

TEST(WaitingRows, KeepsTheOrderOfArrivalWithoutACursor) {
  WaitingRows waiting(-1);
  waiting.Add(BatchOf(kSchema, R"([[2, "2026-01-02"], [1, "2026-01-01"]])")->arrow(), 1);
  EXPECT_TRUE(waiting.ascending());
  EXPECT_EQ(IdsOf(waiting.Take().value()), "2 1 ");
}

TEST(WaitingRows, OrdersAnyBatchesAsAStableSortDoes) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  WaitingRows waiting(1);
  std::vector<std::pair<int32_t, int64_t>> expected;
  for (int64_t id = 0; id < 2000;) {
    arrow::Int64Builder ids;
    arrow::Date32Builder days;
    for (uint64_t rows = random() % 300; rows > 0; --rows, ++id) {
      expected.emplace_back(static_cast<int32_t>(random() % 100) - 50, id);
      ASSERT_TRUE(ids.Append(id).ok() && days.Append(expected.back().first).ok());
    }
    const int64_t rows = ids.length();
    waiting.Add(
        arrow::RecordBatch::Make(arrow::schema({arrow::field("id", arrow::int64()),
                                                arrow::field("day", arrow::date32())}),
                                 rows, {ids.Finish().ValueOrDie(), days.Finish().ValueOrDie()}),
        rows);
  }
  std::sort(expected.begin(), expected.end());
  std::string ids;
  for (const auto& [day, id] : expected) absl::StrAppend(&ids, id, " ");
  EXPECT_EQ(IdsOf(waiting.Take().value()), ids);
}

}  // namespace
}  // namespace headwater
