// The peer of durable_cycles_bench: a work queue in PostgreSQL, the usual other way to hand out
// work.
#ifndef HEADWATER_BENCH_SKIP_LOCKED_QUEUE_H_
#define HEADWATER_BENCH_SKIP_LOCKED_QUEUE_H_

#include <string>

#include "absl/status/statusor.h"

namespace headwater {

// Fills a queue of `jobs` in a throw-away PostgreSQL whose commits wait for the disk, and takes
// them out with `clients` connections, one job a transaction, by FOR UPDATE SKIP LOCKED. Returns
// jobs per second: of the dequeue alone, nothing is done with a job. UNIMPLEMENTED: there is no
// PostgreSQL here. INTERNAL: it answered with an error.
absl::StatusOr<double> MeasureSkipLocked(int jobs, int clients);

}  // namespace headwater

#endif  // HEADWATER_BENCH_SKIP_LOCKED_QUEUE_H_
