// The state of a dataset against a model in which every instant is a cell of its own: random
// streams of runs, backfills, claims, splits, failures, restarts, lost files and commits, and after
// each event both must say the same. HEADWATER_SEED repeats a run that failed.
#include "tests/unit/coordinator/state/range_model.h"

#include <cstdlib>
#include <random>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

constexpr int kSteps = 250;
constexpr int kWorlds = 300;

TEST(RangeModelTest, EveryInstantIsAsACellOfItsOwnWouldHaveIt) {
  const char* given = std::getenv("HEADWATER_SEED");
  const uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10)
                                          : (uint64_t{std::random_device()()} << 16);
  const int worlds = given != nullptr ? 1 : kWorlds;
  for (uint64_t seed = first; seed < first + static_cast<uint64_t>(worlds); ++seed) {
    SCOPED_TRACE(absl::StrCat("HEADWATER_SEED=", seed));
    RangeModel model(seed);
    for (int step = 0; step < kSteps; ++step) {
      model.Step();
      ASSERT_NO_FATAL_FAILURE(model.Check()) << "step " << step;
      ASSERT_FALSE(testing::Test::HasFailure()) << "step " << step;
    }
    ASSERT_NO_FATAL_FAILURE(model.Drain());
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace headwater
