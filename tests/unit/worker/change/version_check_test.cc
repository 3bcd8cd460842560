#include "worker/change/version_check.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/change/history_text.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Versions = std::vector<Version>;

// "kind: rows: sentence" of each problem.
std::vector<std::string> Found(const Versions& versions, HistoryRead read = HistoryRead::kRanges) {
  std::vector<std::string> found;
  for (const VersionProblem& problem : CheckVersions(versions, {read})) {
    found.push_back(absl::StrCat(absl::StrJoin(problem.rows, ","), ": ", problem.text));
  }
  EXPECT_EQ(IsSound(versions, read), found.empty());
  return found;
}

// The versions after their repair, and what was said of it.
struct Repaired {
  std::string text;
  std::vector<std::string> notes;
};

Repaired Mended(const Versions& versions, HistoryRead read = HistoryRead::kRanges) {
  const RepairResult result = RepairVersions(versions, {read});
  Versions after;
  for (size_t i = 0; i < versions.size(); ++i) {
    const VersionChange& change = result.plan.changes[i];
    if (change.kind == VersionChange::Kind::kDrop) continue;
    after.push_back(change.kind == VersionChange::Kind::kKeep ? versions[i]
                                                              : With(versions[i], change.times));
  }
  Repaired repaired{TextOf(absl::MakeConstSpan(after)), {}};
  for (const RepairNote& note : result.notes) {
    repaired.notes.push_back(absl::StrCat(note.row, ": ", note.text));
  }
  return repaired;
}

TEST(CheckVersions, FindsNothingInASoundHistoryInAnyOrder) {
  EXPECT_THAT(Found({Sound('B', 4), Sound('A', 1, 4, {2, 3})}), IsEmpty());
  EXPECT_THAT(Found({}), IsEmpty());
}

TEST(CheckVersions, FindsVersionsThatHoldAtOnce) {
  EXPECT_THAT(Found({Sound('B', 4), Sound('A', 1, 5)}),
              ElementsAre("1,0: the version that begins at 1 ends at 5, but another begins at 4"));
}

TEST(CheckVersions, FindsAllThatALongVersionCovers) {
  EXPECT_THAT(Found({Sound('A', 1, 9), Sound('B', 4, 6), Sound('C', 6, 9), Sound('D', 9)}),
              ElementsAre("0,1: the version that begins at 1 ends at 9, but another begins at 4",
                          "0,2: the version that begins at 1 ends at 9, but another begins at 6"));
}

TEST(CheckVersions, FindsHolesOnlyWhereRangesAreRead) {
  const Versions away = {Sound('A', 1, 3), Sound('B', 4)};
  EXPECT_THAT(Found(away), ElementsAre("0,1: no version holds from 3 to 4"));
  EXPECT_THAT(Found(away, HistoryRead::kWhole), IsEmpty());
}

TEST(CheckVersions, FindsThatNoVersionIsCurrentOnlyWhereRangesAreRead) {
  EXPECT_THAT(Found({Sound('A', 1, 3)}), ElementsAre("0: no version holds from 3 on"));
  EXPECT_THAT(Found({Sound('A', 1, 3)}, HistoryRead::kWhole), IsEmpty());
}

TEST(CheckVersions, FindsTheHoleThatATurnedRoundVersionLeaves) {
  EXPECT_THAT(Found({Sound('A', 1, 4), Sound('B', 4, 2), Sound('C', 6)}),
              ElementsAre("1: the version that begins at 4 ends at 2, which is not after its begin",
                          "0,2: no version holds from 4 to 6"));
}

TEST(CheckVersions, FindsTwoCurrentVersions) {
  EXPECT_THAT(Found({Sound('A', 1), Sound('B', 4)}),
              ElementsAre("0,1: the versions that begin at 1 and at 4 are both marked current",
                          "0,1: the version that begins at 1 has no end, but another begins at 4"));
}

TEST(CheckVersions, FindsACurrentVersionWithAnEnd) {
  EXPECT_THAT(Found({{1, 4, true, HashOf('A')}}, HistoryRead::kWhole),
              ElementsAre("0: the version that begins at 1 is marked current, but ends at 4"));
}

TEST(CheckVersions, FindsAVersionWithoutAnEndThatIsNotCurrent) {
  EXPECT_THAT(Found({{1, std::nullopt, false, HashOf('A')}}),
              ElementsAre("0: the version that begins at 1 has no end, but is not marked current"));
}

TEST(CheckVersions, FindsVersionsThatAreEmptyOrTurnedRound) {
  EXPECT_THAT(
      Found({Sound('A', 1, 1), Sound('B', 4, 3), Sound('C', 5)}, HistoryRead::kWhole),
      ElementsAre("0: the version that begins at 1 ends at 1, which is not after its begin",
                  "1: the version that begins at 4 ends at 3, which is not after its begin"));
}

TEST(CheckVersions, FindsVersionsThatBeginTogether) {
  EXPECT_THAT(Found({Sound('A', 1, 4), Sound('A', 1, 4), Sound('B', 4)}),
              ElementsAre("0,1: two versions begin at 1, with the same content"));
  EXPECT_THAT(Found({Sound('A', 1, 4), Sound('C', 1, 4), Sound('B', 4)}),
              ElementsAre("0,1: two versions begin at 1, with different contents"));
}

TEST(CheckVersions, FindsConfirmationsThatCannotBe) {
  Version unreadable = Sound('A', 1);
  unreadable.confirmed_readable = false;
  EXPECT_THAT(Found({unreadable}),
              ElementsAre("0: the confirmations of the version that begins at 1 cannot be read"));
  const std::string is = "0: the version that begins at 1 is confirmed at ";
  EXPECT_THAT(Found({Sound('A', 1, std::nullopt, {1})}),
              ElementsAre(is + "1, which is not after its begin"));
  EXPECT_THAT(Found({Sound('A', 1, std::nullopt, {3, 2})}),
              ElementsAre(is + "2, which does not follow the confirmation before it"));
  EXPECT_THAT(Found({Sound('A', 1, std::nullopt, {3, 3})}), SizeIs(1));
  EXPECT_THAT(Found({Sound('A', 1, 4, {3, 4})}, HistoryRead::kWhole),
              ElementsAre(is + "4, but ends at 4"));
}

TEST(CheckVersions, WritesInstantsAsItIsTold) {
  CheckOptions options;
  options.instant_text = [](int64_t at) { return absl::StrCat("day ", at); };
  EXPECT_EQ(CheckVersions({Sound('A', 1, 3)}, options)[0].text, "no version holds from day 3 on");
}

TEST(RepairVersions, LeavesASoundHistoryAsItIs) {
  const Versions sound = {Sound('B', 4), Sound('A', 1, 4, {2, 3})};
  EXPECT_TRUE(RepairVersions(sound, {}).plan.ChangesNothing());
  EXPECT_THAT(RepairVersions(sound, {}).notes, IsEmpty());
}

TEST(RepairVersions, EndsAVersionWhereTheNextBegins) {
  const Repaired repaired =
      Mended({Sound('A', 1, 9), {4, 5, true, HashOf('B')}, Sound('C', 6, 2), Sound('D', 7, 9)});
  EXPECT_EQ(repaired.text, "A 1-4 | B 4-6 | C 6-7 | D 7-");
  EXPECT_THAT(repaired.notes,
              ElementsAre("0: patch the version that begins at 1: it ends at 4 (9 before)",
                          "1: patch the version that begins at 4: it ends at 6 (5 before), "
                          "it is not current",
                          "2: patch the version that begins at 6: it ends at 7 (2 before)",
                          "3: patch the version that begins at 7: it has no end (9 before), "
                          "it is current"));
}

TEST(RepairVersions, KeepsTheHolesOfWholeReads) {
  EXPECT_EQ(
      Mended({Sound('A', 1, 3), Sound('B', 4, 4), Sound('C', 6, 9)}, HistoryRead::kWhole).text,
      "A 1-3 | B 4-6 | C 6-9");
  EXPECT_EQ(
      Mended({Sound('A', 1, 7), Sound('B', 4), {6, 9, true, HashOf('C')}}, HistoryRead::kWhole)
          .text,
      "A 1-4 | B 4-6 | C 6-9");
}

TEST(RepairVersions, DropsExactDuplicatesAndKeepsWhatTheyConfirm) {
  const Repaired repaired =
      Mended({Sound('A', 1, 4, {2}), Sound('A', 1, 4, {3, 8}), Sound('B', 4)});
  EXPECT_EQ(repaired.text, "A 1-4 +2 +3 | B 4-");
  EXPECT_THAT(repaired.notes,
              ElementsAre("1: drop: another row begins at 1 with the same content",
                          "0: patch the version that begins at 1: its confirmations are 2 (1 "
                          "before)"));
}

TEST(RepairVersions, KeepsWhatWasWrittenLaterOfRowsThatBeginTogether) {
  Version early = Sound('Z', 1, std::nullopt, {3}), late = Sound('A', 1);
  early.fence = 5;
  late.fence = 7;
  const Repaired repaired = Mended({early, late});
  EXPECT_EQ(repaired.text, "A 1-");
  EXPECT_THAT(repaired.notes, ElementsAre("0: drop: another row begins at 1 with other content and "
                                          "was written later (fence 7, this one 5)"));
}

TEST(RepairVersions, SaysWhereItCannotTellWhichRowIsTheLaterOne) {
  const Repaired repaired = Mended({Sound('B', 1), Sound('A', 1)});
  EXPECT_EQ(repaired.text, "B 1-");
  EXPECT_EQ(Mended({Sound('A', 1), Sound('B', 1)}).text, "B 1-");
  EXPECT_THAT(repaired.notes,
              ElementsAre("1: drop: another row begins at 1 with other content; both have fence 0, "
                          "so neither is known to be the later one, and the greater hash stays"));
}

TEST(RepairVersions, SortsConfirmationsAndDropsThoseThatCannotBe) {
  EXPECT_EQ(Mended({Sound('A', 1, 6, {5, 3, 3, 1, 8}), Sound('B', 6)}).text, "A 1-6 +3 +5 | B 6-");
  Version unreadable = Sound('A', 1);
  unreadable.confirmed_readable = false;
  const Repaired repaired = Mended({unreadable});
  EXPECT_EQ(repaired.text, "A 1-");
  EXPECT_THAT(repaired.notes,
              ElementsAre("0: patch the version that begins at 1: its confirmations "
                          "are 0 (unreadable before)"));
}

}  // namespace
}  // namespace headwater
