#include "worker/registry.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/config/connection_string.h"
#include "worker/change/keyed_writer.h"
#include "worker/source/mariadb/mariadb_source.h"
#include "worker/source/odbc/odbc_handles.h"
#include "worker/source/odbc/odbc_source.h"
#include "worker/source/postgres/postgres_source.h"
#include "worker/stage/delta_staging_writer.h"

namespace headwater {

void PrepareSources() { PrepareOdbcDrivers(); }

absl::StatusOr<std::unique_ptr<Source>> OpenSource(const ServerSpec& server) {
  if (absl::StartsWith(server.url, kOdbcScheme)) return OpenOdbcSource(server);
  if (IsPostgresUrl(server.url)) return OpenPostgresSource(server);
  if (IsMariaDbUrl(server.url)) return OpenMariaDbSource(server);
  // Only the scheme is named: the rest may hold a password.
  return absl::InvalidArgumentError(absl::StrCat(
      "server '", server.name, "': no driver for url scheme '",
      server.url.substr(0, server.url.find(':')), "'; expected postgresql, mariadb or odbc"));
}

absl::StatusOr<std::unique_ptr<StagingWriter>> OpenStagingWriter(const StagingOptions& options) {
  // Both refuse targets that are not a local folder.
  if (options.base.has_value()) return OpenKeyedStaging(options);
  return OpenParquetStaging(options);
}

absl::StatusOr<Manifest> CompactTarget(const CompactionOptions& options, std::stop_token stop) {
  return CompactFiles(options, std::move(stop));
}

absl::StatusOr<Manifest> CheckTargetHistories(const HistoryOptions& options,
                                              const std::stop_token& stop) {
  return CheckHistories(options, stop);
}

absl::StatusOr<Manifest> MendTargetHistories(const HistoryOptions& options,
                                             const std::stop_token& stop) {
  return MendHistories(options, stop);
}

std::vector<std::string> SourceDrivers() { return {"postgresql", "mariadb", "odbc"}; }

}  // namespace headwater
