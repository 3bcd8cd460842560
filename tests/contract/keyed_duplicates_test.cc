// Rows of one read that have one key or none, in a keyed write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/keyed_fixture.h"

namespace headwater {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Schema kSchema = {
    {{"id", {TypeKind::kLong}}, {"name", {TypeKind::kString}}, {"at", {TypeKind::kLong}}}};

class KeyedDuplicates : public KeyedFixture {
 protected:
  KeyedDuplicates() : KeyedFixture(kSchema) {}

  std::vector<std::string> Table() const { return Rows({"id", "name"}); }
};

// What the error says.
std::string IsInvalid(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST_F(KeyedDuplicates, DuplicatesAreAnErrorThatNamesTheKey) {
  options_.dataset.key_columns = {"id", "name"};
  const std::string text = IsInvalid(Fails(R"([[1, "a", 0], [2, "b", 0], [1, "a", 0]])"));
  EXPECT_THAT(text, AllOf(HasSubstr("id = 1"), HasSubstr("name = a"), HasSubstr("dedup")));
  EXPECT_EQ(CountFiles(), 0);
}

TEST_F(KeyedDuplicates, DedupTakesTheLatestInWhateverOrderTheyCome) {
  options_.dataset.dedup_by = "at";
  EXPECT_EQ(
      CountsOf(LoadBatches({R"([[1, "a", 1], [1, "c", 3]])", R"([[1, "b", 2], [1, "n", null]])"})),
      "new 1 changed 0 same 0 deleted 0 duplicate 3");
  EXPECT_THAT(Table(), ElementsAre("1|c"));
  EXPECT_EQ(CountsOf(Load(R"([[1, "b", 2], [1, "c", 3]])")),
            "new 0 changed 0 same 1 deleted 0 duplicate 1");
  EXPECT_EQ(CountsOf(Load(R"([[1, "d", 4], [1, "c", 3]])")),
            "new 0 changed 1 same 0 deleted 0 duplicate 1");
  EXPECT_THAT(Table(), ElementsAre("1|d"));
}

TEST_F(KeyedDuplicates, DedupTakesOneOfEqualRows) {
  options_.dataset.dedup_by = "at";
  EXPECT_EQ(CountsOf(Load(R"([[1, "a", 1], [1, "a", 1]])")),
            "new 1 changed 0 same 0 deleted 0 duplicate 1");
}

TEST_F(KeyedDuplicates, EqualRanksThatDifferAreAnError) {
  options_.dataset.dedup_by = "at";
  const std::string text = IsInvalid(Fails(R"([[7, "a", 1], [7, "b", 1]])"));
  EXPECT_THAT(text, AllOf(HasSubstr("id = 7"), HasSubstr("cannot choose")));
  IsInvalid(Fails(R"([[7, "a", null], [7, "b", null]])"));
}

TEST_F(KeyedDuplicates, EqualRanksDoNotMatterBelowTheLatestInWhateverOrderTheyCome) {
  options_.dataset.dedup_by = "at";
  for (const char* rows :
       {R"([[7, "a", 1], [7, "c", 2], [7, "b", 1]])", R"([[7, "a", 1], [7, "b", 1], [7, "c", 2]])",
        R"([[7, "c", 2], [7, "a", 1], [7, "b", 1]])"}) {
    const auto manifest = Stage({rows});
    ASSERT_TRUE(manifest.ok()) << rows << ": " << manifest.status();
    EXPECT_EQ(manifest->keyed->duplicate_rows, 2) << rows;
  }
  IsInvalid(Fails(R"([[7, "c", 2], [7, "b", 1], [7, "d", 2]])"));
}

TEST_F(KeyedDuplicates, ANullInAKeyIsAnErrorThatNamesTheColumn) {
  options_.dataset.key_columns = {"id", "name"};
  const std::string text = IsInvalid(Fails(R"([[1, "a", 0], [2, null, 0]])"));
  EXPECT_THAT(text, AllOf(HasSubstr("'name' is NULL"), HasSubstr("id = 2")));
}

TEST_F(KeyedDuplicates, AKeyThatIsNotReadOrIsFloatingPointIsAnError) {
  options_.dataset.key_columns = {"tail"};
  EXPECT_THAT(IsInvalid(Fails("[]")), HasSubstr("'tail'"));
  options_.dataset.key_columns = {"id"};
  options_.source_schema.columns[0].type = {TypeKind::kDouble};
  EXPECT_THAT(IsInvalid(Fails("[]")), HasSubstr("floating point"));
}

TEST_F(KeyedDuplicates, ADedupColumnThatHasNoOrderIsAnError) {
  options_.dataset.dedup_by = "name";
  EXPECT_THAT(IsInvalid(Fails("[]")), HasSubstr("latest by name"));
  options_.dataset.dedup_by = "nobody";
  EXPECT_THAT(IsInvalid(Fails("[]")), HasSubstr("no such column"));
}

}  // namespace
}  // namespace headwater
