// A PostgreSQL 15 of a test's own: in a temporary folder, reached through a socket in that folder
// (no port is taken), without fsync unless asked for, gone with the object.
#ifndef HEADWATER_TESTS_SUPPORT_THROWAWAY_POSTGRES_H_
#define HEADWATER_TESTS_SUPPORT_THROWAWAY_POSTGRES_H_

#include <sys/types.h>

#include <memory>
#include <string>

namespace headwater {

// Thread-compatible. PostgreSQL refuses to run as root, so for root it runs as user `postgres`.
class ThrowawayPostgres {
 public:
  // Null, with the reason in `why_not`, where PostgreSQL is not installed or does not start.
  // `durable`: a commit waits for the disk, as one in production does; for benchmarks.
  static std::unique_ptr<ThrowawayPostgres> Start(std::string& why_not, bool durable = false);

  // Stops the server by the id of the process that Start() made, and removes the folder.
  ~ThrowawayPostgres();
  ThrowawayPostgres(const ThrowawayPostgres&) = delete;
  ThrowawayPostgres& operator=(const ThrowawayPostgres&) = delete;

  const std::string& folder() const { return folder_; }  // Holds the socket, for port 5432.
  std::string Url(const std::string& database = "postgres") const;

 private:
  ThrowawayPostgres() = default;

  std::string folder_;
  pid_t pid_ = -1;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_SUPPORT_THROWAWAY_POSTGRES_H_
