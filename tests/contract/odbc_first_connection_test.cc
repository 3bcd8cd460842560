// What is tested happens once in a process, with its first connection: so this program starts
// itself again and again. Not by fork alone: a process with threads must not begin as a copy of
// another.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/source/odbc/odbc_handles.h"

namespace headwater {
namespace {

constexpr int kThreads = 8;
constexpr int kProcesses = 200;  // One in about a thousand failed, now and then.
// Told so, the program only makes its first connections.
constexpr char kConnectOnly[] = "--connect-only";

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
  // ThreadSanitizer has a program wait a second for threads that still run at its end: here, none.
  const char* options = getenv("TSAN_OPTIONS");
  setenv("TSAN_OPTIONS",
         absl::StrCat(options == nullptr ? "" : options, " atexit_sleep_ms=0").c_str(),
         /*overwrite=*/1);
  std::string program = "/proc/self/exe", argument = kConnectOnly;
  const std::array<char*, 3> arguments = {program.data(), argument.data(), nullptr};
  int failed = 0;
  for (int i = 0; i < kProcesses; ++i) {
    pid_t child = -1;
    ASSERT_EQ(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ), 0);
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    failed += WIFEXITED(state) && WEXITSTATUS(state) == 0 ? 0 : 1;
  }
  EXPECT_EQ(failed, 0) << "of " << kProcesses << " processes";
}

}  // namespace
}  // namespace headwater

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == headwater::kConnectOnly) {
    return headwater::FailuresOfThreads();
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
