#include "common/base/bounded_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <thread>

#include "tests/support/fake_clock.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(BoundedQueue, ItemsComeOutInTheOrderTheyWentIn) {
  BoundedQueue<std::unique_ptr<int>> queue(3);
  EXPECT_TRUE(queue.Push(std::make_unique<int>(1)));
  EXPECT_TRUE(queue.Push(std::make_unique<int>(2)));
  EXPECT_EQ(**queue.Pop(), 1);
  EXPECT_EQ(**queue.Pop(), 2);
}

TEST(BoundedQueue, AFullQueueRefusesWhoWillNotWait) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.TryPush(1));
  EXPECT_FALSE(queue.TryPush(2));
  EXPECT_THAT(queue.Pop(), Optional(1));
  EXPECT_TRUE(queue.TryPush(3));
}

TEST(BoundedQueue, AProducerWaitsForRoom) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.Push(1));
  std::jthread producer([&] { EXPECT_TRUE(queue.Push(2)); });
  EXPECT_THAT(queue.Pop(), Optional(1));
  EXPECT_THAT(queue.Pop(), Optional(2));  // Blocks until the producer got in.
}

TEST(BoundedQueue, AClosedQueueGivesOutWhatIsInside) {
  BoundedQueue<int> queue(2);
  ASSERT_TRUE(queue.Push(1));
  queue.Close();
  EXPECT_FALSE(queue.Push(2));
  EXPECT_FALSE(queue.Finished());
  EXPECT_THAT(queue.Pop(), Optional(1));
  EXPECT_EQ(queue.Pop(), std::nullopt);
  EXPECT_TRUE(queue.Finished());
}

TEST(BoundedQueue, ClosingWakesWaitingProducersAndConsumers) {
  BoundedQueue<int> full(1);
  ASSERT_TRUE(full.Push(1));
  std::jthread producer([&] { EXPECT_FALSE(full.Push(2)); });
  BoundedQueue<int> empty(1);
  std::jthread consumer([&] { EXPECT_EQ(empty.Pop(), std::nullopt); });
  full.Close();
  empty.Close();
}

TEST(BoundedQueue, ABatchTakesNoMoreThanItsLimit) {
  FakeClock clock;
  BoundedQueue<int> queue(8);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue.Push(i));
  EXPECT_THAT(queue.PopBatch(3, clock, absl::InfiniteFuture()), ElementsAre(0, 1, 2));
  EXPECT_THAT(queue.PopBatch(3, clock, absl::InfiniteFuture()), ElementsAre(3, 4));
}

TEST(BoundedQueue, ABatchIsEmptyOnceItsDeadlineHasPassed) {
  FakeClock clock;
  BoundedQueue<int> queue(1);
  EXPECT_THAT(queue.PopBatch(1, clock, clock.Now()), IsEmpty());
  const absl::Time deadline = clock.Now() + absl::Seconds(5);
  std::jthread other([&] { clock.Advance(absl::Seconds(5)); });
  EXPECT_THAT(queue.PopBatch(1, clock, deadline), IsEmpty());
}

TEST(BoundedQueue, ManyProducersAndConsumersLoseAndRepeatNothing) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  BoundedQueue<int> queue(7);
  std::vector<int64_t> sums(kThreads, 0);
  {
    std::vector<std::jthread> consumers;
    for (int t = 0; t < kThreads; ++t) {
      consumers.emplace_back([&queue, &sum = sums[t]] {
        while (std::optional<int> value = queue.Pop()) sum += *value;
      });
    }
    {
      std::vector<std::jthread> producers;
      for (int t = 0; t < kThreads; ++t) {
        producers.emplace_back([&queue, t] {
          for (int i = 0; i < kEach; ++i) EXPECT_TRUE(queue.Push(t * kEach + i));
        });
      }
    }
    queue.Close();
  }
  const int64_t n = kThreads * kEach;
  EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), int64_t{0}), n * (n - 1) / 2);
}

}  // namespace
}  // namespace headwater
