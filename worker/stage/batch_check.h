#ifndef HEADWATER_WORKER_STAGE_BATCH_CHECK_H_
#define HEADWATER_WORKER_STAGE_BATCH_CHECK_H_

#include <arrow/type_fwd.h>

#include "absl/status/status.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"

namespace headwater {

// INVALID_ARGUMENT for what the sink cannot hold: other columns than `expected`, NULL in NOT NULL,
// text that is no UTF-8.
absl::Status CheckBatch(const arrow::RecordBatch& rows, const Schema& expected,
                        const DatasetId& dataset);

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_BATCH_CHECK_H_
