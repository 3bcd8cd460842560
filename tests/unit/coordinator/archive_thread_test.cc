#include "coordinator/archive_thread.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/base/bounded_queue.h"

namespace headwater {
namespace {

class ArchiveThreadTest : public ::testing::Test {
 protected:
  absl::Status Answer() { return std::get<RunsWritten>(*answers_.Pop()).status; }

  ArchiveRuns runs_ = {{v1::EndedRun()}};
  BoundedQueue<Input> answers_{16};
  std::function<void(Input)> post_ = [this](Input input) { answers_.Push(std::move(input)); };
};

TEST_F(ArchiveThreadTest, AnswersWhatTheDiskSays) {
  absl::Status disk = absl::ResourceExhaustedError("no space");
  size_t put = 0;
  ArchiveThread thread(
      [&](const std::vector<v1::EndedRun>& runs) {
        put += runs.size();
        return disk;
      },
      post_);
  thread.Run(runs_);
  EXPECT_TRUE(absl::IsResourceExhausted(Answer()));
  disk = absl::OkStatus();
  thread.Run(runs_);
  EXPECT_TRUE(Answer().ok());
  EXPECT_EQ(put, 2);
}

TEST_F(ArchiveThreadTest, WhatIsNotBegunWhenItIsInterruptedIsCancelled) {
  absl::Notification begun, go_on;
  ArchiveThread thread(
      [&](const std::vector<v1::EndedRun>&) {
        begun.Notify();
        go_on.WaitForNotification();
        return absl::OkStatus();
      },
      post_);
  thread.Run(runs_);
  thread.Run(runs_);
  begun.WaitForNotification();
  thread.Interrupt();
  go_on.Notify();
  EXPECT_TRUE(Answer().ok());
  EXPECT_TRUE(absl::IsCancelled(Answer()));
}

TEST_F(ArchiveThreadTest, WithoutAnArchiveNothingIsArchived) {
  ArchiveThread thread(nullptr, post_);
  thread.Run(runs_);
  EXPECT_TRUE(absl::IsUnimplemented(Answer()));
}

}  // namespace
}  // namespace headwater
