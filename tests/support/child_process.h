// Servers that a test starts, and that do not outlive it.
#ifndef HEADWATER_TESTS_SUPPORT_CHILD_PROCESS_H_
#define HEADWATER_TESTS_SUPPORT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace headwater {

struct ChildProcess {
  std::vector<std::string> arguments;  // The program's path, or its name in PATH, comes first.
  std::string user, group;             // It runs as these if we are root, who are refused.
  std::string death_signal;            // Sent to it when we die, without its "SIG".
  std::string log;                     // A file, to which its output is appended.
};

// Starts it in the root folder. A program that cannot be run is one that exits with 127.
pid_t Spawn(const ChildProcess& child);

// Waits for its end: its exit code, or -1 after a signal.
int WaitFor(pid_t pid);

}  // namespace headwater

#endif  // HEADWATER_TESTS_SUPPORT_CHILD_PROCESS_H_
