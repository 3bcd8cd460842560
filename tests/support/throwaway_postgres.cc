#include "tests/support/throwaway_postgres.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/child_process.h"

namespace headwater {
namespace {

constexpr char kBin[] = "/usr/lib/postgresql/15/bin/";
constexpr auto kStartLimit = std::chrono::seconds(30);
constexpr auto kPoll = std::chrono::milliseconds(20);

// As user postgres if we are root.
pid_t SpawnPostgres(std::vector<std::string> arguments, std::string log) {
  return Spawn({.arguments = std::move(arguments),
                .user = "postgres",
                .group = "postgres",
                .death_signal = "INT",
                .log = std::move(log)});
}

}  // namespace

std::unique_ptr<ThrowawayPostgres> ThrowawayPostgres::Start(std::string& why_not, bool durable) {
  if (access((std::string(kBin) + "postgres").c_str(), X_OK) != 0) {
    why_not = std::string("no PostgreSQL 15 in ") + kBin + " (apt install postgresql-15)";
    return nullptr;
  }
  std::unique_ptr<ThrowawayPostgres> server(new ThrowawayPostgres);
  // Not TMPDIR: a socket's path has at most 107 bytes.
  char folder[] = "/tmp/hw_pg_XXXXXX";
  if (mkdtemp(folder) == nullptr) {
    why_not = "cannot make a folder in /tmp";
    return nullptr;
  }
  server->folder_ = folder;
  if (geteuid() == 0) {
    const passwd* user = getpwnam("postgres");
    if (user == nullptr || chown(folder, user->pw_uid, user->pw_gid) != 0) {
      why_not = "PostgreSQL refuses root, and there is no user postgres";
      return nullptr;
    }
  }
  const std::string data = server->folder_ + "/data", log = server->folder_ + "/log";
  const pid_t init = SpawnPostgres({std::string(kBin) + "initdb", "-D", data, "-U", "postgres",
                                    "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"},
                                   log);
  if (WaitFor(init) != 0) {
    why_not = "initdb failed";
    return nullptr;
  }
  server->pid_ = SpawnPostgres(
      {std::string(kBin) + "postgres", "-D", data, "-k", server->folder_, "-c",
       "listen_addresses=", "-c", durable ? "fsync=on" : "fsync=off", "-c", "max_connections=40"},
      log);
  const auto limit = std::chrono::steady_clock::now() + kStartLimit;
  while (PQping(server->Url().c_str()) != PQPING_OK) {
    if (std::chrono::steady_clock::now() > limit || waitpid(server->pid_, nullptr, WNOHANG) != 0) {
      why_not = "PostgreSQL did not start";
      return nullptr;
    }
    std::this_thread::sleep_for(kPoll);
  }
  return server;
}

ThrowawayPostgres::~ThrowawayPostgres() {
  if (pid_ > 0) {
    kill(pid_, SIGINT);  // Ends its sessions, then itself.
    WaitFor(pid_);
  }
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string ThrowawayPostgres::Url(const std::string& database) const {
  return "postgresql:///" + database + "?host=" + folder_ + "&user=postgres";
}

}  // namespace headwater
