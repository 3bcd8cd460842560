// What each family of cells makes of the bytes that a driver leaves.
#include "worker/source/odbc/column_cells.h"

#include "common/data/row_hash.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

template <typename T>
absl::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

FetchPlan Fixed(SQLSMALLINT c_type, size_t width_bytes) {
  return FetchPlan{.c_type = c_type, .variable = false, .width_bytes = width_bytes};
}

// Whether the cell's value, of this length, is taken as one of `type`.
bool Takes(const FetchPlan& plan, const ColumnType& type, absl::string_view cell, SQLLEN length) {
  const auto cells = MakeCells(plan, type);
  cells->Put(0, cell, length);
  BatchBuilder batch(Schema{{{"v", type, true}}});
  return cells->Append(batch, 0, 0, 1) == 1;
}

std::string TextOf(const FetchPlan& plan, const ColumnType& type, absl::string_view cell) {
  const auto cells = MakeCells(plan, type);
  cells->Put(0, cell, static_cast<SQLLEN>(cell.size()));
  return cells->TextOf(0);
}

constexpr SQL_TIMESTAMP_STRUCT At(int year, int month, int day, int second, SQLUINTEGER nanos) {
  return {static_cast<SQLSMALLINT>(year),
          static_cast<SQLUSMALLINT>(month),
          static_cast<SQLUSMALLINT>(day),
          23,
          59,
          static_cast<SQLUSMALLINT>(second),
          nanos};
}

TEST(ColumnCells, IntegersStayWithinTheirColumn) {
  const FetchPlan plan = Fixed(SQL_C_SBIGINT, sizeof(SQLBIGINT));
  const auto takes = [&](TypeKind kind, SQLBIGINT value, SQLLEN length = 8) {
    return Takes(plan, ColumnType{kind}, BytesOf(value), length);
  };
  EXPECT_TRUE(takes(TypeKind::kShort, -32768));
  EXPECT_FALSE(takes(TypeKind::kShort, 32768));
  EXPECT_TRUE(takes(TypeKind::kInteger, 2147483647));
  EXPECT_FALSE(takes(TypeKind::kInteger, -2147483649));
  EXPECT_TRUE(takes(TypeKind::kLong, std::numeric_limits<int64_t>::min()));
  EXPECT_TRUE(takes(TypeKind::kBoolean, 1, 0)) << "MariaDB's driver says 0 for a bit";
  EXPECT_FALSE(takes(TypeKind::kBoolean, 2));
  EXPECT_FALSE(takes(TypeKind::kLong, 1, 9));
  EXPECT_FALSE(takes(TypeKind::kLong, 1, SQL_NO_TOTAL));
  EXPECT_TRUE(takes(TypeKind::kLong, 1, SQL_NULL_DATA));
}

TEST(ColumnCells, TimestampsAreExactOrRefused) {
  const FetchPlan plan = Fixed(SQL_C_TYPE_TIMESTAMP, sizeof(SQL_TIMESTAMP_STRUCT));
  const ColumnType type{TypeKind::kTimestampNtz};
  const auto takes = [&](const SQL_TIMESTAMP_STRUCT& value) {
    return Takes(plan, type, BytesOf(value), sizeof(value));
  };
  EXPECT_TRUE(takes(At(1, 1, 1, 59, 999'999'000)));
  EXPECT_TRUE(takes(At(9999, 12, 31, 59, 0)));
  EXPECT_FALSE(takes(At(2013, 1, 1, 0, 123'456'700))) << "datetime2(7): digits of 100 ns";
  EXPECT_FALSE(takes(At(2013, 2, 29, 0, 0)));
  EXPECT_FALSE(takes(At(0, 0, 0, 0, 0)));
  EXPECT_FALSE(takes(At(2013, 1, 1, 60, 0)));
  EXPECT_FALSE(takes(At(2013, 1, 1, 0, 1'000'000'000)));
  EXPECT_EQ(TextOf(plan, type, BytesOf(At(2013, 1, 1, 0, 123'456'700))),
            "2013-01-01 23:59:00.123456700");
}

TEST(ColumnCells, TimesFinerThanAMicrosecondAreCutWhereTheyMayBe) {
  struct Case {
    FetchPlan plan;
    TypeKind kind;
    std::string cell;
  };
  const auto value = At(1969, 12, 31, 59, 999'999'900);
  const std::vector<Case> cases = {
      {Fixed(SQL_C_TYPE_TIMESTAMP, sizeof(SQL_TIMESTAMP_STRUCT)), TypeKind::kTimestampNtz,
       std::string(BytesOf(value))},
      {PlanText("v", 1), TypeKind::kTimestamp, "1970-01-01T01:59:59.9999999+02:00"},
  };
  for (const Case& c : cases) {
    const auto length = static_cast<SQLLEN>(c.cell.size());
    EXPECT_FALSE(Takes(c.plan, ColumnType{c.kind}, c.cell, length));
    const auto cells = MakeCells(c.plan, ColumnType{c.kind});
    cells->Put(0, c.cell, length);
    const Schema schema{{{"v", {c.kind}, true}}};
    BatchBuilder batch(schema, /*truncate_fine_time=*/true);
    ASSERT_EQ(cells->Append(batch, 0, 0, 1), 1U);
    batch.EndRow();
    batch.AppendInteger(0, -1);
    batch.EndRow();
    const auto made = batch.Finish();
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ((*made)->truncated_values(), 1);
    std::vector<Hash128> hashes;
    ASSERT_TRUE((*RowHasher::Create(schema, HashAlgorithm::kXxh3))->Hash(**made, hashes).ok());
    EXPECT_EQ(hashes.at(0), hashes.at(1));
  }
}

TEST(ColumnCells, DatesAreOfTheCalendar) {
  const FetchPlan plan = Fixed(SQL_C_TYPE_DATE, sizeof(SQL_DATE_STRUCT));
  const auto takes = [&](SQLSMALLINT year, SQLUSMALLINT month, SQLUSMALLINT day) {
    const SQL_DATE_STRUCT value{year, month, day};
    return Takes(plan, ColumnType{TypeKind::kDate}, BytesOf(value), sizeof(value));
  };
  EXPECT_TRUE(takes(2012, 2, 29));
  EXPECT_FALSE(takes(0, 0, 0));
  EXPECT_FALSE(takes(-44, 3, 15));
  EXPECT_FALSE(takes(2013, 13, 1));
}

TEST(ColumnCells, GuidsAreInLowerCase) {
  const SQLGUID guid = {
      0xA0EEBC99, 0x9C0B, 0x4EF8, {0xBB, 0x6D, 0x6B, 0xB9, 0xBD, 0x38, 0x0A, 0x11}};
  EXPECT_EQ(
      TextOf(Fixed(SQL_C_GUID, sizeof(SQLGUID)), ColumnType{TypeKind::kString}, BytesOf(guid)),
      "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
}

TEST(ColumnCells, WideTextBecomesUtf8OrIsRefused) {
  const FetchPlan plan{.c_type = SQL_C_WCHAR, .width_bytes = 32};
  const ColumnType type{TypeKind::kString};
  const char16_t good[] = u"ø😀", lone[] = {0xD83D, 0};
  EXPECT_EQ(TextOf(plan, type, {reinterpret_cast<const char*>(good), 6}), "ø😀");
  EXPECT_FALSE(Takes(plan, type, {reinterpret_cast<const char*>(lone), 2}, 2));
}

TEST(ColumnCells, AValueLongerThanItsCellIsSeen) {
  const auto cells =
      MakeCells(FetchPlan{.c_type = SQL_C_CHAR, .width_bytes = 8}, ColumnType{TypeKind::kString});
  cells->Put(0, "1234567", 7);
  cells->Put(1, "1234567", 8);
  cells->Put(2, "1234567", SQL_NO_TOTAL);
  cells->Put(3, "", SQL_NULL_DATA);
  EXPECT_FALSE(cells->IsCut(0));
  EXPECT_TRUE(cells->IsCut(1));
  EXPECT_TRUE(cells->IsCut(2));
  EXPECT_FALSE(cells->IsCut(3));
  std::vector<int64_t> row_bytes(4, 100);
  cells->AddBytes(/*unknown=*/99, row_bytes);
  EXPECT_EQ(row_bytes, (std::vector<int64_t>{107, 108, 199, 100}));
}

}  // namespace
}  // namespace headwater
