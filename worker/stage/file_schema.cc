#include "worker/stage/file_schema.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"

namespace headwater {
namespace {

void Add(const DatasetSpec& dataset, SystemColumn system, ColumnType type, Schema& schema) {
  const std::string& name = dataset.system_columns.NameOf(system);
  if (!name.empty()) schema.columns.push_back({name, type, true, system});
}

// Instants of versions are as the cursor is; whole reads have the source's clock.
ColumnType InstantType(const DatasetSpec& dataset, const Schema& source) {
  const int cursor = dataset.cursor.empty() ? -1 : source.Find(dataset.cursor);
  return cursor < 0 ? ColumnType{TypeKind::kTimestamp}
                    : source.columns[static_cast<size_t>(cursor)].type;
}

}  // namespace

Schema FileSchemaOf(const DatasetSpec& dataset, const Schema& source) {
  Schema schema = source;
  for (Column& column : schema.columns) column.nullable = true;
  const bool versions = dataset.write == WriteMode::kVersions;
  if (versions) {
    const ColumnType instant = InstantType(dataset, source);
    Add(dataset, SystemColumn::kValidFrom, instant, schema);
    Add(dataset, SystemColumn::kValidTo, instant, schema);
    Add(dataset, SystemColumn::kIsCurrent, {TypeKind::kBoolean}, schema);
  }
  Add(dataset, SystemColumn::kLoadedAt, {TypeKind::kTimestamp}, schema);
  Add(dataset, SystemColumn::kMicrobatch, {TypeKind::kString}, schema);
  if (dataset.on_missing == MissingPolicy::kMark)
    Add(dataset, SystemColumn::kDeletedAt, {TypeKind::kTimestamp}, schema);
  if (dataset.keyed()) Add(dataset, SystemColumn::kRowHash, {TypeKind::kBinary}, schema);
  if (versions && !dataset.cursor.empty())
    Add(dataset, SystemColumn::kConfirmedAt, {TypeKind::kString}, schema);
  return schema;
}

absl::Status CheckColumnNames(const Schema& file_schema, const DatasetSpec& dataset) {
  std::set<std::string> names = {absl::AsciiStrToLower(dataset.system_columns.server_source),
                                 PartitionColumn(dataset.partition_by)};
  for (const Column& column : file_schema.columns) {
    if (column.name.empty() || !names.insert(absl::AsciiStrToLower(column.name)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(ToString(dataset.id), ": column '", column.name,
                       "' has the name of another column of the target (case does not count). "
                       "Headwater's own can have other names (system_columns)"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<arrow::ArrayVector> AttemptColumns(const StagingOptions& options, int64_t rows) {
  const auto loaded_at = arrow::TimestampScalar(absl::ToUnixMicros(options.loaded_at),
                                                arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
  const auto microbatch = arrow::StringScalar(absl::StrCat(
      options.dataset.id.table, "/", options.dataset.id.server, "@", options.lease.fence));
  const SystemColumns& names = options.dataset.system_columns;
  arrow::ArrayVector columns;
  const auto add = [&](const std::string& name, const arrow::Scalar& value) -> absl::Status {
    if (name.empty()) return absl::OkStatus();
    auto array = arrow::MakeArrayFromScalar(value, rows, ArrowPool());
    RETURN_IF_ERROR(FromArrow(array.status(), "making constant columns"));
    columns.push_back(*std::move(array));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(add(names.loaded_at, loaded_at));
  RETURN_IF_ERROR(add(names.microbatch, microbatch));
  return columns;
}

}  // namespace headwater
