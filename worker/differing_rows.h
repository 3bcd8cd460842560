// Repairs: what a table has is kept, and just what differs from the source is read.
#ifndef HEADWATER_WORKER_DIFFERING_ROWS_H_
#define HEADWATER_WORKER_DIFFERING_ROWS_H_

#include "common/model/task.h"
#include "worker/stage/staging_writer.h"
#include "worker/task_read.h"

namespace headwater {

// Stages the pieces that `staging` makes so that they are as the source has them: rows of `base`
// where the two agree, rows of the source where they do not. Where that cannot be told all are
// read. Of a keyed table only rows of those ranges are looked at.
Staged ReadDiffering(StagingOptions staging, const TableBase& base, const TaskReading& reading);

}  // namespace headwater

#endif  // HEADWATER_WORKER_DIFFERING_ROWS_H_
