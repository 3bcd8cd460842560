// Ended runs as a Parquet file: a row for each run and dataset, with what the run is repeated in
// each of its rows, which follow each other. A run without datasets has one row, in which `server`
// is NULL.
//
//   run_id  kind  by_person  retry_of  idempotency_key  started_at  ended_at  run_result
//   server  target_table  result  mode  window_from  window_to  window_from_value  window_to_value
//   microbatches … compacted_into (kCounts in run_file.cc)  rewritten[]  notices[]
//   problems[{extent, attempts, code, message}]
//
// Instants are TIMESTAMP(MICROS) in UTC. Columns may come later, none changes: docs/runs.md tells
// people what they are.
#ifndef HEADWATER_COORDINATOR_HISTORY_RUN_FILE_H_
#define HEADWATER_COORDINATOR_HISTORY_RUN_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "headwater/v1/history.pb.h"

namespace headwater {

// The same runs always make the same bytes. INTERNAL: Arrow could not.
absl::StatusOr<std::string> EncodeRuns(absl::Span<const v1::EndedRun> runs);

// As they were encoded, `archived` set. What a file has not (an older version's column) is as if it
// were zero. DATA_LOSS: not such a file, or a damaged one.
absl::StatusOr<std::vector<v1::EndedRun>> DecodeRuns(const std::string& bytes);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_HISTORY_RUN_FILE_H_
