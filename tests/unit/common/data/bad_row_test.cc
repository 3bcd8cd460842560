#include "common/data/bad_row.h"

#include <gtest/gtest.h>

#include <string>

namespace headwater {
namespace {

using Text = std::optional<absl::string_view>;

TEST(RowJson, EveryValueHasATextOfItsOwn) {
  RowJson row;
  row.Add("id", Text("5"));
  row.Add("a \"b\"\n", Text("\x01 \\ \xc3\xb8"));
  row.Add("none", std::nullopt);
  row.Add("empty", Text(""));
  row.Add("bytes", Text(absl::string_view("\x00\xff", 2)));
  EXPECT_EQ(row.Text(),
            "{\"id\":\"5\",\"a \\\"b\\\"\\u000a\":\"\\u0001 \\\\ \xc3\xb8\","
            "\"none\":null,\"empty\":\"\",\"bytes\":{\"hex\":\"00ff\"}}");
  EXPECT_EQ(RowJson().Text(), "{}");
}

TEST(BadRow, WhatIsHashedCoversEveryColumnAndNotItsAttempt) {
  const BadRow row{"price", R"({"id":"5"})", "NaN", "expected", R"({"id":"5","n":"a"})", 7};
  BadRow other = row;
  other.row = R"({"id":"5","n":"b"})";
  EXPECT_EQ(HashedText(row), "bad row\nprice\n{\"id\":\"5\",\"n\":\"a\"}");
  EXPECT_NE(HashedText(row), HashedText(other));
}

TEST(BadRow, AMessageNamesColumnKeyAndValueAndIsShort) {
  BadRow row{"price", R"({"id":"5"})", "NaN", "expected a decimal(10,2)", "{}", std::nullopt};
  EXPECT_EQ(Describe(row),
            R"(column 'price' holds 'NaN' in the row {"id":"5"}: expected a decimal(10,2))");
  row.value = std::string(1'000'000, 'x');
  EXPECT_LT(Describe(row).size(), 200u);
}

TEST(Quarantine, IsNamedAfterItsTable) {
  EXPECT_EQ(QuarantineName("/lake/deals"), "/lake/deals__quarantine");
  EXPECT_EQ(ShownText("a\xff"), "x'61ff'");
}

}  // namespace
}  // namespace headwater
