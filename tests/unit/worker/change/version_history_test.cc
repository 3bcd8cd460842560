// Random histories in every order and cut, against oracles that know nothing of plans.
// HEADWATER_HISTORY_SEEDS sets how many, HEADWATER_HISTORY_SEED repeats one.
#include <algorithm>
#include <functional>
#include <random>
#include <set>

#include "gtest/gtest.h"
#include "tests/unit/worker/change/history_oracle.h"
#include "tests/unit/worker/change/history_table.h"
#include "worker/change/version_check.h"

namespace headwater {
namespace {

using Seen = HistoryTable::Seen;
using Call = std::map<std::string, std::vector<Seen>>;  // By key.
using Outcome = MergeResult::Outcome;

constexpr int kInstants = 10;  // Few, so that ties, neighbours and splits are frequent.
constexpr int kContents = 3;
constexpr int64_t kHistories = 2'000;

class Dice {
 public:
  explicit Dice(int64_t seed) : random_(static_cast<unsigned>(seed)) {}
  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  char Content() { return static_cast<char>('A' + Below(kContents)); }
  template <typename T>
  void Shuffle(std::vector<T>& values) {
    std::shuffle(values.begin(), values.end(), random_);
  }

 private:
  std::mt19937 random_;
};

std::map<std::string, Contents> RandomHistories(Dice& dice) {
  std::map<std::string, Contents> histories;
  const int keys = 1 + dice.Below(3);
  for (int i = 0; i < keys; ++i) {
    Contents& contents = histories[absl::StrCat("key", i)];
    for (int left = 1 + dice.Below(12); left > 0; --left) {
      contents[dice.Below(kInstants)] = dice.Content();
    }
  }
  return histories;
}

void Take(HistoryTable& table, const Call& call) {
  for (const auto& [key, seen] : call) {
    ASSERT_EQ(table.Merge(key, seen, {}).outcome, Outcome::kMerged) << key;
  }
}

void ExpectHistories(const HistoryTable& table, const std::map<std::string, Contents>& histories) {
  ASSERT_EQ(table.rows().size(), histories.size());
  for (const auto& [key, contents] : histories) {
    ASSERT_EQ(table.TextOf(key), Oracle(contents)) << key;
    ASSERT_TRUE(IsSound(table.VersionsOf(key), HistoryRead::kRanges)) << key;
  }
}

void ForEachSeed(int64_t count, const std::function<void(Dice&)>& body) {
  const auto [first, end] = HistorySeeds(count);
  for (int64_t seed = first; seed < end; ++seed) {
    SCOPED_TRACE(absl::StrCat("HEADWATER_HISTORY_SEED=", seed));
    Dice dice(seed);
    body(dice);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(VersionHistory, IsTheSameForEveryOrderAndCutOfWhatIsObserved) {
  ForEachSeed(kHistories, [](Dice& dice) {
    const auto histories = RandomHistories(dice);
    std::vector<std::pair<std::string, Seen>> all;
    for (const auto& [key, contents] : histories) {
      for (const auto& [at, content] : contents) {
        // Some are read more than once.
        for (int times = 1 + dice.Below(4) / 3; times > 0; --times) {
          all.push_back({key, {at, content, dice.Below(100)}});
        }
      }
    }
    for (int order = 0; order < 4; ++order) {
      dice.Shuffle(all);
      const int cut_each = 1 + dice.Below(6);
      HistoryTable table;
      Call call;
      for (const auto& [key, seen] : all) {
        call[key].push_back(seen);
        if (dice.Below(cut_each) > 0) continue;
        ASSERT_NO_FATAL_FAILURE(Take(table, call));
        call.clear();
      }
      ASSERT_NO_FATAL_FAILURE(Take(table, call));
      ASSERT_NO_FATAL_FAILURE(ExpectHistories(table, histories));
    }
  });
}

TEST(VersionHistory, IsTheSameLoadedAtOnceDayByDayAndBackwards) {
  ForEachSeed(kHistories, [](Dice& dice) {
    const auto histories = RandomHistories(dice);
    const int days = 1 + dice.Below(kInstants);
    std::vector<Call> calls(static_cast<size_t>(kInstants / days + 1));
    Call once;
    for (const auto& [key, contents] : histories) {
      for (const auto& [at, content] : contents) {
        once[key].push_back({at, content});
        calls[static_cast<size_t>(at / days)][key].push_back({at, content});
      }
    }
    HistoryTable at_once, by_day, backwards;
    ASSERT_NO_FATAL_FAILURE(Take(at_once, once));
    for (size_t i = 0; i < calls.size(); ++i) {
      ASSERT_NO_FATAL_FAILURE(Take(by_day, calls[i]));
      ASSERT_NO_FATAL_FAILURE(Take(backwards, calls[calls.size() - 1 - i]));
    }
    for (const HistoryTable* table : {&at_once, &by_day, &backwards}) {
      ASSERT_NO_FATAL_FAILURE(ExpectHistories(*table, histories));
    }
  });
}

TEST(VersionHistory, IsThatOfTheLastContentOfEachInstantWhereRowsAreRestated) {
  ForEachSeed(kHistories, [](Dice& dice) {
    HistoryTable table;
    Contents contents;
    std::set<std::pair<char, int>> rows;  // Tracked and not.
    for (int calls = 1 + dice.Below(8), untracked = 0; calls > 0; --calls) {
      Contents seen;
      for (int left = 1 + dice.Below(5); left > 0; --left) {
        seen[dice.Below(kInstants)] = dice.Content();
      }
      Call call;
      for (const auto& [at, content] : seen) {
        contents[at] = content;
        rows.insert({content, untracked});
        call["key"].push_back({at, content, untracked++});
      }
      ASSERT_NO_FATAL_FAILURE(Take(table, call));
      ASSERT_NO_FATAL_FAILURE(ExpectHistories(table, {{"key", contents}}));
      // A delivery that is repeated changes nothing.
      ASSERT_TRUE(table.Merge("key", call["key"], {}).plan.ChangesNothing());
      for (const auto& row : table.RowsOf("key")) {
        ASSERT_TRUE(rows.contains({row.tracked, row.untracked})) << "a row that no source had";
      }
    }
  });
}

// How many versions of `after` can each have an existing row of which they show an observation.
int MostTakenOver(const std::vector<Version>& before, const std::vector<Version>& after) {
  const auto shows = [](const Version& a, const Version& b) {
    if (!(a.hash == b.hash)) return false;
    std::set<int64_t> instants(a.confirmed.begin(), a.confirmed.end());
    instants.insert(a.valid_from);
    return instants.contains(b.valid_from) ||
           std::any_of(b.confirmed.begin(), b.confirmed.end(),
                       [&](int64_t at) { return instants.contains(at); });
  };
  std::vector<int> owner(before.size(), -1);
  std::function<bool(size_t, std::set<size_t>&)> find = [&](size_t i, std::set<size_t>& tried) {
    for (size_t row = 0; row < before.size(); ++row) {
      if (!shows(before[row], after[i]) || !tried.insert(row).second) continue;
      if (owner[row] < 0 || find(static_cast<size_t>(owner[row]), tried)) {
        owner[row] = static_cast<int>(i);
        return true;
      }
    }
    return false;
  };
  int found = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    std::set<size_t> tried;
    if (find(i, tried)) ++found;
  }
  return found;
}

TEST(VersionHistory, TakesOverAsManyRowsAsCanBe) {
  ForEachSeed(kHistories / 3, [](Dice& dice) {
    HistoryTable table;
    for (int calls = 0; calls < 5; ++calls) {
      Contents seen;
      for (int left = 1 + dice.Below(6); left > 0; --left) {
        seen[dice.Below(kInstants)] = dice.Content();
      }
      std::vector<Seen> rows;
      for (const auto& [at, content] : seen) rows.push_back({at, content});
      const std::vector<Version> before = table.VersionsOf("key");
      const MergeResult result = table.Merge("key", rows, {});
      const std::vector<Version> after = table.VersionsOf("key");
      ASSERT_EQ(static_cast<int>(after.size() - result.plan.inserted.size()),
                MostTakenOver(before, after))
          << TextOf(absl::MakeConstSpan(before)) << " became " << table.TextOf("key");
    }
  });
}

// The content that a table shows of a key at an instant; '-' for none.
char ContentAt(const std::vector<Version>& versions, int64_t at) {
  char content = '-';
  for (const Version& version : versions) {
    if (version.valid_from > at || (version.valid_to.has_value() && *version.valid_to <= at)) {
      continue;
    }
    EXPECT_EQ(content, '-') << "two versions hold at " << at;
    content = ContentOf(version.hash);
  }
  return content;
}

char CurrentOf(const std::vector<Version>& versions) {
  for (const Version& version : versions) {
    if (version.is_current) return ContentOf(version.hash);
  }
  return '-';
}

TEST(VersionHistory, OfWholeReadsShowsWhatEachReadHad) {
  ForEachSeed(kHistories, [](Dice& dice) {
    MergeOptions options{HistoryRead::kWhole};
    options.deletes = dice.Below(2) == 0 ? HistoryDeletes::kClose : HistoryDeletes::kKeep;
    const bool clock_set_back = dice.Below(3) == 0;
    HistoryTable table;
    std::map<std::string, char> shown;                             // What a replay has now.
    std::map<std::string, int> opened;                             // Versions, of each key.
    std::vector<std::pair<int64_t, decltype(shown)>> all_replays;  // After each read.
    for (int read = 0; read < 8; ++read) {
      options.read_at = clock_set_back ? dice.Below(20) : options.read_at + 1 + dice.Below(3);
      for (const char* key : {"a", "b", "c"}) {
        const char content = static_cast<char>('A' + dice.Below(kContents + 1));
        const bool away = content == 'A' + kContents;
        std::vector<Seen> seen;
        if (!away) seen.push_back({options.read_at, content});
        const bool same = away ? options.deletes == HistoryDeletes::kKeep || !shown.contains(key)
                               : shown.contains(key) && shown[key] == content;
        const MergeResult result = table.Merge(key, seen, options);
        ASSERT_EQ(result.outcome, Outcome::kMerged);
        ASSERT_EQ(result.plan.ChangesNothing(), same);
        ASSERT_TRUE(table.Merge(key, seen, options).plan.ChangesNothing()) << "a second delivery";
        if (!same && !away) ++opened[key];
        if (!away) shown[key] = content;
        if (!same && away) shown.erase(key);
        const std::vector<Version> versions = table.VersionsOf(key);
        ASSERT_TRUE(IsSound(versions, HistoryRead::kWhole)) << table.TextOf(key);
        ASSERT_EQ(static_cast<int>(versions.size()), opened[key]) << table.TextOf(key);
        ASSERT_EQ(CurrentOf(versions), shown.contains(key) ? shown[key] : '-');
      }
      all_replays.push_back({options.read_at, shown});
    }
    if (clock_set_back) return;  // The table's instants are later than those of reads.
    for (const auto& [at, replayed] : all_replays) {
      for (const char* key : {"a", "b", "c"}) {
        ASSERT_EQ(ContentAt(table.VersionsOf(key), at),
                  replayed.contains(key) ? replayed.at(key) : '-')
            << key << " at " << at << ": " << table.TextOf(key);
      }
    }
  });
}

}  // namespace
}  // namespace headwater
