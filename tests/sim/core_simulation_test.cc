// Many short lives of the core, one per seed. HEADWATER_SIM_SEEDS sets how many, HEADWATER_SIM_SEED
// repeats a single one; `./dev sim` sets both. HEADWATER_SIM_LINES: how much is told of a broken
// life.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "tests/sim/sim_world.h"

namespace headwater {
namespace {

constexpr int64_t kShown = 120;  // Lines of a broken life.

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoll(value);
}

SimOptions OptionsOf(int64_t seed, bool trace) {
  SimOptions options;
  options.seed = static_cast<unsigned>(seed);
  options.datasets = 1 + static_cast<int>(seed % 4);
  options.fault = seed % 5 == 0 ? 0 : 0.02 * static_cast<double>(1 + seed % 6);
  constexpr double kKeyed[] = {0, 0, 0.5, 0, 1, 0.5, 1};
  options.keyed = kKeyed[seed % 7];
  options.trace = trace;
  return options;
}

// A life that ends in a failed check of the core's own ends the process: its seed must be told.
thread_local int64_t lived_seed = -1;

void TellSeed(int) {
  char text[] = "an invariant of the core itself broke: repeat with ./dev sim --seed            \n";
  int64_t left = lived_seed;
  for (size_t at = sizeof(text) - 3; left >= 0; left /= 10) {
    text[at--] = static_cast<char>('0' + left % 10);
    if (left < 10) break;
  }
  (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
  std::signal(SIGABRT, SIG_DFL);
}

// The same life once more, in words.
std::string Retold(int64_t seed) {
  SimWorld world(OptionsOf(seed, true));
  (void)world.Live();
  const std::vector<std::string>& lines = world.trace();
  const size_t shown = static_cast<size_t>(FromEnvironment("HEADWATER_SIM_LINES", kShown));
  const size_t from = lines.size() - std::min(lines.size(), shown);
  return absl::StrJoin(lines.begin() + static_cast<ptrdiff_t>(from), lines.end(), "\n");
}

// What lives have seen, and the first that broke.
struct Lives {
  absl::Mutex mutex;
  int64_t broken_seed = -1;
  std::string broken;
  SimCounts seen;

  void Add(int64_t seed, const std::string& how, const SimCounts& counts) {
    absl::MutexLock lock(&mutex);
    if (!how.empty() && (broken_seed < 0 || seed < broken_seed)) {
      broken_seed = seed;
      broken = how;
    }
    const auto add = [&](auto member) { seen.*member += counts.*member; };
    for (auto member :
         {&SimCounts::commits,       &SimCounts::compactions,   &SimCounts::abandoned,
          &SimCounts::restarts,      &SimCounts::kept_leases,   &SimCounts::refused_outcomes,
          &SimCounts::late_puts,     &SimCounts::planned_runs,  &SimCounts::gaps,
          &SimCounts::kept_promises, &SimCounts::frozen,        &SimCounts::unreachable,
          &SimCounts::joined,        &SimCounts::reloads,       &SimCounts::verified,
          &SimCounts::keyed_commits, &SimCounts::refused_bases, &SimCounts::disturbed,
          &SimCounts::told_counts,   &SimCounts::spared_reads,  &SimCounts::archived}) {
      add(member);
    }
  }
};

TEST(CoreSimulation, KeepsItsInvariantsUnderEverySeed) {
  const int64_t only = FromEnvironment("HEADWATER_SIM_SEED", -1);
  const int64_t first = std::max<int64_t>(only, 0);
  const int64_t end = only >= 0 ? only + 1 : FromEnvironment("HEADWATER_SIM_SEEDS", 12'000);
  std::signal(SIGABRT, TellSeed);
  Lives lives;
  std::atomic<int64_t> next = first;
  const auto live = [&] {
    for (int64_t seed = next++; seed < end; seed = next++) {
      lived_seed = seed;
      SimWorld world(OptionsOf(seed, false));
      const std::string how = world.Live();
      lives.Add(seed, how, world.counts());
      if (!how.empty()) return;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::clamp(std::thread::hardware_concurrency(), 1U, 8U); ++i)
    threads.emplace_back(live);
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(lives.broken_seed, -1) << lives.broken << "\nrepeat with ./dev sim --seed "
                                   << lives.broken_seed << "; its last events:\n"
                                   << Retold(lives.broken_seed);
  if (only >= 0 || end < 1'000) return;
  const int64_t few = end / 100;  // Else nothing has been shown of them.
  EXPECT_GT(lives.seen.compactions, few);
  EXPECT_GT(lives.seen.abandoned, few);
  EXPECT_GT(lives.seen.archived, few);
  EXPECT_GT(lives.seen.restarts, few);
  EXPECT_GT(lives.seen.kept_leases, few);
  EXPECT_GT(lives.seen.refused_outcomes, few);
  EXPECT_GT(lives.seen.late_puts, few / 10);
  EXPECT_GT(lives.seen.planned_runs, few);
  EXPECT_GT(lives.seen.gaps, few / 10);
  EXPECT_GT(lives.seen.kept_promises, end);
  EXPECT_GT(lives.seen.frozen, few);
  EXPECT_GT(lives.seen.unreachable, few);
  EXPECT_GT(lives.seen.joined, few / 10);
  EXPECT_GT(lives.seen.reloads, few);
  EXPECT_GT(lives.seen.keyed_commits, end);
  EXPECT_GT(lives.seen.refused_bases, few);
  EXPECT_GT(lives.seen.disturbed, few);
  EXPECT_GT(lives.seen.told_counts, end);
  EXPECT_GT(lives.seen.spared_reads, few);
}

TEST(CoreSimulation, LivesTheSameLifeUnderTheSameSeed) {
  for (int64_t seed = 1; seed <= 20; ++seed) {
    SimWorld one(OptionsOf(seed, false)), other(OptionsOf(seed, true));
    EXPECT_EQ(one.Live(), other.Live()) << seed;
    EXPECT_EQ(one.digest(), other.digest()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace headwater
