// A table's schema as Delta's `schemaString` (JSON of a struct type), and back.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_SCHEMA_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_SCHEMA_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/data/cursor.h"
#include "common/data/schema.h"
#include "coordinator/commit/delta/delta_actions.h"

namespace headwater {

// A column of ours is marked as such in its metadata, so that its name may be anything.
std::string SchemaToJson(const Schema& schema);
// UNIMPLEMENTED: nested types, which this program never writes. DATA_LOSS: not a schema.
absl::StatusOr<Schema> SchemaFromJson(absl::string_view json);

// The columns of the files, then the partition columns: `server_column` unless it is empty, and
// cursor_day (a date) or cursor_hour, cursor_month, cursor_year (text such as 2013-03).
Schema TableSchema(const Schema& file_schema, const std::string& server_column,
                   const Unit& partition_by);
std::vector<std::string> PartitionColumns(const std::string& server_column,
                                          const Unit& partition_by);

// `json`, whose columns are as in `schema` but for types that have widened and columns that are
// missing at its end. What others have written beside names and types stays. DATA_LOSS: not a
// schema.
absl::StatusOr<std::string> GrowSchemaJson(absl::string_view json, const Schema& schema);

// The least protocol that these columns need: 1/2, or 3/7 with timestampNtz.
DeltaProtocol ProtocolFor(const Schema& schema);
// The least that has what `protocol` has and these columns need.
DeltaProtocol GrowProtocol(const DeltaProtocol& protocol, const Schema& schema);

// Empty when no two names are the same to Delta, which does not tell upper from lower case; else
// which ones are, in words.
std::string ColumnClash(const Schema& schema);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_SCHEMA_H_
