#include "worker/source/postgres/postgres_source.h"

#include "worker/source/postgres/postgres_session.h"
#include "worker/source/session_source.h"

namespace headwater {

absl::StatusOr<std::unique_ptr<Source>> OpenPostgresSource(const ServerSpec& server) {
  return OpenSessionSource(server, PostgresSession::Open);
}

}  // namespace headwater
