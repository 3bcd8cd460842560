#include "worker/source/range_query.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

int64_t At(absl::string_view text) { return *ParseWallClock(text); }

RangeQuery QueryOf(CursorType type, Extent extent, int64_t domain_end = kMax) {
  RangeQuery query;
  query.relation = "public.flights";
  query.expressions = {"\"a\"", "\"b\""};
  query.cursor = CursorColumn{"at", type, ' '};
  query.extent = extent;
  query.domain_end = domain_end;
  query.tag = "jfk/flights#17";
  return query;
}

std::string Sql(DialectKind kind, const RangeQuery& query) {
  const auto sql = BuildRangeQuery(DialectOf(kind), query);
  return sql.ok() ? *sql : std::string(sql.status().message());
}

TEST(RangeQuery, ARangeIsHalfOpenInTheColumnsOwnType) {
  const Extent day{Range{At("2013-01-01 05:00:00"), At("2013-01-02 05:00:00.250000")}, false};
  EXPECT_EQ(Sql(DialectKind::kPostgres, QueryOf(CursorType::kWallClock, day)),
            "/* headwater jfk/flights#17 */ SELECT \"a\", \"b\" FROM \"public\".\"flights\" WHERE "
            "\"at\" >= TIMESTAMP '2013-01-01 05:00:00' AND "
            "\"at\" < TIMESTAMP '2013-01-02 05:00:00.25'");
  EXPECT_THAT(Sql(DialectKind::kPostgres, QueryOf(CursorType::kInstant, day)),
              HasSubstr("\"at\" >= TIMESTAMPTZ '2013-01-01 05:00:00+00'"));
  EXPECT_THAT(Sql(DialectKind::kSqlite, QueryOf(CursorType::kWallClock, day)),
              HasSubstr("\"at\" >= '2013-01-01 05:00:00' AND \"at\" < '2013-01-02 05:00:00.25'"));
  EXPECT_THAT(Sql(DialectKind::kSqlServer, QueryOf(CursorType::kWallClock, day)),
              HasSubstr("[at] >= CAST('2013-01-01T05:00:00' AS datetime2(7))"));
  EXPECT_THAT(Sql(DialectKind::kMariaDb, QueryOf(CursorType::kWallClock, day)),
              HasSubstr("`at` >= TIMESTAMP '2013-01-01 05:00:00'"));
}

TEST(RangeQuery, DatesAndIntegersHaveLiteralsOfTheirOwn) {
  const Extent extent{Range{-1, 15'706}, false};
  EXPECT_THAT(Sql(DialectKind::kPostgres, QueryOf(CursorType::kDate, extent)),
              HasSubstr("\"at\" >= DATE '1969-12-31' AND \"at\" < DATE '2013-01-01'"));
  EXPECT_THAT(Sql(DialectKind::kSqlite, QueryOf(CursorType::kInteger, extent)),
              HasSubstr("\"at\" >= -1 AND \"at\" < 15706"));
}

TEST(RangeQuery, OutsideIsNullOrBeyondTheDomain) {
  EXPECT_THAT(
      Sql(DialectKind::kPostgres, QueryOf(CursorType::kInteger, Extent{std::nullopt, true}, 100)),
      ::testing::EndsWith("WHERE \"at\" IS NULL OR \"at\" >= 100"));
  EXPECT_THAT(
      Sql(DialectKind::kPostgres, QueryOf(CursorType::kInteger, Extent{Range{1, 5}, true}, 100)),
      ::testing::EndsWith("WHERE (\"at\" >= 1 AND \"at\" < 5) OR \"at\" IS NULL OR \"at\" >= 100"));
  EXPECT_THAT(
      Sql(DialectKind::kPostgres, QueryOf(CursorType::kInteger, Extent{std::nullopt, true})),
      ::testing::EndsWith("WHERE \"at\" IS NULL"));
}

TEST(RangeQuery, OutsideRowsThatAreLeftOutAreNotAskedFor) {
  RangeQuery query = QueryOf(CursorType::kInteger, Extent{std::nullopt, true}, 100);
  query.null_rows = false;
  EXPECT_THAT(Sql(DialectKind::kPostgres, query), ::testing::EndsWith("WHERE \"at\" >= 100"));
  query.future_rows = false;
  EXPECT_THAT(Sql(DialectKind::kPostgres, query), ::testing::EndsWith("WHERE 1 = 0"));
  query.null_rows = true;
  EXPECT_THAT(Sql(DialectKind::kPostgres, query), ::testing::EndsWith("WHERE \"at\" IS NULL"));
  query.extent.range = Range{1, 5};
  query.null_rows = false;
  EXPECT_THAT(Sql(DialectKind::kPostgres, query),
              ::testing::EndsWith("WHERE (\"at\" >= 1 AND \"at\" < 5) OR 1 = 0"));
}

TEST(RangeQuery, ABoundThatCannotBeWrittenIsNoBound) {
  const Extent open{Range{At("2013-01-01 00:00:00"), kMax - 1}, false};
  EXPECT_THAT(Sql(DialectKind::kSqlite, QueryOf(CursorType::kWallClock, open)),
              ::testing::EndsWith("WHERE \"at\" >= '2013-01-01 00:00:00'"));
  const Extent all{Range{std::numeric_limits<int64_t>::min(), kMax}, false};
  EXPECT_THAT(Sql(DialectKind::kSqlite, QueryOf(CursorType::kInteger, all)),
              ::testing::EndsWith("WHERE \"at\" IS NOT NULL"));
}

TEST(RangeQuery, AWholeDatasetHasNoCondition) {
  EXPECT_THAT(Sql(DialectKind::kSqlite, QueryOf(CursorType::kNone, Extent{Range{0, 1}, false})),
              ::testing::EndsWith("FROM \"public\".\"flights\""));
}

TEST(RangeQuery, NoNameOrTagEscapesItsQuotes) {
  RangeQuery query = QueryOf(CursorType::kInteger, Extent{Range{0, 1}, false});
  query.tag = "x */ DROP TABLE y; /*";
  query.cursor.name = "a\" OR 1=1 --";
  const std::string sql = Sql(DialectKind::kPostgres, query);
  EXPECT_THAT(sql, HasSubstr("/* headwater x _/ DROP TABLE y_ /_ */ SELECT"));
  EXPECT_THAT(sql, HasSubstr("\"a\"\" OR 1=1 --\" >= 0"));
}

TEST(RangeQuery, NamesThatTheServerWouldCutAreRefused) {
  const Dialect& postgres = DialectOf(DialectKind::kPostgres);
  EXPECT_TRUE(QuoteIdentifier(postgres, std::string(63, 'a')).ok());
  for (const std::string& name : {std::string(64, 'a'), std::string(), std::string("a\0b", 3)}) {
    EXPECT_EQ(QuoteIdentifier(postgres, name).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(QuoteRelation(postgres, "a.b.c.d").ok());
  EXPECT_FALSE(QuoteRelation(postgres, "a..b").ok());
}

TEST(RangeQuery, AProbeAsksEachQuestionInASubselectOfItsOwn) {
  const auto sql = BuildProbeQuery(DialectOf(DialectKind::kSqlite), "f",
                                   CursorColumn{"n", CursorType::kInteger, ' '},
                                   /*extremes=*/true, 9, {{3, 9}}, "probe");
  EXPECT_EQ(*sql,
            "/* headwater probe */ SELECT (SELECT MIN(\"n\") FROM \"f\" WHERE \"n\" < 9), "
            "(SELECT MAX(\"n\") FROM \"f\" WHERE \"n\" < 9), "
            "(SELECT COUNT(*) FROM \"f\" WHERE \"n\" IS NULL), "
            "(SELECT COUNT(*) FROM \"f\" WHERE \"n\" >= 9), "
            "(SELECT COUNT(*) FROM \"f\" WHERE \"n\" >= 3 AND \"n\" < 9), "
            "(SELECT MAX(\"n\") FROM \"f\" WHERE \"n\" >= 3 AND \"n\" < 9)");
}

}  // namespace
}  // namespace headwater
