// The only place that knows which adapters exist: source kinds by URL scheme, sink kinds by target.
#ifndef HEADWATER_WORKER_REGISTRY_H_
#define HEADWATER_WORKER_REGISTRY_H_

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"
#include "worker/change/history_mender.h"
#include "worker/source/source_reader.h"
#include "worker/stage/file_compactor.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// What drivers need before anything else: SQLite's library, which the ledger shares, is told not to
// take a global lock for counting memory. Call it first of all in main().
void PrepareSources();

// `postgresql://…` → COPY over libpq; `mariadb://…` → libmariadb; `odbc:…` → ODBC. Resolves the
// secrets in the URL. INVALID_ARGUMENT: unknown scheme, or a reference that cannot be resolved
// here. Connects lazily.
absl::StatusOr<std::unique_ptr<Source>> OpenSource(const ServerSpec& server);

// A writer for the attempt `lease` of `task`, whose rows have `source_schema`.
absl::StatusOr<std::unique_ptr<StagingWriter>> OpenStagingWriter(const StagingOptions& options);

// Puts files of a table together: CompactFiles() of worker/stage, for the targets that there are.
absl::StatusOr<Manifest> CompactTarget(const CompactionOptions& options, std::stop_token stop);

// Looks at the histories of a table, and mends them: CheckHistories() and MendHistories() of
// worker/change, for the targets that there are.
absl::StatusOr<Manifest> CheckTargetHistories(const HistoryOptions& options,
                                              const std::stop_token& stop);
absl::StatusOr<Manifest> MendTargetHistories(const HistoryOptions& options,
                                             const std::stop_token& stop);

// Names for Hello: `postgresql`, `odbc`.
std::vector<std::string> SourceDrivers();

}  // namespace headwater

#endif  // HEADWATER_WORKER_REGISTRY_H_
