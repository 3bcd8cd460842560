#include "common/base/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace headwater {
namespace {

TEST(Glob, WithoutSignsIsTheTextItself) {
  EXPECT_TRUE(GlobMatches("jfk", "jfk"));
  EXPECT_FALSE(GlobMatches("jfk", "jf"));
  EXPECT_FALSE(GlobMatches("jfk", "jfk2"));
  EXPECT_FALSE(GlobMatches("jfk", "JFK"));
}

TEST(Glob, AQuestionMarkIsExactlyOneCharacter) {
  EXPECT_TRUE(GlobMatches("p?", "p1"));
  EXPECT_FALSE(GlobMatches("p?", "p"));
  EXPECT_FALSE(GlobMatches("p?", "p12"));
}

TEST(Glob, AStarIsAnyRunAlsoAnEmptyOne) {
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("p*", "p"));
  EXPECT_TRUE(GlobMatches("*_pg", "crm_pg"));
  EXPECT_TRUE(GlobMatches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(GlobMatches("a*b*c", "a-b-b-"));
  EXPECT_TRUE(GlobMatches("a**", "a"));
}

TEST(Glob, TheEmptyOneMatchesOnlyTheEmptyText) {
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_FALSE(GlobMatches("", "a"));
}

TEST(Glob, SignsInTheTextAreOrdinaryCharacters) {
  EXPECT_TRUE(GlobMatches("a*", "a*b"));
  EXPECT_FALSE(GlobMatches("ab", "a?"));
}

TEST(Glob, ManyStarsDoNotTakeForever) {
  std::string glob;
  for (int i = 0; i < 40; ++i) glob += "a*";
  EXPECT_FALSE(GlobMatches(glob + "b", std::string(2'000, 'a')));
}

}  // namespace
}  // namespace headwater
