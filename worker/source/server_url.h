// A server's URL with its secrets, on its way from the configuration to a driver.
#ifndef HEADWATER_WORKER_SOURCE_SERVER_URL_H_
#define HEADWATER_WORKER_SOURCE_SERVER_URL_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/config/secret.h"
#include "common/model/dataset_spec.h"

namespace headwater {

// Immutable, thread-safe. It cannot be printed: Reveal() hands it to a driver and nothing else.
class ServerUrl {
 public:
  // Resolves the references in `server.url`. INVALID_ARGUMENT: one that cannot be resolved here.
  static absl::StatusOr<ServerUrl> Resolve(const ServerSpec& server);

  const std::string& Reveal() const { return url_.Reveal(); }

  // `status` with every password of this URL in its message (a driver's words) replaced by `***`;
  // code and payloads stay.
  absl::Status Redacted(const absl::Status& status) const;

 private:
  explicit ServerUrl(Secret url) : url_(std::move(url)) {}
  Secret url_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_SERVER_URL_H_
