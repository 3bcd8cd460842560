#include "worker/compare/row_matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Schema kSchema{{{"id", {TypeKind::kLong}}, {"name", {TypeKind::kString}}}};

class RowMatcherTest : public ::testing::Test {
 protected:
  Manifest Match(const std::string& table, const std::string& source,
                 const std::vector<std::string>& unique, const Schema& compared = kSchema) {
    auto matcher = RowMatcher::Create(DatasetSpec(), kSchema, unique, compared);
    EXPECT_TRUE(matcher.ok()) << matcher.status();
    EXPECT_TRUE(matcher->AddTable(*BatchOf(kSchema, table)).ok());
    EXPECT_TRUE(matcher->AddSource(*BatchOf(kSchema, source)).ok());
    same_sum_ = matcher->table() == matcher->source();
    Manifest manifest;
    matcher->Finish(manifest);
    return manifest;
  }

  bool same_sum_ = false;
};

using Kind = Difference::Kind;

TEST_F(RowMatcherTest, ARowIsMissingOrTooMuchOrOther) {
  const Manifest found =
      Match(R"([[1, "a"], [2, "b"], [3, "c"]])", R"([[3, "x"], [1, "a"], [4, "d"]])", {"id"});
  EXPECT_THAT(found.differences, ElementsAre(Difference{Kind::kContent, "id = 3"},
                                             Difference{Kind::kNotInTable, "id = 4"},
                                             Difference{Kind::kNotInSource, "id = 2"}));
  EXPECT_EQ(found.rows_different, 3);
  EXPECT_FALSE(same_sum_);
}

TEST_F(RowMatcherTest, EqualRowsInAnotherOrderDoNotDiffer) {
  const Manifest found = Match(R"([[1, "a"], [2, null]])", R"([[2, null], [1, "a"]])", {"id"});
  EXPECT_THAT(found.differences, IsEmpty());
  EXPECT_EQ(found.rows_different, 0);
  EXPECT_TRUE(same_sum_);
}

TEST_F(RowMatcherTest, WithoutAKeyARowThatChangedIsTwo) {
  const Manifest found = Match(R"([[1, "a"], [1, "a"]])", R"([[1, "a"], [1, "b"]])", {});
  EXPECT_THAT(found.differences, ElementsAre(Difference{Kind::kNotInTable, "id = 1, name = b"},
                                             Difference{Kind::kNotInSource, "id = 1, name = a"}));
}

TEST_F(RowMatcherTest, ColumnsThatAreNotComparedMayDiffer) {
  const Schema compared{{kSchema.columns[0]}};
  EXPECT_THAT(Match(R"([[1, "a"]])", R"([[1, "b"]])", {"id"}, compared).differences, IsEmpty());
}

TEST_F(RowMatcherTest, MoreThanCanBeToldAreCounted) {
  std::string rows = "[";
  for (int i = 0; i < 250; ++i) rows += (i > 0 ? ", [" : "[") + std::to_string(i) + ", null]";
  const Manifest found = Match("[]", rows + "]", {"id"});
  EXPECT_THAT(found.differences, SizeIs(kMaxDifferences));
  EXPECT_EQ(found.rows_different, 250);
}

}  // namespace
}  // namespace headwater
