#include "worker/registry.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "worker/source/odbc/odbc_source.h"

namespace headwater {

absl::StatusOr<std::unique_ptr<Source>> OpenSource(const ServerSpec& server) {
  if (absl::StartsWith(server.url, kOdbcScheme)) return OpenOdbcSource(server);
  // Only the scheme is named: the rest may hold a password.
  return absl::InvalidArgumentError(
      absl::StrCat("server '", server.name, "': no driver for url scheme '",
                   server.url.substr(0, server.url.find(':')), "'; expected odbc"));
}

std::vector<std::string> SourceDrivers() { return {"odbc"}; }

}  // namespace headwater
