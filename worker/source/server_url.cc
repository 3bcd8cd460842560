#include "worker/source/server_url.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {

absl::StatusOr<ServerUrl> ServerUrl::Resolve(const ServerSpec& server) {
  absl::StatusOr<Secret> url = ResolveReferences(server.url);
  if (!url.ok()) return Annotate(url.status(), absl::StrCat("server '", server.name, "'"));
  return ServerUrl(*std::move(url));
}

absl::Status ServerUrl::Redacted(const absl::Status& status) const {
  if (status.ok()) return status;
  absl::Status redacted(status.code(), Redact(status.message(), url_));
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    redacted.SetPayload(type, payload);
  });
  return redacted;
}

}  // namespace headwater
