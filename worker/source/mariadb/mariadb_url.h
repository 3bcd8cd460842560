// mariadb://user:password@host:3306/database?option=value, as its parts. Pure.
#ifndef HEADWATER_WORKER_SOURCE_MARIADB_MARIADB_URL_H_
#define HEADWATER_WORKER_SOURCE_MARIADB_MARIADB_URL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace headwater {

struct MariaDbTarget {
  std::string host = "localhost";  // By TCP always, unlike what the clients make of localhost.
  unsigned port = 3306;
  std::string user = {};
  std::string password = {};
  std::string database = {};
  std::string socket = {};  // A path: instead of host and port.
  int connect_timeout_seconds = 10;
  bool tls = false;                 // The connection is encrypted or not made.
  bool verify_certificate = false;  // Of the server, with its host's name.
  std::string ca_file = {};
  std::string certificate_file = {};
  std::string key_file = {};
};

// Parts may be percent-encoded. The options have the names that MariaDB's clients give them, and a
// value each:
//   socket=/path   connect-timeout=10
//   ssl=1          encrypt, or do not connect
//   ssl-ca=/path   as ssl=1, and verify the server's certificate
//   ssl-verify-server-cert=1   likewise, with the system's authorities; =0: do not
//   ssl-cert=/path ssl-key=/path   ours, for servers that ask for one
// INVALID_ARGUMENT: says what is wrong, and quotes neither user nor password.
absl::StatusOr<MariaDbTarget> ParseMariaDbUrl(absl::string_view url);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_MARIADB_MARIADB_URL_H_
