#include "worker/source/conforming_reader.h"

#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/data/row_hash.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

Column Col(const std::string& name, absl::string_view type, bool nullable = true) {
  return {name, *ParseType(type), nullable};
}

DatasetSpec Dataset() {
  DatasetSpec dataset;
  dataset.id = {"deals", "p1"};
  dataset.cursor = "id";
  return dataset;
}

absl::StatusOr<std::unique_ptr<SourceReader>> Conformed(
    const Schema& table, FakeScript script, SchemaPolicy policy = SchemaPolicy::kEvolve) {
  return ConformToTable(std::make_unique<FakeReader>(std::move(script)), table, policy, Dataset());
}

std::shared_ptr<arrow::RecordBatch> ReadOne(SourceReader& reader) {
  auto batch = reader.Next();
  EXPECT_TRUE(batch.ok()) << batch.status();
  EXPECT_NE(*batch, nullptr);
  EXPECT_TRUE((*batch)->arrow()->ValidateFull().ok());
  return (*batch)->arrow();
}

TEST(ConformingReader, RowsGetTheTablesColumnsByName) {
  const Schema table{{Col("id", "long"), Col("gone", "string"), Col("ratio", "double"),
                      Col("price", "decimal(18,4)"), Col("n", "decimal(12,2)")}};
  const Schema source{{Col("price", "decimal(9,2)"), Col("new", "string"), Col("n", "integer"),
                       Col("id", "integer", false), Col("ratio", "float")}};
  auto reader = Conformed(table, {source,
                                  {R"([["-12.50", "x", -7, 1, 0.5], [null, null, null, 2, null]])",
                                   R"([["0.01", "y", 9, 3, -2]])"},
                                  absl::OkStatus(),
                                  false});
  ASSERT_TRUE(reader.ok()) << reader.status();
  Schema expected = table;
  expected.columns[0].nullable = false;
  expected.columns.push_back(Col("new", "string"));
  EXPECT_EQ((*reader)->schema(), expected);
  EXPECT_TRUE(
      ReadOne(**reader)->Equals(*BatchOf(expected, R"([[1, null, 0.5, "-12.5000", "-7.00", "x"],
                             [2, null, null, null, null, null]])")
                                     ->arrow()));
  EXPECT_TRUE(ReadOne(**reader)->Equals(
      *BatchOf(expected, R"([[3, null, -2, "0.0100", "9.00", "y"]])")->arrow()));
  EXPECT_EQ(*(*reader)->Next(), nullptr);
}

TEST(ConformingReader, IntegersOfEveryWidthBecomeLongAndHashAlike) {
  const Schema table{{Col("id", "long")}};
  std::vector<Hash128> all;
  for (const char* type : {"byte", "short", "integer", "long"}) {
    auto reader = Conformed(
        table, {{{Col("id", type)}}, {"[[-128], [127], [null]]"}, absl::OkStatus(), false});
    ASSERT_TRUE(reader.ok()) << reader.status();
    const auto hasher = RowHasher::Create((*reader)->schema(), HashAlgorithm::kXxh3);
    std::vector<Hash128> hashes;
    ASSERT_TRUE((*hasher)->Hash(RowBatch(ReadOne(**reader)), hashes).ok());
    if (all.empty()) all = hashes;
    EXPECT_EQ(hashes, all) << type;
  }
}

TEST(ConformingReader, WhatFitsAlreadyIsHandedOnAsItIs) {
  const Schema source{{Col("id", "long", false), Col("name", "string")}};
  for (const Schema& table : {Schema{}, Schema{{Col("id", "long"), Col("name", "string")}}}) {
    auto inner = std::make_unique<FakeReader>(FakeScript{source, {}, absl::OkStatus(), false});
    const SourceReader* const raw = inner.get();
    auto reader = ConformToTable(std::move(inner), table, SchemaPolicy::kFreeze, Dataset());
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_EQ(reader->get(), raw);
  }
}

TEST(ConformingReader, ThePolicyDecidesOnColumnsThatAreNew) {
  const Schema table{{Col("id", "long")}};
  const FakeScript script{
      {{Col("id", "long"), Col("new", "string")}}, {R"([[1, "x"]])"}, absl::OkStatus(), false};
  auto ignoring = Conformed(table, script, SchemaPolicy::kIgnore);
  ASSERT_TRUE(ignoring.ok()) << ignoring.status();
  EXPECT_TRUE(ReadOne(**ignoring)->Equals(*BatchOf(table, "[[1]]")->arrow()));
  const auto frozen = Conformed(table, script, SchemaPolicy::kFreeze);
  EXPECT_EQ(frozen.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(frozen.status().message()), HasSubstr("column new (string) is new"));
}

TEST(ConformingReader, ACursorThatIsGoneIsRefused) {
  const auto reader = Conformed({{Col("id", "long"), Col("name", "string")}},
                                {{{Col("name", "string")}}, {}, absl::OkStatus(), false});
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(reader.status().message()), HasSubstr("column id, the cursor"));
}

TEST(ConformingReader, ErrorsAndCancellationComeFromTheInnerReader) {
  const Schema table{{Col("id", "long"), Col("x", "string")}};
  auto failing =
      Conformed(table, {{{Col("id", "long")}}, {"[[1]]"}, absl::UnavailableError("lost"), false});
  ASSERT_TRUE(failing.ok());
  EXPECT_EQ(ReadOne(**failing)->num_columns(), 2);
  EXPECT_EQ((*failing)->Next().status().code(), absl::StatusCode::kUnavailable);
  auto blocking = Conformed(table, {{{Col("id", "long")}}, {}, absl::OkStatus(), true});
  ASSERT_TRUE(blocking.ok());
  (*blocking)->Cancel();
  EXPECT_EQ((*blocking)->Next().status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace headwater
