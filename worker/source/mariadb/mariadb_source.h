// MariaDB and MySQL through libmariadb: rows as the server streams them. For other ways to reach
// them there is ODBC.
#ifndef HEADWATER_WORKER_SOURCE_MARIADB_MARIADB_SOURCE_H_
#define HEADWATER_WORKER_SOURCE_MARIADB_MARIADB_SOURCE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "worker/source/source_reader.h"

namespace headwater {

// Connects when first needed. INVALID_ARGUMENT: a reference in the URL cannot be resolved here.
absl::StatusOr<std::unique_ptr<Source>> OpenMariaDbSource(const ServerSpec& server);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_MARIADB_MARIADB_SOURCE_H_
