// Some rows of a batch, as a batch of their own.
#ifndef HEADWATER_WORKER_STAGE_TAKEN_ROWS_H_
#define HEADWATER_WORKER_STAGE_TAKEN_ROWS_H_

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"

namespace headwater {

// Copies: what comes of it keeps nothing of `rows` alive. Requires: `wanted` are places in it.
absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> TakeRows(const arrow::RecordBatch& rows,
                                                             const std::vector<int32_t>& wanted);

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_TAKEN_ROWS_H_
