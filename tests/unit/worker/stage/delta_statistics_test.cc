#include "worker/stage/delta_statistics.h"

#include <arrow/table.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/data/arrow_schema.h"
#include "tests/support/fake_source.h"
#include "tests/support/temp_folder.h"
#include "worker/stage/parquet_writer.h"

namespace headwater {
namespace {

TEST(TextBounds, ShortTextsAreTheirOwnBounds) {
  for (const char* text : {"", "a", "Zoë ✈ 🛫", "0123456789012345678901234567890\U0010ffff"}) {
    EXPECT_EQ(TextLowerBound(text), text);
    EXPECT_EQ(TextUpperBound(text), text);
  }
}

TEST(TextBounds, AMaximumThatIsCutIsRaisedInItsLastCodePoint) {
  const std::string head(31, 'x');
  EXPECT_EQ(TextLowerBound(head + "éz"), head + "é");
  EXPECT_EQ(TextUpperBound(head + "éz"), head + "ê");
  EXPECT_EQ(TextUpperBound(head + "\x7fz"), head + "\u0080");
  EXPECT_EQ(TextUpperBound(head + "\u07ffz"), head + "\u0800");
  EXPECT_EQ(TextUpperBound(head + "\ud7ffz"), head + "\ue000");  // Surrogates are no text.
  EXPECT_EQ(TextUpperBound(head + "\uffffz"), head + "\U00010000");
  EXPECT_EQ(TextUpperBound(head + "\U0010ffffz"), std::string(30, 'x') + "y");
}

TEST(TextBounds, NothingShortIsGreaterThanOnlyLastCodePoints) {
  std::string text;
  for (int i = 0; i < 33; ++i) text += "\U0010ffff";
  EXPECT_EQ(TextUpperBound(text), std::nullopt);
}

TEST(TextBounds, WhatIsNoUtf8HasNone) {
  for (const char* text : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xff", "a\xc3z"}) {
    EXPECT_EQ(TextLowerBound(text), std::nullopt);
    EXPECT_EQ(TextUpperBound(text), std::nullopt);
  }
}

TEST(MillisBounds, RoundOutwards) {
  EXPECT_EQ(MillisLowerBound(1'000), "1970-01-01T00:00:00.001");
  EXPECT_EQ(MillisUpperBound(1'000), "1970-01-01T00:00:00.001");
  EXPECT_EQ(MillisLowerBound(1'999), "1970-01-01T00:00:00.001");
  EXPECT_EQ(MillisUpperBound(1'001), "1970-01-01T00:00:00.002");
  EXPECT_EQ(MillisLowerBound(-1), "1969-12-31T23:59:59.999");
  EXPECT_EQ(MillisUpperBound(-1), "1970-01-01T00:00:00.000");
  constexpr int64_t kLastMicro = 253'402'300'799'999'999;  // Of the year 9999.
  EXPECT_EQ(MillisLowerBound(kLastMicro), "9999-12-31T23:59:59.999");
  EXPECT_EQ(MillisUpperBound(kLastMicro), "9999-12-31T23:59:59.999999");
  for (const int64_t end :
       {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(MillisLowerBound(end), std::nullopt);
    EXPECT_EQ(MillisUpperBound(end), std::nullopt);
  }
}

// ---- of files
// ------------------------------------------------------------------------------------

// Writes each text of `groups` (rows as BatchOf() takes them) as a row group.
rapidjson::Document StatisticsOf(const Schema& schema, const std::vector<std::string>& groups) {
  TempFolder folder;
  std::unique_ptr<ParquetWriter> writer;
  for (const std::string& rows : groups) {
    const auto table = *arrow::Table::FromRecordBatches({BatchOf(schema, rows)->arrow()});
    if (writer == nullptr) {
      writer = *ParquetWriter::Create(folder.path() + "/x.parquet", schema, *table);
    }
    EXPECT_TRUE(writer->WriteRowGroup(*table).ok());
  }
  const auto closed = writer->Close();
  EXPECT_TRUE(closed.ok()) << closed.status();
  rapidjson::Document json;
  json.Parse<rapidjson::kParseNumbersAsStringsFlag>(closed->stats_json.c_str());
  EXPECT_FALSE(json.HasParseError()) << closed->stats_json;
  return json;
}

Schema SchemaOf(const std::vector<std::string>& types) {
  Schema schema;
  for (const std::string& type : types) schema.columns.push_back({type, *ParseType(type)});
  return schema;
}

TEST(DeltaStatistics, WhatIsInDoubtLeavesOutAllBounds) {
  const Schema schema = SchemaOf({"boolean", "binary", "double", "float", "long", "string"});
  const auto json = StatisticsOf(schema, {R"([[true, "a", 1.5, 1.5, null, null]])",
                                          R"([[true, "a", "nan", "inf", null, null]])"});
  EXPECT_STREQ(json["numRecords"].GetString(), "2");
  EXPECT_FALSE(json.HasMember("minValues"));
  EXPECT_FALSE(json.HasMember("maxValues"));
  EXPECT_EQ(json["nullCount"].MemberCount(), 6u);
  EXPECT_STREQ(json["nullCount"]["long"].GetString(), "2");
  EXPECT_STREQ(json["nullCount"]["binary"].GetString(), "0");
}

TEST(DeltaStatistics, ARowGroupOfNullsDoesNotHideTheOthersBounds) {
  const auto json = StatisticsOf(SchemaOf({"long"}), {"[[null]]", "[[3], [null]]", "[[-4]]"});
  EXPECT_STREQ(json["minValues"]["long"].GetString(), "-4");
  EXPECT_STREQ(json["maxValues"]["long"].GetString(), "3");
  EXPECT_STREQ(json["nullCount"]["long"].GetString(), "2");
}

class DeltaStatisticsProperty : public ::testing::TestWithParam<uint32_t> {
 protected:
  int64_t Draw(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }

  std::string Text() {
    static const std::vector<std::string> kPoints = {
        "a",      "z",      "\x7f",   "\u0080", "é",          "\u07ff",     "\u0800",
        "\ud7ff", "\ue000", "\uffff", "✈",      "\U00010000", "\U0010ffff", "\U0010ffff"};
    std::string text;
    for (int64_t size = Draw(0, 40); size > 0; --size) text += kPoints[Draw(0, 13)];
    return text;
  }

  std::string Value(const std::string& type) {
    if (type == "byte") return absl::StrCat(Draw(-128, 127));
    if (type == "short") return absl::StrCat(Draw(-32768, 32767));
    if (type == "integer") return absl::StrCat(Draw(INT32_MIN, INT32_MAX));
    if (type == "long") return absl::StrCat(Draw(INT64_MIN, INT64_MAX));
    if (type == "float" || type == "double") return absl::StrCat(Draw(-1'000, 1'000), ".25");
    if (type == "string") return Text();
    std::string date =
        absl::StrFormat("%04d-%02d-%02d", Draw(1900, 2100), Draw(1, 12), Draw(1, 28));
    if (type == "date") return date;
    if (type.substr(0, 9) == "timestamp") {
      return absl::StrFormat("%s %02d:%02d:%02d.%06d", date, Draw(0, 23), Draw(0, 59), Draw(0, 59),
                             Draw(0, 3) == 0 ? 999'999 : Draw(0, 999'999));
    }
    return absl::StrFormat("%d.%02d", Draw(-9'999'999, 9'999'999), Draw(0, 99));  // A decimal.
  }

  // Orders two texts as values of `type`; bounds of times have a T and maybe a Z.
  static bool LessOrEqual(const std::string& type, std::string a, std::string b) {
    const ColumnType kind = *ParseType(type);
    if (kind.kind == TypeKind::kDecimal) {
      return *Decimal(a).Rescale(Scale(a), 9) <= *Decimal(b).Rescale(Scale(b), 9);
    }
    if (kind.kind == TypeKind::kFloat || kind.kind == TypeKind::kDouble) {
      return std::stod(a) <= std::stod(b);
    }
    for (std::string* text : {&a, &b}) {
      if (type.substr(0, 9) != "timestamp") break;
      std::replace(text->begin(), text->end(), 'T', ' ');
      if (text->back() == 'Z') text->pop_back();
    }
    const bool text = type == "string" || type == "date" || type.substr(0, 9) == "timestamp";
    return text ? a <= b : std::stoll(a) <= std::stoll(b);
  }
  static arrow::Decimal128 Decimal(const std::string& text) {
    return *arrow::Decimal128::FromString(text);
  }
  static int Scale(const std::string& text) {
    arrow::Decimal128 value;
    int32_t precision = 0, scale = 0;
    EXPECT_TRUE(arrow::Decimal128::FromString(text, &value, &precision, &scale).ok()) << text;
    return scale;
  }

  std::mt19937_64 random_{GetParam()};
};

TEST_P(DeltaStatisticsProperty, BoundsHoldEveryValueAndAreNoWiderThanTheirPrecision) {
  const std::vector<std::string> types = {
      "byte",      "short",         "integer",       "long",          "float",
      "double",    "decimal(9,2)",  "decimal(18,2)", "decimal(38,2)", "date",
      "timestamp", "timestamp_ntz", "string"};
  std::vector<std::vector<std::string>> values(types.size());
  std::vector<int> nulls(types.size());
  std::vector<std::string> groups;
  for (int group = 0; group < 3; ++group) {
    std::vector<std::string> rows;
    for (int row = 0; row < 8; ++row) {
      std::vector<std::string> cells;
      for (size_t i = 0; i < types.size(); ++i) {
        if (Draw(0, 4) == 0) {
          ++nulls[i];
          cells.push_back("null");
          continue;
        }
        values[i].push_back(Value(types[i]));
        // Numbers too: as JSON text they keep every digit on their way through BatchOf().
        cells.push_back(absl::StrCat("\"", values[i].back(), "\""));
      }
      rows.push_back(absl::StrCat("[", absl::StrJoin(cells, ","), "]"));
    }
    groups.push_back(absl::StrCat("[", absl::StrJoin(rows, ","), "]"));
  }
  const auto json = StatisticsOf(SchemaOf(types), groups);
  for (size_t i = 0; i < types.size(); ++i) {
    const std::string& type = types[i];
    SCOPED_TRACE(type);
    EXPECT_EQ(json["nullCount"][type.c_str()].GetString(), absl::StrCat(nulls[i]));
    ASSERT_TRUE(json["minValues"].HasMember(type.c_str()));
    const std::string min = json["minValues"][type.c_str()].GetString();
    const auto less = [&](const std::string& a, const std::string& b) {
      return !LessOrEqual(type, b, a);
    };
    const auto [lowest, highest] = std::minmax_element(values[i].begin(), values[i].end(), less);
    for (const std::string& value : values[i]) EXPECT_TRUE(LessOrEqual(type, min, value)) << min;
    const bool all_last = type == "string" && !TextUpperBound(*highest);
    ASSERT_EQ(json["maxValues"].HasMember(type.c_str()), !all_last);
    if (all_last) continue;
    const std::string max = json["maxValues"][type.c_str()].GetString();
    for (const std::string& value : values[i]) EXPECT_TRUE(LessOrEqual(type, value, max)) << max;
    if (type == "string") {
      EXPECT_EQ(min, TextLowerBound(*lowest));
      EXPECT_EQ(max, TextUpperBound(*highest));
    } else if (type.substr(0, 9) == "timestamp") {
      EXPECT_EQ(min.size(), type == "timestamp" ? 24u : 23u);
      EXPECT_TRUE(LessOrEqual(type, lowest->substr(0, 23), min)) << min << " " << *lowest;
    } else {
      EXPECT_TRUE(LessOrEqual(type, *lowest, min)) << min;
      EXPECT_TRUE(LessOrEqual(type, max, *highest)) << max;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DeltaStatisticsProperty, ::testing::Range(1u, 31u));

}  // namespace
}  // namespace headwater
