// A program of its own: what is tested happens once in a process, with its first connection.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "worker/source/odbc/odbc_handles.h"

namespace headwater {
namespace {

constexpr int kThreads = 8;
constexpr int kProcesses = 200;  // One in about a thousand failed, now and then.

int FailuresOfThreads() {
  std::latch together(kThreads);
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      if (!OdbcConnection::Open("Driver=SQLite3;Database=:memory:").ok()) ++failures;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failures;
}

TEST(OdbcFirstConnection, MayBeMadeByManyThreadsAtOnce) {
  int failed = 0;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(FailuresOfThreads());
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    failed += WIFEXITED(state) && WEXITSTATUS(state) == 0 ? 0 : 1;
  }
  EXPECT_EQ(failed, 0) << "of " << kProcesses << " processes";
}

}  // namespace
}  // namespace headwater
