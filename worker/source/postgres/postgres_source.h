// PostgreSQL as a Source, over libpq: `postgresql://user:${cred:crm}@host/database`.
#ifndef HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_SOURCE_H_
#define HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_SOURCE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "worker/source/source_reader.h"

namespace headwater {

// Connects lazily. INVALID_ARGUMENT: the URL names a secret that cannot be resolved here.
absl::StatusOr<std::unique_ptr<Source>> OpenPostgresSource(const ServerSpec& server);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_SOURCE_H_
