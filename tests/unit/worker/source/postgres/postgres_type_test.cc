#include "worker/source/postgres/postgres_type.h"

#include <set>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

std::string TypeText(const PostgresTypeName& name) {
  return TypeToString(TypeOfPostgres(name).type);
}

// pg_attribute.atttypmod of numeric(precision, scale).
int Modifier(int precision, int scale) { return ((precision << 16) | (scale & 0x7FF)) + 4; }

TEST(PostgresType, EveryTypeHasOneRule) {
  std::set<absl::string_view> names;
  for (const PostgresRule& rule : PostgresRules()) {
    EXPECT_TRUE(names.insert(rule.name).second) << rule.name << " has two";
    EXPECT_FALSE(rule.select.empty());
  }
  EXPECT_EQ(PostgresRules().back().name, "*");
}

TEST(PostgresType, ATypeWithoutARuleIsTextAndKnownToBe) {
  const PostgresType type = TypeOfPostgres({.name = "tsvector"});
  EXPECT_TRUE(type.unknown());
  EXPECT_EQ(SelectedAs(type, "\"a$0b\""), "\"a$0b\"::text");
  EXPECT_TRUE(TypeOfPostgres({.name = ""}).unknown());
  EXPECT_FALSE(TypeOfPostgres({.name = "int4"}).unknown());
}

TEST(PostgresType, WhatIsDecodedIsNotCastToText) {
  for (const PostgresRule& rule : PostgresRules()) {
    EXPECT_TRUE(rule.shape == WireShape::kText || !absl::StrContains(rule.select, "text"))
        << rule.name;
  }
}

TEST(PostgresType, AnyColumnButBytesCanBeReadAsText) {
  const auto selected = [](const PostgresTypeName& name, WireShape shape) {
    const PostgresType type = AsText(TypeOfPostgres(name));
    EXPECT_EQ(TypeToString(type.type), "string") << name.name;
    EXPECT_EQ(type.rule->shape, shape) << name.name;
    return SelectedAs(type, "v");
  };
  EXPECT_EQ(selected({"numeric", Modifier(10, 2)}, WireShape::kNumericText), "v");
  EXPECT_EQ(selected({.name = "money"}, WireShape::kNumericText), "v::numeric");
  EXPECT_EQ(selected({.name = "timestamptz"}, WireShape::kText), "v::text");
  EXPECT_EQ(selected({.name = "bool"}, WireShape::kText), "v::text");
  // What is text anyway is read as ever: a cast would cut the blanks of a char(n).
  EXPECT_EQ(selected({.name = "bpchar"}, WireShape::kText), "v");
  EXPECT_EQ(selected({.name = "uuid"}, WireShape::kUuid), "v");
}

TEST(PostgresType, ANumericIsADecimalWhereThirtyEightDigitsHoldIt) {
  const auto numeric = [](int precision, int scale) {
    return TypeText({.name = "numeric", .modifier = Modifier(precision, scale)});
  };
  EXPECT_EQ(numeric(18, 6), "decimal(18,6)");
  EXPECT_EQ(numeric(38, 38), "decimal(38,38)");
  EXPECT_EQ(numeric(38, 0), "decimal(38,0)");
  EXPECT_EQ(numeric(39, 0), "string");
  EXPECT_EQ(numeric(5, -2), "decimal(7,0)");
  EXPECT_EQ(numeric(30, -9), "string");
  EXPECT_EQ(numeric(2, 4), "decimal(4,4)");
  EXPECT_EQ(numeric(2, 40), "string");
  EXPECT_EQ(TypeText({.name = "numeric"}), "string");
  EXPECT_EQ(TypeText({.name = "money"}), "decimal(19,2)");
}

}  // namespace
}  // namespace headwater
