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
  EXPECT_FALSE(OrdersAlike(Postgres(), Key({TypeKind::kString}, "text"))) << "by its collation";
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
    column.type_name = type.kind == TypeKind::kString ? "text" : "bigint";
    column.as_text = as_text;
    selection.columns.push_back(column);
    selection.schema.columns.push_back(column.column);
  };
  add("name", {TypeKind::kString}, false);
  add("cast", {TypeKind::kLong}, true);
  add("id", {TypeKind::kLong}, false);
  EXPECT_EQ(RangeKeyOf(Postgres(), selection, {"gone", "name", "cast", "id"})->column.name, "id");
  const std::optional<KeyColumn> name = RangeKeyOf(Postgres(), selection, {"cast", "name"});
  ASSERT_TRUE(name.has_value()) << "without another, a text";
  EXPECT_EQ(name->column.name, "name");
  EXPECT_TRUE(name->by_bytes);
  selection.columns[0].type_name = "citext";
  EXPECT_FALSE(RangeKeyOf(Postgres(), selection, {"name"}).has_value());
}

KeyColumn ByBytes(const std::string& source_type) {
  KeyColumn key = Key({TypeKind::kString}, source_type);
  key.by_bytes = true;
  return key;
}

TEST(KeyRanges, TextsDivideByTheirBytesWhereTheServerComparesThemAndTheirTextIsKnown) {
  const Dialect& mariadb = DialectOf(DialectKind::kMariaDb);
  for (const char* type : {"text", "character varying(9)", "numeric", "time without time zone"})
    EXPECT_TRUE(OrdersAlike(Postgres(), ByBytes(type))) << type;
  for (const char* type : {"character(9)", "citext", "mood", "text[]"})
    EXPECT_FALSE(OrdersAlike(Postgres(), ByBytes(type))) << type;
  for (const char* type : {"char(9)", "varchar(9)", "longtext", "enum('a')", "uuid"})
    EXPECT_TRUE(OrdersAlike(mariadb, ByBytes(type))) << type;
  EXPECT_FALSE(OrdersAlike(mariadb, ByBytes("geometry")));
  EXPECT_FALSE(OrdersAlike(DialectOf(DialectKind::kSqlServer), ByBytes("varchar")));
  EXPECT_FALSE(OrdersAlike(DialectOf(DialectKind::kGeneric), ByBytes("text")));
  EXPECT_TRUE(OrdersAlike(DialectOf(DialectKind::kSqlite), ByBytes("TEXT")));
}

TEST(KeyRanges, NoTextEndsItsLiteral) {
  const std::vector<std::string> borders = {"it's", "\\' OR 1=1 --"};
  const auto split = [&](DialectKind kind, const char* type) {
    return *SplitByKey(DialectOf(kind), ByBytes(type), borders);
  };
  EXPECT_THAT(
      split(DialectKind::kPostgres, "character varying(3)"),
      ElementsAre("\"k\" COLLATE \"C\" < 'it''s' OR \"k\" IS NULL",
                  "\"k\" COLLATE \"C\" >= 'it''s' AND \"k\" COLLATE \"C\" < '\\'' OR 1=1 --'",
                  "\"k\" COLLATE \"C\" >= '\\'' OR 1=1 --'"));
  EXPECT_EQ(split(DialectKind::kPostgres, "numeric")[0],
            "CAST(\"k\" AS text) COLLATE \"C\" < 'it''s' OR \"k\" IS NULL");
  EXPECT_EQ(split(DialectKind::kMariaDb, "varchar(3)")[0],
            "CAST(CONVERT(`k` USING utf8mb4) AS BINARY) < X'69742773' OR `k` IS NULL");
  EXPECT_EQ(split(DialectKind::kSqlite, "varchar(3)")[0],
            "\"k\" COLLATE BINARY < 'it''s' OR \"k\" IS NULL");
  EXPECT_EQ(split(DialectKind::kSqlite, "uuid")[0],
            "CAST(\"k\" AS TEXT) COLLATE BINARY < 'it''s' OR \"k\" IS NULL")
      << "it may hold integers";
}

TEST(KeyRanges, TextsAreCutToBordersAndNoneIsMadeOfWhatServersRefuse) {
  EXPECT_EQ(TextBorder(""), "");
  EXPECT_EQ(TextBorder("Zo\u00eb \U0001F600"), "Zo\u00eb \U0001F600");
  EXPECT_EQ(TextBorder(std::string(2000, 'x')), std::string(kMaxBorderBytes, 'x'));
  const std::string odd = std::string(kMaxBorderBytes - 3, 'x');
  EXPECT_EQ(TextBorder(odd + "\U0001F600"), odd) << "no half of a character";
  EXPECT_EQ(TextBorder(odd + "\u8868"), odd + "\u8868");
  EXPECT_EQ(TextBorder("a\xff"), std::nullopt);
  EXPECT_EQ(TextBorder(std::string("a\0b", 3)), std::nullopt);
  EXPECT_THAT(*BordersFrom(Postgres(), ByBytes("text"),
                           AnswerOf({"", "B", "a", "a", "\xff", std::string(600, 'b'),
                                     std::string(601, 'b'), "\u00e9", "\uff41", "\U0001F600"})),
              ElementsAre("", "B", "a", std::string(kMaxBorderBytes, 'b'), "\u00e9", "\uff41",
                          "\U0001F600"))
      << "of two that are cut alike one is left";
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
  EXPECT_THAT(*UniqueKeysSql(DialectOf(DialectKind::kGeneric), "events"), IsEmpty());
}

}  // namespace
}  // namespace headwater
