#include "worker/source/odbc/odbc_source.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "worker/source/odbc/odbc_session.h"
#include "worker/source/session_source.h"

namespace headwater {
namespace {

absl::StatusOr<std::unique_ptr<SourceSession>> Connect(const std::string& url) {
  absl::string_view connection_string = url;
  if (!absl::ConsumePrefix(&connection_string, kOdbcScheme)) {
    return absl::InvalidArgumentError(absl::StrCat("the url does not begin with ", kOdbcScheme));
  }
  return OdbcSession::Open(std::string(connection_string));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Source>> OpenOdbcSource(const ServerSpec& server) {
  return OpenSessionSource(server, Connect);
}

}  // namespace headwater
