// Any database with an ODBC driver as a Source. `odbc:` is followed by a connection string:
//   odbc:Driver=SQLite3;Database=/data/ewr.db
//   odbc:Driver={PostgreSQL Unicode};Server=db;Database=crm;UID=reader;PWD=${CRM_PASSWORD}
#ifndef HEADWATER_WORKER_SOURCE_ODBC_ODBC_SOURCE_H_
#define HEADWATER_WORKER_SOURCE_ODBC_ODBC_SOURCE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "worker/source/source_reader.h"

namespace headwater {

inline constexpr absl::string_view kOdbcScheme = "odbc:";

// Connects lazily. INVALID_ARGUMENT: the URL is not an odbc URL, or names a secret that cannot be
// resolved here.
absl::StatusOr<std::unique_ptr<Source>> OpenOdbcSource(const ServerSpec& server);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_ODBC_SOURCE_H_
