#include "common/data/schema_drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr SchemaPolicy kPolicies[] = {SchemaPolicy::kEvolve, SchemaPolicy::kFreeze,
                                      SchemaPolicy::kIgnore};

ColumnType Type(absl::string_view text) { return *ParseType(text); }

Column Col(const std::string& name, absl::string_view type, bool nullable = true) {
  return {name, Type(type), nullable};
}

std::vector<ColumnType> AllTypes() {
  std::vector<ColumnType> types;
  for (const char* name : {"boolean", "byte", "short", "integer", "long", "float", "double",
                           "string", "binary", "date", "timestamp", "timestamp_ntz"}) {
    types.push_back(Type(name));
  }
  for (const auto& [precision, scale] : {std::pair(1, 0),
                                         {3, 0},
                                         {5, 0},
                                         {5, 2},
                                         {9, 2},
                                         {10, 0},
                                         {12, 2},
                                         {18, 4},
                                         {19, 0},
                                         {20, 2},
                                         {22, 4},
                                         {38, 0},
                                         {38, 2},
                                         {38, 4},
                                         {38, 38}}) {
    types.push_back({TypeKind::kDecimal, precision, scale});
  }
  return types;
}

std::string Shown(const Schema& schema) {
  std::string text;
  for (const Column& column : schema.columns) {
    text += column.name + " " + TypeToString(column.type) + (column.nullable ? ", " : "!, ");
  }
  return text;
}

absl::StatusOr<SchemaPlan> Plan(const Schema& table, const Schema& source, SchemaPolicy policy) {
  return PlanSchema(table, source, policy, {"at", "id"});
}

std::string Refusal(const Schema& table, const Schema& source, SchemaPolicy policy) {
  const auto plan = Plan(table, source, policy);
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(plan.status().message());
}

TEST(SchemaDrift, TypesWidenWhereFilesOfBothAreReadAsTheyAre) {
  const auto widened = [](absl::string_view a, absl::string_view b) {
    const auto type = WidenedType(Type(a), Type(b));
    return type.has_value() ? TypeToString(*type) : "none";
  };
  EXPECT_EQ(widened("byte", "short"), "short");
  EXPECT_EQ(widened("integer", "long"), "long");
  EXPECT_EQ(widened("long", "byte"), "long");
  EXPECT_EQ(widened("float", "double"), "double");
  EXPECT_EQ(widened("decimal(9,2)", "decimal(18,2)"), "decimal(18,2)");
  for (const auto& [a, b] : {std::pair("decimal(9,2)", "decimal(18,4)"),
                             {"integer", "double"},
                             {"integer", "decimal(18,0)"},
                             {"date", "timestamp_ntz"},
                             {"timestamp", "timestamp_ntz"},
                             {"long", "string"},
                             {"string", "binary"},
                             {"boolean", "byte"}}) {
    EXPECT_EQ(widened(a, b), "none") << a << " " << b;
  }
}

TEST(SchemaDrift, WideningIsALeastUpperBound) {
  for (const ColumnType& a : AllTypes()) {
    EXPECT_EQ(WidenedType(a, a), a);
    for (const ColumnType& b : AllTypes()) {
      const auto ab = WidenedType(a, b);
      EXPECT_EQ(ab, WidenedType(b, a)) << TypeToString(a) << " " << TypeToString(b);
      if (!ab.has_value()) continue;
      EXPECT_TRUE(Converts(a, *ab) && Converts(b, *ab)) << TypeToString(a) << TypeToString(b);
      for (const ColumnType& c : AllTypes()) {
        const auto bc = WidenedType(b, c);
        if (!bc.has_value()) continue;
        EXPECT_EQ(WidenedType(*ab, c), WidenedType(a, *bc));
      }
    }
  }
}

TEST(SchemaDrift, ConversionLosesNothingAndChains) {
  const auto converts = [](absl::string_view a, absl::string_view b) {
    return Converts(Type(a), Type(b));
  };
  EXPECT_TRUE(converts("integer", "double"));
  EXPECT_FALSE(converts("long", "double"));
  EXPECT_TRUE(converts("long", "decimal(19,0)"));
  EXPECT_FALSE(converts("long", "decimal(18,0)"));
  EXPECT_FALSE(converts("long", "decimal(20,2)"));
  EXPECT_TRUE(converts("decimal(9,2)", "decimal(11,4)"));
  EXPECT_FALSE(converts("decimal(9,2)", "decimal(10,4)"));
  EXPECT_FALSE(converts("decimal(9,2)", "decimal(38,0)"));
  EXPECT_FALSE(converts("decimal(9,0)", "double"));
  EXPECT_FALSE(converts("long", "integer"));
  EXPECT_FALSE(converts("double", "float"));
  EXPECT_FALSE(converts("date", "timestamp_ntz"));
  EXPECT_FALSE(converts("integer", "string"));
  for (const ColumnType& a : AllTypes()) {
    EXPECT_TRUE(Converts(a, a));
    for (const ColumnType& b : AllTypes()) {
      EXPECT_TRUE(a == b || !(Converts(a, b) && Converts(b, a)));
      for (const ColumnType& c : AllTypes()) {
        const bool chained = Converts(a, b) && Converts(b, c);
        EXPECT_TRUE(!chained || Converts(a, c)) << TypeToString(a) << " " << TypeToString(c);
      }
    }
  }
}

TEST(SchemaDrift, ATableWithoutColumnsTakesTheSources) {
  const Schema source{{Col("id", "long", false), Col("at", "timestamp")}};
  for (const SchemaPolicy policy : kPolicies) {
    const auto plan = Plan({}, source, policy);
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(Shown(plan->table), "id long, at timestamp, ");
    EXPECT_EQ(plan->rows, source);
    EXPECT_THAT(plan->notices, IsEmpty());
  }
}

TEST(SchemaDrift, ColumnsAreMatchedByNameWhateverTheirOrder) {
  const Schema table{{Col("id", "long"), Col("a", "string"), Col("at", "timestamp")}};
  const Schema source{{Col("at", "timestamp"), Col("id", "integer", false), Col("a", "string")}};
  for (const SchemaPolicy policy : kPolicies) {
    const auto plan = Plan(table, source, policy);
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(plan->table, table);
    EXPECT_EQ(Shown(plan->rows), "id long!, a string, at timestamp, ");
    EXPECT_THAT(plan->notices, IsEmpty());
  }
}

TEST(SchemaDrift, ANewColumnGoesByThePolicy) {
  const Schema table{{Col("id", "long"), Col("at", "timestamp")}};
  const Schema source{{Col("n", "decimal(9,2)", false), Col("id", "long"), Col("at", "timestamp")}};
  const auto evolved = Plan(table, source, SchemaPolicy::kEvolve);
  ASSERT_TRUE(evolved.ok()) << evolved.status();
  EXPECT_EQ(Shown(evolved->table), "id long, at timestamp, n decimal(9,2), ");
  EXPECT_EQ(Shown(evolved->rows), "id long, at timestamp, n decimal(9,2)!, ");
  EXPECT_THAT(evolved->notices, ElementsAre(HasSubstr("column n (decimal(9,2)) is new")));

  const auto ignored = Plan(table, source, SchemaPolicy::kIgnore);
  ASSERT_TRUE(ignored.ok()) << ignored.status();
  EXPECT_EQ(ignored->table, table);
  EXPECT_EQ(ignored->rows, table);
  EXPECT_THAT(ignored->notices, ElementsAre(HasSubstr("not loaded (on_schema_change: ignore)")));

  const std::string refusal = Refusal(table, source, SchemaPolicy::kFreeze);
  EXPECT_THAT(refusal, HasSubstr("column n (decimal(9,2)) is new"));
  EXPECT_THAT(refusal, HasSubstr("Set on_schema_change: evolve"));
}

TEST(SchemaDrift, ADroppedColumnTurnsNullUnlessItIsNeeded) {
  const Schema table{{Col("id", "long"), Col("a", "string"), Col("at", "timestamp")}};
  const Schema without_a{{Col("id", "long", false), Col("at", "timestamp")}};
  for (const SchemaPolicy policy : kPolicies) {
    const auto plan = Plan(table, without_a, policy);
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(plan->table, table);
    EXPECT_EQ(Shown(plan->rows), "id long!, a string, at timestamp, ");
    EXPECT_THAT(plan->notices, ElementsAre(HasSubstr("column a is not in the source")));
    EXPECT_THAT(Refusal(table, {{Col("a", "string"), Col("at", "timestamp")}}, policy),
                HasSubstr("column id, the cursor or a key, is gone from the source"));
  }
}

TEST(SchemaDrift, ATypeWidensButNotWhereColumnsAreFrozen) {
  const Schema table{{Col("id", "integer"), Col("at", "date"), Col("p", "decimal(10,4)")}};
  const Schema source{{Col("id", "long"), Col("at", "date"), Col("p", "decimal(12,2)")}};
  for (const SchemaPolicy policy : {SchemaPolicy::kEvolve, SchemaPolicy::kIgnore}) {
    const auto plan = Plan(table, source, policy);
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(Shown(plan->table), "id long, at date, p decimal(14,4), ");
    EXPECT_THAT(plan->notices, ElementsAre(HasSubstr("integer widens to long"),
                                           HasSubstr("widens to decimal(14,4)")));
  }
  const std::string refusal = Refusal(table, source, SchemaPolicy::kFreeze);
  EXPECT_THAT(refusal, HasSubstr("column id is integer in the table and long in the source"));
  EXPECT_THAT(refusal, HasSubstr("column p is decimal(10,4) in the table"));
}

TEST(SchemaDrift, AnythingElseIsRefusedWithEveryDifference) {
  const Schema table{{Col("id", "long"), Col("at", "timestamp"), Col("name", "string"),
                      Col("p", "decimal(38,2)"), Col("d", "date")}};
  const Schema source{{Col("id", "string"), Col("at", "timestamp_ntz"), Col("Name", "string"),
                       Col("p", "decimal(38,0)"), Col("d", "date"), Col("fine", "long")}};
  for (const SchemaPolicy policy : {SchemaPolicy::kEvolve, SchemaPolicy::kIgnore}) {
    const std::string refusal = Refusal(table, source, policy);
    EXPECT_THAT(refusal, HasSubstr("column id is long in the table and string in the source; "));
    EXPECT_THAT(refusal, HasSubstr("column at is timestamp in the table"));
    EXPECT_THAT(refusal, HasSubstr("column name of the table is written Name in the source"));
    EXPECT_THAT(refusal, HasSubstr("column p is decimal(38,2) in the table"));
    EXPECT_THAT(refusal, Not(HasSubstr("fine")));
    EXPECT_THAT(refusal, Not(HasSubstr("column d ")));
    EXPECT_THAT(refusal, HasSubstr("Mend the source"));
    EXPECT_THAT(refusal, HasSubstr("read the column as text or no longer (columns: cast)"));
  }
}

TEST(SchemaDrift, EveryPairOfTypesIsConvertedWidenedOrRefused) {
  for (const ColumnType& has : AllTypes()) {
    for (const ColumnType& found : AllTypes()) {
      const Schema table{{{"c", has, true}}};
      const Schema source{{{"c", found, true}}};
      const auto plan = PlanSchema(table, source, SchemaPolicy::kEvolve, {});
      if (!plan.ok()) {
        EXPECT_FALSE(Converts(found, has));
        EXPECT_FALSE(WidenedType(has, found).has_value());
        continue;
      }
      const ColumnType& type = plan->table.columns[0].type;
      EXPECT_TRUE(Converts(found, type)) << TypeToString(found) << " " << TypeToString(type);
      // The commit finds the same: files of the old type stay as they are.
      const auto joined = JoinSchemas(table, plan->rows);
      ASSERT_TRUE(joined.ok()) << joined.status();
      EXPECT_EQ(*joined, plan->table);
      EXPECT_EQ(plan->notices.empty(), type == has);
      const auto frozen = PlanSchema(table, source, SchemaPolicy::kFreeze, {});
      EXPECT_EQ(frozen.ok(), type == has);
    }
  }
}

TEST(SchemaDrift, ServersMayBeJoinedInAnyOrder) {
  const std::vector<Schema> servers = {
      {{Col("id", "integer"), Col("a", "float")}},
      {{Col("b", "string"), Col("id", "long")}},
      {{Col("c", "decimal(9,2)"), Col("id", "short"), Col("a", "double")}},
      {{Col("c", "decimal(12,2)"), Col("b", "string")}}};
  std::vector<int> order = {0, 1, 2, 3};
  do {
    Schema table;
    for (const int server : order) {
      const auto joined = JoinSchemas(table, servers[server]);
      ASSERT_TRUE(joined.ok()) << joined.status();
      table = *joined;
    }
    std::sort(table.columns.begin(), table.columns.end(),
              [](const Column& x, const Column& y) { return x.name < y.name; });
    EXPECT_EQ(Shown(table), "a double, b string, c decimal(12,2), id long, ");
    for (const Schema& server : servers) EXPECT_EQ(*JoinSchemas(table, server), table);
  } while (std::next_permutation(order.begin(), order.end()));
  const auto refused = JoinSchemas(servers[0], {{Col("ID", "long"), Col("a", "string")}});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("column id of the table is written ID in the source; column a is float"));
}

}  // namespace
}  // namespace headwater
