// Gives a source's rows the columns of their table: a decorator, so that neither side knows of it.
#ifndef HEADWATER_WORKER_SOURCE_CONFORMING_READER_H_
#define HEADWATER_WORKER_SOURCE_CONFORMING_READER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "worker/source/source_reader.h"

namespace headwater {

// What `inner` reads, with the columns that PlanSchema() (common/data/schema_drift.h) gives rows of
// this source in a table of the columns `table`: by name, in the table's order, converted without
// loss, NULL where the source has no such column, new ones as `policy` says. `inner` itself when
// nothing is to be done, also when `table` has no columns. Errors: of PlanSchema().
//
// As a SourceReader: confined to one thread, except Cancel().
absl::StatusOr<std::unique_ptr<SourceReader>> ConformToTable(std::unique_ptr<SourceReader> inner,
                                                             const Schema& table,
                                                             SchemaPolicy policy,
                                                             const DatasetSpec& dataset);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_CONFORMING_READER_H_
