// Stages keyed writes: rows that are looked up in a table by their key, for merges and for
// versions. Files of a keyed table hold whole keys and belong to no piece; an attempt names the
// live files that it replaces and stages what takes their place.
#ifndef HEADWATER_WORKER_CHANGE_KEYED_WRITER_H_
#define HEADWATER_WORKER_CHANGE_KEYED_WRITER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// Keeps what is read until Finish() (about 60 bytes a row in memory; the rows themselves beyond
// `memory_bytes` on disk, in a file without a name), which then looks up each row in the files of
// `options.base` and writes anew just those files in which something changes. Where the
// dataset's small files have become many, they are joined by the way. Nothing changed: no file,
// and the manifest's pieces may all be unchanged.
// Requires: `options.base`, and a dataset that is keyed(). INVALID_ARGUMENT: as
// OpenParquetStaging() and ReadRows. Finish() also: DATA_LOSS, a row or a history in the table that
// Headwater cannot have written; CANCELLED, after `options.stop`.
absl::StatusOr<std::unique_ptr<StagingWriter>> OpenKeyedStaging(const StagingOptions& options);

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_KEYED_WRITER_H_
