// One attempt read over several connections: each part has its reader, its writer and its threads.
#ifndef HEADWATER_WORKER_STAGED_PARTS_H_
#define HEADWATER_WORKER_STAGED_PARTS_H_

#include <memory>
#include <stop_token>
#include <variant>
#include <vector>

#include "common/model/task.h"
#include "worker/microbatch_runner.h"
#include "worker/observed_reader.h"
#include "worker/source/source_reader.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// Pumps all `readers` at the same time and merges what they staged. `staging` is that of the whole:
// its memory is divided among the parts, and its known pieces are compared with the whole. The
// first failure in time is the answer: it stops the other parts, and no file stays. A stop request
// cancels all readers at once. `progress` is of all parts together, and is called by one thread at
// a time. Blocks; uses two threads per part.
std::variant<Manifest, SidedError> StageParts(std::vector<std::unique_ptr<SourceReader>> readers,
                                              const StagingOptions& staging,
                                              const StagingFactory& open_writer,
                                              std::stop_token stop,
                                              const ProgressCallback& progress);

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGED_PARTS_H_
