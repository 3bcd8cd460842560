#include "worker/canceller.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "absl/synchronization/notification.h"

namespace headwater {
namespace {

using Callback = std::stop_callback<std::function<void()>>;

TEST(Canceller, WhoAsksForAStopDoesNotWaitForIt) {
  absl::Notification begun, let_go;
  std::stop_source slow, other;
  Callback slow_callback(slow.get_token(), [&] {
    begun.Notify();
    let_go.WaitForNotification();
  });
  absl::Notification stopped;
  Callback other_callback(other.get_token(), [&] { stopped.Notify(); });
  Canceller canceller(2);
  canceller.Request(slow);
  begun.WaitForNotification();
  canceller.Request(other);
  stopped.WaitForNotification();
  let_go.Notify();
}

TEST(Canceller, EndsAfterAllThatWasAskedForBefore) {
  absl::Notification let_go;
  std::stop_source slow, waiting;
  Callback slow_callback(slow.get_token(), [&] { let_go.WaitForNotification(); });
  Canceller canceller(1);
  canceller.Request(slow);
  canceller.Request(waiting);
  let_go.Notify();
  canceller.End();
  EXPECT_TRUE(waiting.stop_requested());
}

TEST(Canceller, CallsNothingOfATaskThatHasEnded) {
  absl::Notification begun, let_go;
  std::stop_source slow;
  Callback slow_callback(slow.get_token(), [&] {
    begun.Notify();
    let_go.WaitForNotification();
  });
  Canceller canceller(1);
  canceller.Request(slow);
  begun.WaitForNotification();
  std::atomic<int> cancels = 0;
  {
    std::stop_source task;
    Callback cancel(task.get_token(), [&] { ++cancels; });
    canceller.Request(task);
  }
  let_go.Notify();
  canceller.End();
  EXPECT_EQ(cancels, 0);
}

TEST(Canceller, StopsATaskOnce) {
  std::atomic<int> cancels = 0;
  std::stop_source task;
  Callback cancel(task.get_token(), [&] { ++cancels; });
  Canceller canceller(2);
  canceller.Request(task);
  canceller.Request(task);
  canceller.End();
  canceller.Request(task);
  EXPECT_EQ(cancels, 1);
}

}  // namespace
}  // namespace headwater
