// A Source over one connection of any adapter.
#ifndef HEADWATER_WORKER_SOURCE_SESSION_SOURCE_H_
#define HEADWATER_WORKER_SOURCE_SESSION_SOURCE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "worker/source/source_reader.h"
#include "worker/source/source_session.h"

namespace headwater {

// Connects to the server at `url`, whose secrets are resolved. Its errors may hold them: they are
// redacted by the caller.
using SessionOpener =
    std::function<absl::StatusOr<std::unique_ptr<SourceSession>>(const std::string& url)>;

// Connects when first needed, and again after a connection was given up: that is one that is not
// sound(), and one that met an error which is not about the data. Every error names the server and
// what was done. INVALID_ARGUMENT: the URL names a secret that cannot be resolved here.
absl::StatusOr<std::unique_ptr<Source>> OpenSessionSource(const ServerSpec& server,
                                                          SessionOpener open);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_SESSION_SOURCE_H_
