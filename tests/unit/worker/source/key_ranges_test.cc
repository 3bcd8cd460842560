#include "worker/source/key_ranges.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Dialect& Postgres() { return DialectOf(DialectKind::kPostgres); }

KeyColumn Key(const ColumnType& type, const std::string& source_type) {
  return {.column = {"k", type, true}, .source_type = source_type};
}
const KeyColumn kLong = Key({TypeKind::kLong}, "bigint");

RangeQuery Whole() {
  RangeQuery query;
  query.relation = "events";
  return query;
}

AnswerRows AnswerOf(const std::vector<std::string>& values) {
  AnswerRows rows;
  for (const std::string& value : values) rows.push_back({value});
  return rows;
}

TEST(KeyRanges, OnlyKeysThatEveryServerOrdersAlikeDivide) {
  EXPECT_TRUE(OrdersAlike(Postgres(), kLong));
  EXPECT_TRUE(OrdersAlike(Postgres(), Key({TypeKind::kTimestamp}, "timestamp with time zone")));
  EXPECT_TRUE(OrdersAlike(Postgres(), Key({TypeKind::kString}, "uuid")));
  EXPECT_TRUE(OrdersAlike(Postgres(), Key({TypeKind::kDecimal, 9, 2}, "numeric(9,2)")));
  EXPECT_FALSE(OrdersAlike(Postgres(), Key({TypeKind::kDecimal, 19, 2}, "money")));
  EXPECT_FALSE(OrdersAlike(Postgres(), Key({TypeKind::kString}, "text")));
  EXPECT_FALSE(OrdersAlike(Postgres(), Key({TypeKind::kDouble}, "double precision")));
  EXPECT_FALSE(OrdersAlike(DialectOf(DialectKind::kMariaDb), Key({TypeKind::kString}, "uuid")))
      << "it begins with the clock's last digits there";
  const KeyColumn text = Key({TypeKind::kString}, "text");
  EXPECT_EQ(BordersFrom(Postgres(), text, {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(BuildPartChecksumQuery(Postgres(), Whole(), {{kLong.column, "bigint"}}, text, {})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(KeyRanges, TheFirstColumnOfAKeyThatOrdersAlikeIsTaken) {
  Selection selection;
  const auto add = [&](const std::string& name, ColumnType type, bool as_text) {
    SourceColumn column;
    column.column = Column{name, type, true};
    column.type_name = "bigint";
    column.as_text = as_text;
    selection.columns.push_back(column);
    selection.schema.columns.push_back(column.column);
  };
  add("name", {TypeKind::kString}, false);
  add("cast", {TypeKind::kLong}, true);
  add("id", {TypeKind::kLong}, false);
  EXPECT_EQ(RangeKeyOf(Postgres(), selection, {"gone", "name", "cast", "id"})->column.name, "id");
  EXPECT_FALSE(RangeKeyOf(Postgres(), selection, {"name"}).has_value());
}

TEST(KeyRanges, BordersAscendAndAreWhatAColumnHolds) {
  EXPECT_THAT(*BordersFrom(Postgres(), kLong, AnswerOf({"-5", "7", "7", "6", "x", "9"})),
              ElementsAre("-5", "7", "9"));
  AnswerRows with_null = AnswerOf({"1"});
  with_null.push_back({std::nullopt});
  EXPECT_THAT(*BordersFrom(Postgres(), kLong, with_null), ElementsAre("1"));
  EXPECT_THAT(*BordersFrom(Postgres(), Key({TypeKind::kDate}, "date"),
                           AnswerOf({"0044-03-15 BC", "2013-01-01", "10000-01-01"})),
              ElementsAre("2013-01-01"));
  EXPECT_THAT(*BordersFrom(Postgres(), Key({TypeKind::kDecimal, 9, 2}, "numeric(9,2)"),
                           AnswerOf({"-1.50", "-1.5", "NaN"})),
              ElementsAre("-1.50"));
}

TEST(KeyRanges, BordersAreValuesOfATablesWiderColumn) {
  EXPECT_THAT(*KeyValuesOf({TypeKind::kDecimal, 20, 4}, {"-1.50"}),
              ElementsAre(KeyValue(__int128{-15'000})));
  EXPECT_THAT(*KeyValuesOf({TypeKind::kDate}, {"1970-01-02"}), ElementsAre(KeyValue(__int128{1})));
  EXPECT_EQ(KeyValuesOf({TypeKind::kLong}, {"1.5"}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(KeyValuesOf({TypeKind::kDouble}, {"1.5"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(KeyRanges, PartsAreToldApartByAsFewComparisonsAsCanBe) {
  const auto sql = BuildPartChecksumQuery(Postgres(), Whole(), {{kLong.column, "bigint"}}, kLong,
                                          {"1", "2", "3"});
  ASSERT_TRUE(sql.ok()) << sql.status();
  EXPECT_THAT(*sql, HasSubstr("CASE WHEN \"k\" IS NULL THEN 0 ELSE CASE WHEN \"k\" < 2 THEN CASE "
                              "WHEN \"k\" < 1 THEN 0 ELSE 1 END ELSE CASE WHEN \"k\" < 3 THEN 2 "
                              "ELSE 3 END END END AS part"));
  std::vector<std::string> many;
  for (int i = 0; i < kMaxKeyParts - 1; ++i) many.push_back(std::to_string(i));
  const auto most =
      BuildPartChecksumQuery(Postgres(), Whole(), {{kLong.column, "bigint"}}, kLong, many);
  ASSERT_TRUE(most.ok()) << most.status();
  int depth = 0, deepest = 0;
  for (size_t at = 0; at < most->size(); ++at) {
    if (most->compare(at, 5, "CASE ") == 0) deepest = std::max(deepest, ++depth);
    if (most->compare(at, 4, " END") == 0) --depth;
  }
  EXPECT_LE(deepest, 10) << "SQL Server takes no more";
  many.push_back("9999");
  EXPECT_EQ(BuildPartChecksumQuery(Postgres(), Whole(), {{kLong.column, "bigint"}}, kLong, many)
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  for (const int parts : {1, kMaxKeyParts + 1}) {
    EXPECT_EQ(BuildBordersQuery(Postgres(), Whole(), kLong, parts).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(KeyRanges, PartsWithoutRowsAreNotInTheAnswerAndSumToNothing) {
  const auto sums = ParsePartChecksums({{"0", "2", "2", "-1"}, {"2", "1", "1", "7"}}, 3);
  ASSERT_TRUE(sums.ok()) << sums.status();
  EXPECT_THAT(*sums, ElementsAre(RowChecksum{2, ~uint64_t{0}}, RowChecksum{}, RowChecksum{1, 7}));
  const std::vector<AnswerRows> wrong = {
      {{"3", "1", "1", "7"}}, {{"-1", "1", "1", "7"}}, {{std::nullopt, "1", "1", "7"}},
      {{"0", "1", "1"}},      {{"0", "2", "1", "7"}},  {std::vector<std::optional<std::string>>()}};
  for (const AnswerRows& answer : wrong) {
    EXPECT_EQ(ParsePartChecksums(answer, 3).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(KeyRanges, TheBestUniqueKeyIsTheFirst) {
  EXPECT_THAT(BestUniqueKey({{"p", "a"}, {"p", "b"}, {"q", "c"}}), ElementsAre("a", "b"));
  EXPECT_THAT(BestUniqueKey({}), IsEmpty());
  EXPECT_THAT(*UniqueKeysSql(DialectOf(DialectKind::kSqlite), "events"), IsEmpty());
}

}  // namespace
}  // namespace headwater
