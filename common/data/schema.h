// Columns of a table in the types that a sink can hold. Free of Arrow: arrow_schema.h converts.
#ifndef HEADWATER_COMMON_DATA_SCHEMA_H_
#define HEADWATER_COMMON_DATA_SCHEMA_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace headwater {

// The primitive types of a Delta table.
enum class TypeKind {
  kBoolean,
  kByte,
  kShort,
  kInteger,
  kLong,
  kFloat,
  kDouble,
  kDecimal,
  kString,
  kBinary,
  kDate,
  kTimestamp,     // Instant, microseconds UTC.
  kTimestampNtz,  // Wall clock, microseconds.
};

// Whose a column is: a source's, or one of those that Headwater adds (system_columns.h).
enum class SystemColumn {
  kNone,
  kServerSource,
  kLoadedAt,
  kMicrobatch,
  kRowHash,
  kDeletedAt,
  kValidFrom,
  kValidTo,
  kIsCurrent,
  kConfirmedAt,
};

struct ColumnType {
  TypeKind kind = TypeKind::kString;
  int precision = 0;  // Decimals only: 1 to 38.
  int scale = 0;      // Decimals only: 0 to precision.
  friend bool operator==(const ColumnType&, const ColumnType&) = default;
};

struct Column {
  std::string name;
  ColumnType type;
  bool nullable = true;
  SystemColumn system = SystemColumn::kNone;
  friend bool operator==(const Column&, const Column&) = default;
};

struct Schema {
  std::vector<Column> columns;

  // Index of the column of that exact name, or -1.
  int Find(absl::string_view name) const;
  friend bool operator==(const Schema&, const Schema&) = default;
};

// The columns of a source among those of a table or of its files: all but Headwater's own and those
// named in `partitions`.
Schema SourceColumns(const Schema& schema, const std::vector<std::string>& partitions = {});

// Delta's spelling: `long`, `decimal(18,6)`, `timestamp_ntz`.
std::string TypeToString(const ColumnType& type);
// INVALID_ARGUMENT for anything else.
absl::StatusOr<ColumnType> ParseType(absl::string_view text);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_SCHEMA_H_
