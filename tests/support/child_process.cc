#include "tests/support/child_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace headwater {

pid_t Spawn(const ChildProcess& child) {
  std::vector<std::string> all = {"setpriv", "--pdeathsig", child.death_signal};
  if (geteuid() == 0) {
    all.insert(all.end(), {"--reuid", child.user, "--regid", child.group, "--clear-groups"});
  }
  all.insert(all.end(), child.arguments.begin(), child.arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const int output = open(child.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (output >= 0) {
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
  }
  if (chdir("/") != 0) _exit(127);
  execvp(argv[0], argv.data());
  _exit(127);
}

int WaitFor(pid_t pid) {
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace headwater
