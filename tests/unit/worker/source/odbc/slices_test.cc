#include "worker/source/odbc/slices.h"

#include "gtest/gtest.h"

namespace headwater {
namespace {

SliceColumn Number(const char* quoted) { return {.quoted = quoted, .is_number = true}; }

TEST(Slices, TheFirstBeginsAnywhereAndTheNextBehindTheLastRow) {
  RangeQuery query;
  query.relation = "a.t";
  query.expressions = {"`v`"};
  query.tag = "tag";
  const SliceOrder order{.columns = {Number("`id`")}, .index = "PRIMARY"};
  const Dialect& dialect = DialectOf(DialectKind::kMariaDb);
  EXPECT_EQ(
      *SliceSql(dialect, query, order, {}, 10),
      "/* headwater tag */ SELECT `v`, CAST(`id` AS CHAR) FROM `a`.`t` FORCE INDEX (`PRIMARY`) "
      "ORDER BY `id` LIMIT 10");
  EXPECT_EQ(
      *SliceSql(dialect, query, order, {"7"}, 10),
      "/* headwater tag */ SELECT `v`, CAST(`id` AS CHAR) FROM `a`.`t` FORCE INDEX (`PRIMARY`) "
      "WHERE `id` >= 7 AND ((`id` > 7)) ORDER BY `id` LIMIT 10");
}

TEST(Slices, AColumnThatIsSelectedIsNotAskedForTwice) {
  RangeQuery query;
  query.relation = "t";
  query.expressions = {"`id`", "`v`"};
  SliceOrder order{.columns = {Number("`id`"), Number("`n`")}, .index = "PRIMARY"};
  order.columns[0].selected = true;
  EXPECT_EQ(*SliceSql(DialectOf(DialectKind::kMariaDb), query, order, {}, 10),
            "/* headwater */ SELECT `id`, `v`, CAST(`n` AS CHAR) FROM `t` FORCE INDEX (`PRIMARY`) "
            "ORDER BY `id`, `n` LIMIT 10");
}

TEST(Slices, KeysOfManyColumnsAreComparedInTheirOrderAndWithinTheRange) {
  RangeQuery query;
  query.relation = "deals";
  query.expressions = {"`v`"};
  query.cursor.name = "number";
  query.cursor.type = CursorType::kInteger;
  query.extent = Extent{Range{1, 9}, false};
  const SliceOrder order{
      .columns = {Number("`number`"),
                  {.quoted = "`s`", .charset = "utf8mb4", .collation = "utf8mb4_bin"},
                  {.quoted = "`b`", .is_binary = true}},
      .index = "i`x"};
  EXPECT_EQ(*SliceSql(DialectOf(DialectKind::kMariaDb), query, order, {"7", "C3B8", ""}, 1),
            "/* headwater */ SELECT `v`, CAST(`number` AS CHAR), HEX(`s`), HEX(`b`) FROM `deals` "
            "FORCE INDEX (`i``x`) WHERE (`number` >= 1 AND `number` < 9) AND `number` >= 7 AND "
            "((`number` > 7) OR "
            "(`number` = 7 AND `s` > _utf8mb4 x'C3B8' COLLATE utf8mb4_bin) OR "
            "(`number` = 7 AND `s` = _utf8mb4 x'C3B8' COLLATE utf8mb4_bin AND `b` > x'')) "
            "ORDER BY `number`, `s`, `b` LIMIT 1");
}

}  // namespace
}  // namespace headwater
