// A MariaDB of a test's own: in a temporary folder, reached through a socket in that folder (no
// port is taken), without waiting for the disk, gone with the object. Its clock's zone is not UTC,
// so that no test passes by chance.
#ifndef HEADWATER_TESTS_SUPPORT_THROWAWAY_MARIADB_H_
#define HEADWATER_TESTS_SUPPORT_THROWAWAY_MARIADB_H_

#include <sys/types.h>

#include <memory>
#include <string>

namespace headwater {

// Thread-compatible. MariaDB refuses to run as root, so for root it runs as user `nobody`.
class ThrowawayMariaDb {
 public:
  // Null, with the reason in `why_not`, where MariaDB is not installed or does not start.
  static std::unique_ptr<ThrowawayMariaDb> Start(std::string& why_not);

  // Stops the server by the id of the process that Start() made, and removes the folder.
  ~ThrowawayMariaDb();
  ThrowawayMariaDb(const ThrowawayMariaDb&) = delete;
  ThrowawayMariaDb& operator=(const ThrowawayMariaDb&) = delete;

  std::string socket() const { return folder_ + "/socket"; }
  // For libmariadb.
  std::string Url(const std::string& database, const std::string& user = "root") const {
    return "mariadb://" + user + "@localhost/" + database + "?socket=" + socket();
  }
  // For ODBC, without the scheme. `root` has all rights and no password.
  std::string ConnectionString(const std::string& database, const std::string& user = "root") const;

 private:
  ThrowawayMariaDb() = default;

  std::string folder_;
  pid_t pid_ = -1;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_SUPPORT_THROWAWAY_MARIADB_H_
