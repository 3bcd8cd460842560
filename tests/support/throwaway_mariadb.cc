#include "tests/support/throwaway_mariadb.h"

#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/child_process.h"

namespace headwater {
namespace {

constexpr char kServer[] = "/usr/sbin/mariadbd";
constexpr char kInstall[] = "/usr/bin/mariadb-install-db";
constexpr char kZone[] = "TZ=Europe/Oslo";
constexpr auto kStartLimit = std::chrono::seconds(30);
constexpr auto kPoll = std::chrono::milliseconds(20);

// As user nobody if we are root, with its temporary files in `folder`: a server that starts removes
// those of others.
pid_t SpawnMariaDb(const std::vector<std::string>& arguments, const std::string& folder) {
  std::vector<std::string> all = {"env", kZone, "TMPDIR=" + folder};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Spawn({.arguments = std::move(all),
                .user = "nobody",
                .group = "nogroup",
                .death_signal = "KILL",
                .log = folder + "/log"});
}

bool Listens(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return connected;
}

}  // namespace

std::unique_ptr<ThrowawayMariaDb> ThrowawayMariaDb::Start(std::string& why_not) {
  if (access(kServer, X_OK) != 0 || access(kInstall, X_OK) != 0) {
    why_not = std::string("no ") + kServer + " (apt install mariadb-server-core)";
    return nullptr;
  }
  std::unique_ptr<ThrowawayMariaDb> server(new ThrowawayMariaDb);
  // Not TMPDIR: a socket's path has at most 107 bytes.
  char folder[] = "/tmp/hw_my_XXXXXX";
  if (mkdtemp(folder) == nullptr) {
    why_not = "cannot make a folder in /tmp";
    return nullptr;
  }
  server->folder_ = folder;
  if (geteuid() == 0) {
    const passwd* user = getpwnam("nobody");
    if (user == nullptr || chown(folder, user->pw_uid, user->pw_gid) != 0) {
      why_not = "MariaDB refuses root, and there is no user nobody";
      return nullptr;
    }
  }
  const std::string data = "--datadir=" + server->folder_ + "/data";
  const pid_t install =
      SpawnMariaDb({kInstall, "--no-defaults", data, "--skip-test-db",
                    "--auth-root-authentication-method=normal", "--skip-name-resolve"},
                   server->folder_);
  if (WaitFor(install) != 0) {
    why_not = "mariadb-install-db failed";
    return nullptr;
  }
  server->pid_ =
      SpawnMariaDb({kServer, "--no-defaults", data, "--socket=" + server->socket(),
                    "--skip-networking", "--pid-file=" + server->folder_ + "/pid",
                    "--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4"},
                   server->folder_);
  const auto limit = std::chrono::steady_clock::now() + kStartLimit;
  while (!Listens(server->socket())) {
    if (std::chrono::steady_clock::now() > limit || waitpid(server->pid_, nullptr, WNOHANG) != 0) {
      why_not = "MariaDB did not start";
      return nullptr;
    }
    std::this_thread::sleep_for(kPoll);
  }
  return server;
}

ThrowawayMariaDb::~ThrowawayMariaDb() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);  // Nothing in its folder is worth an orderly end, which takes a second.
    WaitFor(pid_);
  }
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string ThrowawayMariaDb::ConnectionString(const std::string& database,
                                               const std::string& user) const {
  return "Driver={MariaDB Unicode};Socket=" + socket() + ";Database=" + database + ";UID=" + user;
}

}  // namespace headwater
