// What a source sums of the parts of an extent, once for all adapters (key_ranges.h).
#ifndef HEADWATER_WORKER_SOURCE_PART_CHECKSUMS_H_
#define HEADWATER_WORKER_SOURCE_PART_CHECKSUMS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "common/model/extent.h"
#include "worker/source/source_reader.h"
#include "worker/source/source_session.h"

namespace headwater {

// Errors: as of Source::KeyToDivideBy().
absl::StatusOr<DividingKey> FindDividingKey(SourceSession& session, const DatasetSpec& dataset,
                                            const ReadOptions& options);

// Errors: as of Source::ChecksumParts().
absl::StatusOr<PartChecksums> SumParts(SourceSession& session, const DatasetSpec& dataset,
                                       const Extent& extent, const ReadOptions& options,
                                       const ChecksumOptions& checksum, const std::string& key,
                                       const std::vector<std::string>& borders);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_PART_CHECKSUMS_H_
