#include "worker/source/mariadb/mariadb_source.h"

#include "worker/source/mariadb/mariadb_session.h"
#include "worker/source/session_source.h"

namespace headwater {

absl::StatusOr<std::unique_ptr<Source>> OpenMariaDbSource(const ServerSpec& server) {
  return OpenSessionSource(server, MariaDbSession::Open);
}

}  // namespace headwater
