// Many short lives of the core, one per seed. HEADWATER_SIM_SEEDS sets how many, HEADWATER_SIM_SEED
// repeats a single one; `./dev sim` sets both.
#include <cstdlib>

#include "gtest/gtest.h"
#include "tests/sim/sim_world.h"

namespace headwater {
namespace {

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoll(value);
}

TEST(CoreSimulation, KeepsItsInvariantsUnderEverySeed) {
  const int64_t seeds = FromEnvironment("HEADWATER_SIM_SEEDS", 10'000);
  const int64_t only = FromEnvironment("HEADWATER_SIM_SEED", -1);
  int64_t compactions = 0;
  for (int64_t i = only >= 0 ? only : 0; i < (only >= 0 ? only + 1 : seeds); ++i) {
    SimOptions options;
    options.seed = static_cast<unsigned>(i);
    options.datasets = 1 + static_cast<int>(i % 4);
    options.fault = i % 5 == 0 ? 0 : 0.02 * static_cast<double>(1 + i % 6);
    SimWorld world(options);
    const std::string broken = world.Live();
    ASSERT_EQ(broken, "") << "repeat with ./dev sim --seed " << i;
    compactions += world.compactions();
  }
  if (only < 0 && seeds >= 100) {
    EXPECT_GT(compactions, seeds / 10);  // Else nothing has been shown of them.
  }
}

}  // namespace
}  // namespace headwater
