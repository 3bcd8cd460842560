#include "coordinator/commit/delta/table_shape.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/ids.h"
#include "common/base/status.h"
#include "common/data/schema_drift.h"
#include "coordinator/commit/delta/delta_schema.h"
#include "coordinator/commit/delta/table_claim.h"

namespace headwater {

absl::StatusOr<TableShape> TableShape::Of(const DeltaSnapshot& snapshot) {
  TableShape shape;
  if (!snapshot.exists()) return shape;
  ASSIGN_OR_RETURN(shape.schema_, SchemaFromJson(snapshot.metadata()->schema_string));
  shape.partition_columns_ = snapshot.metadata()->partition_columns;
  return shape;
}

absl::Status TableShape::Take(const Replacement& replacement) {
  if (!empty() && replacement.manifest.schema == taken_ && replacement.partition_by == taken_by_ &&
      replacement.server_column == taken_server_) {
    return absl::OkStatus();
  }
  Schema staged =
      TableSchema(replacement.manifest.schema, replacement.server_column, replacement.partition_by);
  if (const std::string clash = ColumnClash(staged); !clash.empty())
    return absl::InvalidArgumentError(clash);
  std::vector<std::string> partitions =
      PartitionColumns(replacement.server_column, replacement.partition_by);
  if (empty()) {
    schema_ = std::move(staged);
    partition_columns_ = std::move(partitions);
    grown_ = true;
    Remember(replacement);
    return absl::OkStatus();
  }
  if (partitions != partition_columns_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the table is partitioned by ", absl::StrJoin(partition_columns_, ", "), ", expected ",
        absl::StrJoin(partitions, ", "),
        ". Set partition_by and system_columns to what the table has, or load into another table "
        "(target_table)"));
  }
  ASSIGN_OR_RETURN(Schema joined, JoinSchemas(schema_, staged));
  if (!(joined == schema_)) {
    if (const std::string clash = ColumnClash(joined); !clash.empty())
      return absl::InvalidArgumentError(clash);
    schema_ = std::move(joined);
    grown_ = true;
  }
  Remember(replacement);
  return absl::OkStatus();
}

void TableShape::Remember(const Replacement& replacement) {
  taken_ = replacement.manifest.schema;
  taken_by_ = replacement.partition_by;
  taken_server_ = replacement.server_column;
}

absl::Status TableShape::Put(const DeltaSnapshot& snapshot, const std::string& ledger_id,
                             int64_t now_ms, DeltaVersion& actions) const {
  if (!grown_) return absl::OkStatus();
  if (!snapshot.exists()) {
    const std::string id = RandomId();
    const std::string guid =
        absl::StrCat(id.substr(0, 8), "-", id.substr(8, 4), "-", id.substr(12, 4), "-",
                     id.substr(16, 4), "-", id.substr(20));
    actions.protocol = ProtocolFor(schema_);
    actions.metadata = DeltaMetadata{
        guid, SchemaToJson(schema_), partition_columns_, {{kOwnerProperty, ledger_id}}, now_ms};
    return absl::OkStatus();
  }
  actions.metadata = snapshot.metadata();
  ASSIGN_OR_RETURN(actions.metadata->schema_string,
                   GrowSchemaJson(snapshot.metadata()->schema_string, schema_));
  DeltaProtocol protocol = GrowProtocol(*snapshot.protocol(), schema_);
  if (!(protocol == *snapshot.protocol())) actions.protocol = std::move(protocol);
  return absl::OkStatus();
}

}  // namespace headwater
