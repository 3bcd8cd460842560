#include "common/data/system_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace headwater {
namespace {

// Of each column, whose it is.
std::vector<SystemColumn> MarksOf(const Schema& schema) {
  std::vector<SystemColumn> marks;
  for (const Column& column : schema.columns) marks.push_back(column.system);
  return marks;
}

Schema Named(const std::vector<std::string>& names) {
  Schema schema;
  for (const std::string& name : names) schema.columns.push_back({name, {TypeKind::kString}});
  return schema;
}

TEST(SystemColumns, EachHasAKeyANameAndNoOthers) {
  const SystemColumns names;
  std::set<std::string> seen;
  for (const auto& [column, key] : SystemColumnKeys()) {
    EXPECT_NE(column, SystemColumn::kNone);
    EXPECT_FALSE(names.NameOf(column).empty()) << key;
    EXPECT_TRUE(seen.insert(key).second) << key;
  }
  EXPECT_EQ(seen.size(), 9u);
  EXPECT_EQ(names.NameOf(SystemColumn::kDeletedAt), "_hw_deleted_at");
}

TEST(SystemColumns, AreMarkedByTheNamesThatTheyHave) {
  SystemColumns names;
  names.loaded_at = "loaded";
  names.microbatch = "";
  Schema schema = Named({"", "loaded", "_hw_loaded_at", "_hw_microbatch", "_hw_row_hash"});
  MarkSystemColumns(names, schema);
  EXPECT_THAT(MarksOf(schema), ::testing::ElementsAre(SystemColumn::kNone, SystemColumn::kLoadedAt,
                                                      SystemColumn::kNone, SystemColumn::kNone,
                                                      SystemColumn::kRowHash));
  EXPECT_EQ(FindSystemColumn(schema, SystemColumn::kRowHash), 4);
  EXPECT_EQ(FindSystemColumn(schema, SystemColumn::kMicrobatch), -1);
}

TEST(SystemColumns, OfEarlyTablesAreThoseThatTheyHad) {
  Schema schema = Named(
      {"id", "valid_from", "_hw_loaded_at", "_hw_microbatch", "_hw_row_hash", "server_source"});
  MarkUnmarked(schema);
  EXPECT_THAT(MarksOf(schema),
              ::testing::ElementsAre(SystemColumn::kNone, SystemColumn::kNone,
                                     SystemColumn::kLoadedAt, SystemColumn::kMicrobatch,
                                     SystemColumn::kNone, SystemColumn::kServerSource));
}

TEST(SystemColumns, OfTablesThatSayItAreJustThose) {
  Schema schema = Named({"origin", "server_source", "_hw_loaded_at"});
  schema.columns[0].system = SystemColumn::kServerSource;
  MarkUnmarked(schema);
  EXPECT_THAT(MarksOf(schema), ::testing::ElementsAre(SystemColumn::kServerSource,
                                                      SystemColumn::kNone, SystemColumn::kNone));
}

}  // namespace
}  // namespace headwater
