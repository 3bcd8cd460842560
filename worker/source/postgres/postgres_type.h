// PostgreSQL's types: which of ours holds each, and in which shape COPY sends it.
//
//   bool                     boolean          date                 date
//   int2, int4, int8         short, integer,  timestamp            timestamp_ntz
//                            long             timestamptz          timestamp
//   float4, float8           float, double    text, varchar, char  string
//   numeric(p,s), p <= 38    decimal(p,s)     uuid, json, jsonb    string
//   bytea                    binary           everything else      string, cast to text
// A numeric without precision (or with more than 38 digits, or a scale outside 0 to its precision)
// is a string too: no decimal column could hold all its values.
#ifndef HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_TYPE_H_
#define HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_TYPE_H_

#include "absl/strings/string_view.h"
#include "common/data/schema.h"

namespace headwater {

// The binary forms of fields that we decode.
enum class WireShape {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kNumeric,
  kText,
  kJsonb,  // A version byte, then text.
  kUuid,
  kBytea,
  kDate,
  kTimestamp,  // With or without a zone: both are microseconds since 2000.
};

struct PostgresType {
  ColumnType type;
  WireShape shape = WireShape::kText;
  bool cast_to_text = false;  // Selected as `column::text`.
};

// `name` and `modifier` are pg_type.typname and pg_attribute.atttypmod.
PostgresType TypeOfPostgres(absl::string_view name, int modifier);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_TYPE_H_
