#include "common/data/key_parts.h"

#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/data/row_checksum.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;

std::vector<int> PartsOf(const ColumnType& type, const std::string& rows,
                         std::vector<KeyValue> borders) {
  const Schema schema{{{"other", {TypeKind::kBoolean}}, {"k", type}}};
  auto made = KeyParts::Create(schema, "k", std::move(borders));
  EXPECT_TRUE(made.ok()) << made.status();
  std::vector<int> parts = {99};
  const absl::Status taken = (*made)->Take(*BatchOf(schema, rows), parts);
  EXPECT_TRUE(taken.ok()) << taken;
  return parts;
}

KeyValue Number(int64_t number) { return __int128{number}; }

TEST(KeyParts, ABorderBeginsItsPartAndNullIsInTheFirst) {
  const std::string rows = R"([[true, -7], [true, null], [null, -5], [true, 6], [true, 7]])";
  for (const TypeKind kind :
       {TypeKind::kByte, TypeKind::kShort, TypeKind::kInteger, TypeKind::kLong}) {
    EXPECT_THAT(PartsOf({kind}, rows, {Number(-5), Number(7)}), ElementsAre(0, 0, 1, 1, 2));
    EXPECT_THAT(PartsOf({kind}, rows, {}), ElementsAre(0, 0, 0, 0, 0));
  }
}

TEST(KeyParts, DecimalsDatesAndTimesAreTheirNumbers) {
  EXPECT_THAT(PartsOf({TypeKind::kDecimal, 20, 2},
                      R"([[true, "-1.51"], [true, "-1.50"], [true, "100000000000000000.00"]])",
                      {Number(-150), KeyValue(__int128{10'000'000'000'000'000'000U})}),
              ElementsAre(0, 1, 2));
  EXPECT_THAT(
      PartsOf({TypeKind::kDate}, R"([[true, "1969-12-31"], [true, "1970-01-02"]])", {Number(1)}),
      ElementsAre(0, 1));
  const std::string moments =
      R"([[true, "1969-12-31 23:59:59.999999"], [true, "1970-01-01 00:00:00"]])";
  for (const TypeKind kind : {TypeKind::kTimestamp, TypeKind::kTimestampNtz}) {
    EXPECT_THAT(PartsOf({kind}, moments, {Number(0)}), ElementsAre(0, 1));
  }
}

TEST(KeyParts, TextsAreOrderedByTheirBytes) {
  EXPECT_THAT(
      PartsOf({TypeKind::kString}, R"([[true, "Z"], [true, "a"], [true, "\u00e9"], [true, ""]])",
              {KeyValue(std::string("a")), KeyValue(std::string("b"))}),
      ElementsAre(0, 1, 2, 0));
}

TEST(KeyParts, ASlicedBatchHasThePartsOfItsOwnRows) {
  const Schema schema{{{"k", {TypeKind::kLong}}}};
  const auto parts = *KeyParts::Create(schema, "k", {Number(3)});
  const auto batch = BatchOf(schema, "[[1], [2], [null], [3], [4]]");
  std::vector<int> found;
  ASSERT_TRUE(parts->Take(RowBatch(batch->arrow()->Slice(1, 3)), found).ok());
  EXPECT_THAT(found, ElementsAre(0, 0, 1));
  EXPECT_EQ(parts->count(), 2);
}

TEST(KeyParts, SumsByPartAreThoseOfTheirRows) {
  const Schema schema{{{"k", {TypeKind::kLong}}, {"v", {TypeKind::kString}}}};
  const auto checksummer = *RowChecksummer::Create(schema);
  const auto sum_of = [&](const std::string& rows) {
    RowChecksum sum;
    EXPECT_TRUE(checksummer->Add(*BatchOf(schema, rows), sum).ok());
    return sum;
  };
  const auto batch = BatchOf(schema, R"([[9, "a"], [1, "b"], [null, "c"], [9, "d"]])");
  const auto parts = *KeyParts::Create(schema, "k", {Number(5), Number(7)});
  std::vector<int> found;
  ASSERT_TRUE(parts->Take(*batch, found).ok());
  std::vector<RowChecksum> sums(3);
  ASSERT_TRUE(checksummer->AddByPart(*batch, found, sums).ok());
  EXPECT_THAT(sums, ElementsAre(sum_of(R"([[1, "b"], [null, "c"]])"), RowChecksum{},
                                sum_of(R"([[9, "a"], [9, "d"]])")));
}

TEST(KeyParts, WhatHasNoOrderIsRefused) {
  const Schema schema{{{"k", {TypeKind::kLong}}, {"r", {TypeKind::kDouble}}}};
  const auto code = [&](const std::string& key, std::vector<KeyValue> borders) {
    return KeyParts::Create(schema, key, std::move(borders)).status().code();
  };
  EXPECT_EQ(code("gone", {}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("r", {}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("k", {Number(2), Number(1)}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("k", {Number(2), Number(2)}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("k", {KeyValue(std::string("2"))}), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace headwater
