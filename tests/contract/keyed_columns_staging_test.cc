// Keyed writes through changes of a table's columns, of Headwater's own, and of kinds of keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/contract/keyed_fixture.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const Schema kSchema = {{{"id", {TypeKind::kInteger}}, {"name", {TypeKind::kString}}}};

class KeyedColumnsStaging : public KeyedFixture {
 protected:
  KeyedColumnsStaging() : KeyedFixture(kSchema) {}

  SystemColumns& names() { return options_.dataset.system_columns; }
  void AddColumn(const std::string& name, TypeKind kind) {
    options_.source_schema.columns.push_back({name, {kind}});
  }
};

TEST_F(KeyedColumnsStaging, AColumnThatCameLaterCountsAsNullInOldRows) {
  Load(R"([[1, "a"], [2, "b"], [3, "c"]])");
  AddColumn("seats", TypeKind::kLong);
  const KeyedChange change = Load(R"([[1, "a", null], [2, "b", 150]])");
  EXPECT_EQ(CountsOf(change), "new 0 changed 1 same 1 deleted 0 duplicate 0");
  EXPECT_THAT(Rows({"id", "name", "seats"}), ElementsAre("1|a|", "2|b|150", "3|c|"));
  // What was written again has hashes of the columns as they are now.
  EXPECT_TRUE(Load(R"([[3, "c", null], [2, "b", 150], [1, "a", null]])").empty());
  EXPECT_EQ(Load(R"([[1, "a", 1]])").changed_rows, 1);
}

TEST_F(KeyedColumnsStaging, ATypeThatWidenedIsNoChange) {
  AddColumn("seats", TypeKind::kInteger);
  Load(R"([[1, "a", 5], [-2, "b", null]])");
  options_.source_schema.columns[0].type = {TypeKind::kLong};
  options_.source_schema.columns[2].type = {TypeKind::kLong};
  EXPECT_EQ(CountsOf(Load(R"([[1, "a", 5], [-2, "b", null]])")),
            "new 0 changed 0 same 2 deleted 0 duplicate 0");
  Load(R"([[1, "a", 5000000000], [6000000000, "c", 1]])");
  EXPECT_THAT(Rows({"id", "seats"}), ElementsAre("-2|", "1|5000000000", "6000000000|1"));
}

TEST_F(KeyedColumnsStaging, WhatIsComparedMayChange) {
  AddColumn("note", TypeKind::kString);
  Load(R"([[1, "a", "x"]])");
  options_.dataset.uncompared_columns = {"note"};
  EXPECT_TRUE(Load(R"([[1, "a", "y"]])").empty());
  options_.dataset.uncompared_columns = {};
  EXPECT_EQ(Load(R"([[1, "a", "y"]])").changed_rows, 1);
  options_.dataset.compared_columns = {"name"};
  EXPECT_TRUE(Load(R"([[1, "a", "z"]])").empty());
}

TEST_F(KeyedColumnsStaging, RowHashesMayBeLeftOut) {
  names().row_hash = "";
  Load(R"([[1, "a"], [2, "b"]])");
  EXPECT_THAT(Rows({"id", "_hw_row_hash"}), ElementsAre("1|-", "2|-"));
  EXPECT_TRUE(Load(R"([[1, "a"]])").empty());
  EXPECT_EQ(Load(R"([[1, "A"], [2, "b"]])").changed_rows, 1);
  EXPECT_THAT(Rows({"id", "name"}), ElementsAre("1|A", "2|b"));
}

TEST_F(KeyedColumnsStaging, RowHashesMayComeLaterBeRenamedAndGo) {
  names().row_hash = "";
  Load(R"([[1, "a"], [2, "b"]])");
  for (const char* name : {"_hw_row_hash", "fingerprint", ""}) {
    SCOPED_TRACE(name);
    names().row_hash = name;
    EXPECT_TRUE(Load(R"([[1, "a"], [2, "b"]])").empty());
    EXPECT_EQ(Load(R"([[1, "B"]])").changed_rows, 1);
    if (names().row_hash.empty()) continue;
    EXPECT_THAT(Rows({name}), ElementsAre(Not(IsEmpty()), Not(IsEmpty())));
    EXPECT_EQ(Load(R"([[1, "a"], [2, "b"]])").same_rows, 1);
  }
}

TEST_F(KeyedColumnsStaging, OurColumnsMayHaveOtherNames) {
  names() = {.server_source = "origin",
             .loaded_at = "loaded",
             .microbatch = "batch",
             .row_hash = "hash",
             .deleted_at = "gone"};
  options_.dataset.on_missing = MissingPolicy::kMark;
  Load(R"([[1, "a"], [2, "b"]])");
  options_.loaded_at += absl::Seconds(1);
  const KeyedChange change = Load(R"([[1, "a"]])");
  EXPECT_EQ(change.deleted_rows, 1);
  ASSERT_EQ(change.files.size(), 1u);
  EXPECT_THAT(change.files[0].path, StartsWith("origin=ewr/"));
  EXPECT_THAT(change.files[0].partition_values, ElementsAre(testing::Pair("origin", "ewr")));
  EXPECT_THAT(Rows({"id", "loaded", "batch", "gone", "_hw_loaded_at"}),
              ElementsAre("1|1970-01-01 00:00:00.000000Z|planes/ewr@1||-",
                          "2|1970-01-01 00:00:00.000000Z|planes/ewr@1|"
                          "1970-01-01 00:00:01.000000Z|-"));
  EXPECT_EQ(Load(R"([[2, "b"]])").changed_rows, 1);  // It comes back, 1 goes.
}

TEST_F(KeyedColumnsStaging, OurColumnsMayBeLeftOut) {
  names() = {.server_source = "", .loaded_at = "", .microbatch = "", .row_hash = ""};
  const auto manifest = Stage({R"([[1, "a"]])"});
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  Schema files = kSchema;
  EXPECT_EQ(manifest->schema, files);
  ASSERT_EQ(manifest->keyed->files.size(), 1u);
  EXPECT_THAT(manifest->keyed->files[0].path, StartsWith("hw-1-"));
  EXPECT_THAT(manifest->keyed->files[0].partition_values, IsEmpty());
  options_.base->files = manifest->keyed->files;
  EXPECT_EQ(Load(R"([[1, "b"]])").changed_rows, 1);
}

TEST_F(KeyedColumnsStaging, ASourceColumnWithANameOfOursIsAnErrorThatSaysWhatHelps) {
  AddColumn("_HW_row_hash", TypeKind::kString);
  const absl::Status status = Fails("[]");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("system_columns"));
  names().row_hash = "hash";
  EXPECT_TRUE(Stage({"[]"}).ok());
}

// Three rows with different keys, one by one into files of their own; then each changes, is found
// the same, and goes.
class KeyedKinds : public KeyedFixture {
 protected:
  KeyedKinds() : KeyedFixture(kSchema) {}

  void Check(std::vector<Column> key, const std::vector<std::string>& values) {
    options_.base->files.clear();
    std::filesystem::remove_all(root_);
    options_.source_schema.columns = std::move(key);
    options_.dataset.key_columns.clear();
    for (const Column& column : options_.source_schema.columns)
      options_.dataset.key_columns.push_back(column.name);
    options_.source_schema.columns.push_back({"content", {TypeKind::kString}});
    options_.dataset.on_missing = MissingPolicy::kKeep;
    std::string all;
    for (const std::string& value : values) {
      SCOPED_TRACE(value);
      EXPECT_EQ(Load("[[" + value + ", \"x\"]]").new_rows, 1);
      absl::StrAppend(&all, all.empty() ? "" : ", ", "[", value, ", \"x\"]");
    }
    EXPECT_EQ(Load("[" + all + "]").same_rows, static_cast<int64_t>(values.size()));
    for (const std::string& value : values) {
      SCOPED_TRACE(value);
      EXPECT_TRUE(Load("[[" + value + ", \"x\"]]").empty());
      EXPECT_EQ(CountsOf(Load("[[" + value + ", \"y\"]]")),
                "new 0 changed 1 same 0 deleted 0 duplicate 0");
    }
    EXPECT_THAT(Rows({"content"}), testing::Each("y"));
    options_.dataset.on_missing = MissingPolicy::kRemove;
    EXPECT_EQ(CountsOf(Load("[[" + values[0] + ", \"y\"]]")),
              absl::StrCat("new 0 changed 0 same 1 deleted ", values.size() - 1, " duplicate 0"));
  }
};

TEST_F(KeyedKinds, Integers) {
  Check({{"key", {TypeKind::kByte}}}, {"-128", "0", "127"});
  Check({{"key", {TypeKind::kShort}}}, {"-5", "0", "5"});
  Check({{"key", {TypeKind::kLong}}}, {"-9223372036854775808", "-1", "0", "9223372036854775807"});
}

TEST_F(KeyedKinds, Texts) {
  const std::string tail(60, 'x');
  Check({{"key", {TypeKind::kString}}},
        {R"("")", R"("a")", R"("A")", R"("a ")", R"("ä")", R"("😀")", R"("\u0000")",
         "\"" + tail + "1\"", "\"" + tail + "2\"", "\"" + tail + "\""});
}

// The bounds of statistics are cut; what is larger than the cut must not go missing.
TEST_F(KeyedKinds, TextsWhoseStatisticsCannotBeRoundedUp) {
  std::string largest;
  for (int i = 0; i < 40; ++i) absl::StrAppend(&largest, "\xF4\x8F\xBF\xBF");  // U+10FFFF.
  Check({{"key", {TypeKind::kString}}}, {"\"" + largest + "\"", "\"" + largest + "a\"", R"("b")"});
}

TEST_F(KeyedKinds, Decimals) {
  Check({{"key", {TypeKind::kDecimal, 9, 2}}}, {R"("-1.50")", R"("0.00")", R"("1234567.89")"});
  Check({{"key", {TypeKind::kDecimal, 38, 0}}},
        {R"("1")", R"("99999999999999999999999999999999999999")"});
}

TEST_F(KeyedKinds, DatesTimesAndBooleans) {
  Check({{"key", {TypeKind::kDate}}}, {R"("1969-12-31")", R"("1970-01-01")", R"("2024-01-05")"});
  Check({{"key", {TypeKind::kTimestamp}}},
        {R"("1969-12-31 23:59:59.999999")", R"("2013-01-01 05:00:00")",
         R"("2013-01-01 05:00:00.000001")"});
  Check({{"key", {TypeKind::kBoolean}}}, {"true", "false"});
}

TEST_F(KeyedKinds, SeveralColumns) {
  Check({{"a", {TypeKind::kString}}, {"b", {TypeKind::kString}}},
        {R"("ab", "c")", R"("a", "bc")", R"("", "abc")", R"("abc", "")"});
  Check({{"a", {TypeKind::kLong}}, {"b", {TypeKind::kDate}}, {"c", {TypeKind::kString}}},
        {R"(1, "2013-01-02", "x")", R"(2, "2013-01-01", "x")", R"(1, "2013-01-02", "y")"});
}

}  // namespace
}  // namespace headwater
