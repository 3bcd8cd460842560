// Stages Parquet files for a Delta table on local disk. Files are written under their final names,
//
//   <target>/server_source=ewr/cursor_day=2013-01-01/hw-<fence>-p<piece>-<n>-<hex>.parquet
//
// and stay invisible until the table's log names them: readers of the table go by the log alone.
// A file holds the source's columns, then `_hw_loaded_at` (timestamp) and `_hw_microbatch`
// ("<table>/<server>@<fence>"); partition columns are only in the path. Every column of a file is
// nullable, so that servers of one table that differ in NOT NULL share a schema.
#ifndef HEADWATER_WORKER_STAGE_DELTA_STAGING_WRITER_H_
#define HEADWATER_WORKER_STAGE_DELTA_STAGING_WRITER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// `dataset.target_uri` is a folder, plain or as file://; it is made when the first file is.
//
// Order: by cursor, so that readers skip. Rows that come in that order become row groups of 16 MiB
// (in memory) while more are read. Others wait per piece and partition until together they exceed
// `memory_bytes`; then the largest waiting group is put in order and written as row groups.
// Files are closed at 128 MiB, and the least recently used ones beyond 128 open ones, so a
// partition may get several files.
//
// INVALID_ARGUMENT: what PartitionRouter::Create refuses, another kind of URI, or a source column
// that has the name of one of ours or of another (case does not tell columns apart in Delta).
absl::StatusOr<std::unique_ptr<StagingWriter>> OpenParquetStaging(const StagingOptions& options);

// The folder that a target names. INVALID_ARGUMENT: a URI that is not a local folder.
absl::StatusOr<std::string> LocalFolderOf(const std::string& target_uri);

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_DELTA_STAGING_WRITER_H_
