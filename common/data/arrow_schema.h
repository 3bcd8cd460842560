// The one door between our column types and Arrow's, and the only header in common/data that
// includes Arrow: include it from .cc files and private headers only.
//
//   boolean        boolean               decimal(p,s)   decimal128(p,s)
//   byte           int8                  string         utf8
//   short          int16                 binary         binary
//   integer        int32                 date           date32
//   long           int64                 timestamp      timestamp[us, UTC]
//   float, double  float32, float64      timestamp_ntz  timestamp[us]
#ifndef HEADWATER_COMMON_DATA_ARROW_SCHEMA_H_
#define HEADWATER_COMMON_DATA_ARROW_SCHEMA_H_

#include <arrow/memory_pool.h>
#include <arrow/status.h>
#include <arrow/type.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/schema.h"

namespace headwater {

// Cannot fail for a type that ParseType() accepts.
std::shared_ptr<arrow::DataType> ToArrow(const ColumnType& type);
std::shared_ptr<arrow::Schema> ToArrow(const Schema& schema);

// The inverse, for exactly the types of the table above (any zone name of a timestamp counts as
// UTC: Arrow keeps instants in UTC whatever the name says). UNIMPLEMENTED: every other type.
absl::StatusOr<ColumnType> FromArrow(const arrow::DataType& type);
absl::StatusOr<Schema> FromArrow(const arrow::Schema& schema);

// The pool that all our Arrow memory comes from: Arrow's default, or the system's under a
// sanitizer, so that the sanitizer sees each allocation.
arrow::MemoryPool* ArrowPool();

// An Arrow error as ours, with "<doing>: " before the message. Out of memory is RESOURCE_EXHAUSTED,
// Invalid and TypeError are INVALID_ARGUMENT, the rest is INTERNAL. OK stays OK.
absl::Status FromArrow(const arrow::Status& status, absl::string_view doing);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_ARROW_SCHEMA_H_
