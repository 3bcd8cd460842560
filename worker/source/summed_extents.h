// What a source sums and counts of extents, once for all adapters, in statements of its own.
#ifndef HEADWATER_WORKER_SOURCE_SUMMED_EXTENTS_H_
#define HEADWATER_WORKER_SOURCE_SUMMED_EXTENTS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/data/schema_drift.h"
#include "common/model/dataset_spec.h"
#include "common/model/extent.h"
#include "worker/source/checksum_query.h"
#include "worker/source/selection.h"
#include "worker/source/source_reader.h"
#include "worker/source/source_session.h"

namespace headwater {

// The columns to sum, in order, so that rows have the same texts after ConformToTable() to `table`
// by `policy`; of a table without columns those of `selection`. Errors: of PlanSchema().
absl::StatusOr<std::vector<ChecksumColumn>> ChecksumColumnsFor(const Selection& selection,
                                                               const Schema& table,
                                                               SchemaPolicy policy,
                                                               const DatasetSpec& dataset);

// Those columns as ExtentChecksums names them.
Schema SummedColumns(const std::vector<ChecksumColumn>& columns);

// Errors: as of Source::Checksums().
absl::StatusOr<ExtentChecksums> SumExtents(SourceSession& session, const DatasetSpec& dataset,
                                           const std::vector<Extent>& extents,
                                           const ReadOptions& options,
                                           const ChecksumOptions& checksum);

// Errors: as of Source::Counts().
absl::StatusOr<std::vector<ExtentCount>> CountExtents(SourceSession& session,
                                                      const DatasetSpec& dataset,
                                                      const std::vector<Extent>& extents,
                                                      const ReadOptions& options);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_SUMMED_EXTENTS_H_
