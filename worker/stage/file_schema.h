// The columns of a dataset's data files, and those of them that are the same in every row of an
// attempt. Includes Arrow's forward declarations only.
#ifndef HEADWATER_WORKER_STAGE_FILE_SCHEMA_H_
#define HEADWATER_WORKER_STAGE_FILE_SCHEMA_H_

#include <arrow/type_fwd.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// The source's columns, then those of versions, then `loaded_at` and `microbatch`, then those of
// keyed writes that are for Headwater; without those that the dataset leaves out. All nullable, so
// that servers of one table that differ in NOT NULL share a schema.
Schema FileSchemaOf(const DatasetSpec& dataset, const Schema& source);

// INVALID_ARGUMENT: two columns of files and partitions have one name; case does not tell columns
// apart in Delta.
absl::Status CheckColumnNames(const Schema& file_schema, const DatasetSpec& dataset);

// `loaded_at` and `microbatch` ("<table>/<server>@<fence>") of an attempt, as far as the dataset
// has them: an array of `rows` equal values each.
absl::StatusOr<arrow::ArrayVector> AttemptColumns(const StagingOptions& options, int64_t rows);

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_FILE_SCHEMA_H_
