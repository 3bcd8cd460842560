#include "worker/source/odbc/json_row.h"

#include "gtest/gtest.h"

namespace headwater {
namespace {

using Kind = JsonValue::Kind;

TEST(JsonRow, KeepsEachValuesStorageClass) {
  JsonRow row;
  std::vector<JsonValue> values;
  ASSERT_TRUE(row.Append(R"([1,-2.5,"a",null,"",1.0e+20,Inf,"1"])", values));
  ASSERT_EQ(values.size(), 8u);
  const Kind kinds[] = {Kind::kInteger, Kind::kReal, Kind::kText, Kind::kNull,
                        Kind::kText,    Kind::kReal, Kind::kReal, Kind::kText};
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i].kind, kinds[i]) << i;
  EXPECT_EQ(values[2].text, "a");
}

TEST(JsonRow, UndoesEscapesAndKeepsNul) {
  JsonRow row;
  std::vector<JsonValue> values;
  ASSERT_TRUE(row.Append(R"(["a\u0000b","\"],[\\","\n\t","é"])", values));
  ASSERT_EQ(values.size(), 4u);
  EXPECT_EQ(values[0].text, absl::string_view("a\0b", 3));
  EXPECT_EQ(values[1].text, "\"],[\\");
  EXPECT_EQ(values[2].text, "\n\t");
  EXPECT_EQ(values[3].text, "é");
}

TEST(JsonRow, RefusesWhatIsNotAnArrayOfScalars) {
  for (const char* bad : {"", "[", "1", "[1", "[\"a]", "[1,]", "[,1]", "[\"\\x\"]", "[\"a\"1]"}) {
    JsonRow row;
    std::vector<JsonValue> values;
    EXPECT_FALSE(row.Append(bad, values)) << bad;
  }
}

}  // namespace
}  // namespace headwater
