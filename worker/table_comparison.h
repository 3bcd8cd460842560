// Verifications: a table's own files against the source.
#ifndef HEADWATER_WORKER_TABLE_COMPARISON_H_
#define HEADWATER_WORKER_TABLE_COMPARISON_H_

#include "common/model/task.h"
#include "worker/task_read.h"

namespace headwater {

// Compares the pieces that `staging` makes with the rows that `base` has of them. A piece whose
// checksum the source makes as its rows in the files have it is not read; of others only the ranges
// of a key are in which the two differ, if that can be told, else all. The manifest has what the
// source has (fingerprint) and what the files have (files_fingerprint), and rows that differ. Of a
// keyed table rows are looked up, and counted as if they were written.
Staged CompareWithFiles(const StagingOptions& staging, const TableBase& base,
                        const TaskReading& reading);

}  // namespace headwater

#endif  // HEADWATER_WORKER_TABLE_COMPARISON_H_
