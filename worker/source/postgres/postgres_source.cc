#include "worker/source/postgres/postgres_source.h"

#include "absl/strings/match.h"
#include "worker/source/postgres/postgres_session.h"
#include "worker/source/session_source.h"

namespace headwater {

bool IsPostgresUrl(absl::string_view url) {
  return absl::StartsWith(url, "postgresql://") || absl::StartsWith(url, "postgres://");
}

absl::StatusOr<std::unique_ptr<Source>> OpenPostgresSource(const ServerSpec& server) {
  return OpenSessionSource(server, PostgresSession::Open);
}

}  // namespace headwater
