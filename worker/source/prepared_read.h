// What is to be read, once for all adapters: which columns, of which extent.
#ifndef HEADWATER_WORKER_SOURCE_PREPARED_READ_H_
#define HEADWATER_WORKER_SOURCE_PREPARED_READ_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "common/model/extent.h"
#include "worker/source/range_query.h"
#include "worker/source/selection.h"
#include "worker/source/source_session.h"

namespace headwater {

struct PreparedRead {
  Selection selection;
  RangeQuery query;  // Without its expressions: how a column is asked for is the adapter's choice.
};

// `available` is what `session` says of the dataset's relation. Errors: those of SelectColumns()
// and CheckCursorType(), and the session's.
absl::StatusOr<PreparedRead> PrepareRead(SourceSession& session,
                                         const std::vector<SourceColumn>& available,
                                         const DatasetSpec& dataset, const Extent& extent,
                                         const ReadOptions& options);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_PREPARED_READ_H_
