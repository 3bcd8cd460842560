// Random sound histories, broken at random: checks find it, repairs make it right, and merges
// refuse it. HEADWATER_HISTORY_SEEDS sets how many, HEADWATER_HISTORY_SEED repeats one.
#include <algorithm>
#include <random>
#include <set>

#include "gtest/gtest.h"
#include "tests/unit/worker/change/history_text.h"
#include "worker/change/version_check.h"
#include "worker/change/version_merge.h"

namespace headwater {
namespace {

using Kind = VersionChange::Kind;
using Versions = std::vector<Version>;

constexpr int kInstants = 16;
constexpr int64_t kHistories = 6'000;

// A history, and the ways in which people break one.
class BrokenHistory {
 public:
  explicit BrokenHistory(int64_t seed)
      : random_(static_cast<unsigned>(seed)),
        read(Below(2) == 0 ? HistoryRead::kRanges : HistoryRead::kWhole) {
    std::set<int64_t> instants;
    for (int left = Below(8); left > 0; --left) instants.insert(Below(kInstants));
    for (auto at = instants.begin(); at != instants.end();) {
      Version version = Sound(static_cast<char>('A' + Below(3)), *at++);
      version.fence = Below(4);
      if (read == HistoryRead::kRanges) {
        while (at != instants.end() && Below(3) == 0) version.confirmed.push_back(*at++);
      }
      if (at != instants.end()) version.valid_to = *at;
      if (read == HistoryRead::kWhole && Below(3) == 0) version.valid_to = EndBefore(version);
      version.is_current = !version.valid_to.has_value();
      versions.push_back(version);
    }
    std::shuffle(versions.begin(), versions.end(), random_);
  }

  // Only what follows from begins and contents.
  void BreakEnds() {
    for (int left = 1 + Below(3); left > 0 && !versions.empty(); --left) {
      Version& version = versions[static_cast<size_t>(Below(static_cast<int>(versions.size())))];
      switch (Below(4)) {
        case 0:
          version.valid_to = Below(kInstants);
          break;
        case 1:
          version.valid_to.reset();
          break;
        case 2:
          version.is_current = !version.is_current;
          break;
        default:
          versions.push_back(Version(version));
      }
    }
  }

  void BreakAnything() {
    BreakEnds();
    for (int left = Below(3); left > 0 && !versions.empty(); --left) {
      const size_t at = static_cast<size_t>(Below(static_cast<int>(versions.size())));
      Version& version = versions[at];
      switch (Below(5)) {
        case 0:
          version.valid_from = Below(kInstants);
          break;
        case 1:
          version.hash = HashOf(static_cast<char>('A' + Below(3)));
          break;
        case 2:
          version.confirmed.push_back(Below(kInstants));
          break;
        case 3:
          version.confirmed.clear();
          version.confirmed_readable = false;
          break;
        default:
          versions.erase(versions.begin() + static_cast<ptrdiff_t>(at));
      }
    }
  }

  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

 private:
  int64_t EndBefore(const Version& version) {
    const int64_t limit = version.valid_to.value_or(kInstants + 1);
    return version.valid_from + 1 + Below(static_cast<int>(limit - version.valid_from));
  }

  std::mt19937 random_;

 public:
  const HistoryRead read;
  Versions versions;
};

Versions Applied(const VersionPlan& plan, const Versions& versions) {
  Versions after;
  EXPECT_EQ(plan.changes.size(), versions.size());
  EXPECT_TRUE(plan.inserted.empty());
  for (size_t i = 0; i < versions.size(); ++i) {
    const VersionChange& change = plan.changes[i];
    if (change.kind == Kind::kDrop) continue;
    after.push_back(change.kind == Kind::kKeep ? versions[i] : With(versions[i], change.times));
  }
  return after;
}

// Whether a history is as it must be, instant by instant.
bool SoundByInstants(const Versions& versions, HistoryRead read) {
  int64_t first = kInstants;
  std::set<int64_t> begins;
  for (const Version& version : versions) {
    if (!begins.insert(version.valid_from).second || !version.confirmed_readable) return false;
    if (version.is_current == version.valid_to.has_value()) return false;
    if (version.valid_to.has_value() && *version.valid_to <= version.valid_from) return false;
    if (std::set<int64_t>(version.confirmed.begin(), version.confirmed.end()).size() !=
            version.confirmed.size() ||
        !std::is_sorted(version.confirmed.begin(), version.confirmed.end())) {
      return false;
    }
    for (const int64_t at : version.confirmed) {
      if (at <= version.valid_from || at >= version.valid_to.value_or(kInstants)) return false;
    }
    first = std::min(first, version.valid_from);
  }
  for (int64_t at = first; at < kInstants + 4; ++at) {
    const auto holding = std::count_if(versions.begin(), versions.end(), [&](const Version& v) {
      return v.valid_from <= at && (!v.valid_to.has_value() || at < *v.valid_to);
    });
    const bool missing = read == HistoryRead::kRanges && holding == 0 && !versions.empty();
    if (holding > 1 || missing) return false;
  }
  return true;
}

class RandomBreakage : public testing::Test {
 protected:
  template <typename Body>
  void ForEachSeed(Body body) {
    const auto [first, end] = HistorySeeds(kHistories);
    for (int64_t seed = first; seed < end; ++seed) {
      SCOPED_TRACE(absl::StrCat("HEADWATER_HISTORY_SEED=", seed));
      BrokenHistory history(seed);
      SCOPED_TRACE(TextOf(absl::MakeConstSpan(history.versions)));
      ASSERT_TRUE(IsSound(history.versions, history.read));
      ASSERT_TRUE(RepairVersions(history.versions, {history.read}).plan.ChangesNothing());
      ASSERT_NO_FATAL_FAILURE(body(history));
      if (HasFailure()) return;
    }
  }
};

TEST_F(RandomBreakage, IsFoundWhereAHistoryIsNotAsItMustBe) {
  int broken = 0;
  ForEachSeed([&](BrokenHistory& history) {
    history.BreakAnything();
    const bool sound = SoundByInstants(history.versions, history.read);
    ASSERT_EQ(IsSound(history.versions, history.read), sound)
        << TextOf(absl::MakeConstSpan(history.versions));
    const auto problems = CheckVersions(history.versions, {history.read});
    ASSERT_EQ(problems.empty(), sound);
    for (const VersionProblem& problem : problems) {
      ASSERT_FALSE(problem.text.empty());
      for (const int row : problem.rows) {
        ASSERT_TRUE(row >= 0 && row < static_cast<int>(history.versions.size()));
      }
    }
    broken += sound ? 0 : 1;
  });
  EXPECT_GT(broken, 0);
}

TEST_F(RandomBreakage, IsRepairedAtOnceAndForGood) {
  ForEachSeed([](BrokenHistory& history) {
    history.BreakAnything();
    const bool sound = IsSound(history.versions, history.read);
    const RepairResult repair = RepairVersions(history.versions, {history.read});
    ASSERT_EQ(repair.plan.ChangesNothing(), sound);
    const Versions after = Applied(repair.plan, history.versions);
    const std::string text = TextOf(absl::MakeConstSpan(after));
    ASSERT_TRUE(SoundByInstants(after, history.read)) << text;
    ASSERT_TRUE(CheckVersions(after, {history.read}).empty()) << text;
    ASSERT_TRUE(RepairVersions(after, {history.read}).plan.ChangesNothing()) << text;

    std::set<int> told, changed;
    for (const RepairNote& note : repair.notes) told.insert(note.row);
    for (size_t i = 0; i < repair.plan.changes.size(); ++i) {
      if (repair.plan.changes[i].kind != Kind::kKeep) changed.insert(static_cast<int>(i));
    }
    ASSERT_EQ(told, changed);
    ASSERT_EQ(repair.notes.size(), told.size()) << "one note for each row";
  });
}

TEST_F(RandomBreakage, OfEndsIsUndoneExactlyWhereRangesAreRead) {
  ForEachSeed([](BrokenHistory& history) {
    if (history.read != HistoryRead::kRanges) return;
    const std::string before = TextOf(absl::MakeConstSpan(history.versions));
    history.BreakEnds();
    const RepairResult repair = RepairVersions(history.versions, {history.read});
    ASSERT_EQ(TextOf(absl::MakeConstSpan(Applied(repair.plan, history.versions))), before);
  });
}

TEST_F(RandomBreakage, DoesNotShowWhereItsRowsLie) {
  ForEachSeed([](BrokenHistory& history) {
    history.BreakAnything();
    const auto repaired = [&] {
      const RepairResult repair = RepairVersions(history.versions, {history.read});
      return TextOf(absl::MakeConstSpan(Applied(repair.plan, history.versions)));
    };
    const std::string text = repaired();
    std::reverse(history.versions.begin(), history.versions.end());
    ASSERT_EQ(repaired(), text);
  });
}

TEST_F(RandomBreakage, IsRefusedByMerges) {
  ForEachSeed([](BrokenHistory& history) {
    history.BreakAnything();
    const Observation seen{history.Below(kInstants), HashOf('B'), 0};
    const MergeResult result =
        MergeVersions(history.versions, {seen}, {.read = history.read, .read_at = 5});
    ASSERT_EQ(result.outcome, IsSound(history.versions, history.read)
                                  ? MergeResult::Outcome::kMerged
                                  : MergeResult::Outcome::kBroken);
  });
}

}  // namespace
}  // namespace headwater
