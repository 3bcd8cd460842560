#include "common/data/row_checksum.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/data/arrow_schema.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

RowChecksum SumOf(const Schema& schema, const RowBatch& batch) {
  RowChecksum sum;
  const absl::Status status = (*RowChecksummer::Create(schema))->Add(batch, sum);
  EXPECT_TRUE(status.ok()) << status;
  return sum;
}

RowChecksum SumOf(const Schema& schema, const std::string& json_rows) {
  return SumOf(schema, *BatchOf(schema, json_rows));
}

Schema ExampleSchema() {
  return {{{"id", {TypeKind::kLong}},
           {"name", {TypeKind::kString}},
           {"price", {TypeKind::kDecimal, 9, 2}},
           {"at", {TypeKind::kTimestamp}}}};
}

constexpr char kFirst[] = R"([42, "Zoë", "12.50", null])";
constexpr char kSecond[] = R"([-1, "", null, "2013-01-31 05:00:00.25"])";

// Every kind of column, with NULLs that lie elsewhere in each.
Schema EverySchema() {
  Schema schema;
  for (const char* type :
       {"boolean", "byte", "short", "integer", "long", "float", "double", "decimal(20,3)", "string",
        "binary", "date", "timestamp", "timestamp_ntz"}) {
    schema.columns.push_back({absl::StrCat("c", schema.columns.size()), *ParseType(type)});
  }
  return schema;
}

std::string EveryRow(int i) {
  std::string row = "[";
  for (int column = 0; column < 13; ++column) {
    absl::StrAppend(&row, column == 0 ? "" : ", ");
    if ((i + column) % 5 == 0) {
      absl::StrAppend(&row, "null");
    } else if (column == 0) {
      absl::StrAppend(&row, i % 2 == 0 ? "true" : "false");
    } else if (column < 7) {
      absl::StrAppend(&row, i);
    } else if (column == 7) {
      absl::StrAppend(&row, "\"", i, ".125\"");
    } else if (column < 10) {
      absl::StrAppend(&row, "\"", std::string(static_cast<size_t>(i), 'x'), "\"");
    } else {
      absl::StrAppend(&row, "\"2013-01-", 10 + i, column == 10 ? "" : " 00:00:00.5", "\"");
    }
  }
  return row + "]";
}

TEST(RowChecksum, TheWorkedExampleHolds) {
  const Schema schema = ExampleSchema();
  EXPECT_EQ(SumOf(schema, absl::StrCat("[", kFirst, "]")), (RowChecksum{1, 0x3eb82ed9c0202990}));
  EXPECT_EQ(SumOf(schema, absl::StrCat("[", kSecond, "]")), (RowChecksum{1, 0x1dc64faa92a85919}));
  EXPECT_EQ(SumOf(schema, absl::StrCat("[", kFirst, ", ", kSecond, "]")),
            (RowChecksum{2, 6664903605344567977}));
  std::ifstream page(HEADWATER_SOURCE_FOLDER "/docs/source-checksum.md");
  std::stringstream text;
  text << page.rdbuf();
  for (const char* figure : {"3eb82ed9c0202990", "1dc64faa92a85919", "6664903605344567977"}) {
    EXPECT_THAT(text.str(), HasSubstr(figure)) << "the document's own";
  }
}

TEST(RowChecksum, SumsOfPartsAreThatOfTheWhole) {
  const Schema schema = ExampleSchema();
  RowChecksum parts = SumOf(schema, absl::StrCat("[", kFirst, "]"));
  parts.Add(SumOf(schema, absl::StrCat("[", kSecond, ", ", kFirst, "]")));
  EXPECT_EQ(parts, SumOf(schema, absl::StrCat("[", kFirst, ", ", kFirst, ", ", kSecond, "]")));
  EXPECT_NE(parts, SumOf(schema, absl::StrCat("[", kFirst, ", ", kSecond, ", ", kSecond, "]")));
  EXPECT_EQ(SumOf(schema, "[]"), RowChecksum{});
}

TEST(RowChecksum, SlicedBatchesSumTheirOwnRowsOnly) {
  const Schema schema = EverySchema();
  constexpr int kRows = 20;
  std::string all = "[";
  for (int i = 0; i < kRows; ++i) absl::StrAppend(&all, i == 0 ? "" : ", ", EveryRow(i));
  const std::unique_ptr<RowBatch> batch = BatchOf(schema, all + "]");
  for (int from = 0; from < kRows; ++from) {
    for (int to = from; to <= kRows; ++to) {
      RowChecksum expected;
      for (int i = from; i < to; ++i) {
        expected.Add(SumOf(schema, absl::StrCat("[", EveryRow(i), "]")));
      }
      ASSERT_EQ(SumOf(schema, RowBatch(batch->arrow()->Slice(from, to - from))), expected)
          << from << " to " << to;
    }
  }
}

TEST(RowChecksum, NullIsNotEmptyText) {
  const Schema schema{{{"a", {TypeKind::kString}}, {"b", {TypeKind::kString}}}};
  const RowChecksum null = SumOf(schema, R"([[null, "x"]])");
  EXPECT_NE(null, SumOf(schema, R"([["", "x"]])"));
  EXPECT_NE(null, SumOf(schema, R"([["x", null]])"));
  EXPECT_NE(null, SumOf(schema, R"([["~", "x"]])"));
}

TEST(RowChecksum, OneChecksummerSumsManyBatches) {
  const Schema schema = ExampleSchema();
  const auto checksummer = *RowChecksummer::Create(schema);
  RowChecksum sum;
  for (const std::string& rows :
       {absl::StrCat("[", kFirst, "]"), std::string("[]"), absl::StrCat("[", kSecond, "]")}) {
    ASSERT_TRUE(checksummer->Add(*BatchOf(schema, rows), sum).ok());
  }
  EXPECT_EQ(sum, (RowChecksum{2, 6664903605344567977}));
}

TEST(RowChecksum, OtherColumnsAreRefusedAndNothingIsAdded) {
  const Schema schema = ExampleSchema(), other{{{"id", {TypeKind::kInteger}}}};
  const auto checksummer = *RowChecksummer::Create(schema);
  RowChecksum sum{3, 7};
  absl::Status status = checksummer->Add(*BatchOf(other, "[[1]]"), sum);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  Schema narrow = schema;
  narrow.columns[0].type.kind = TypeKind::kInteger;
  status = checksummer->Add(*BatchOf(narrow, absl::StrCat("[", kFirst, "]")), sum);
  EXPECT_THAT(std::string(status.message()), HasSubstr("column 'id' is expected as int64"));
  EXPECT_EQ(sum, (RowChecksum{3, 7}));
}

}  // namespace
}  // namespace headwater
