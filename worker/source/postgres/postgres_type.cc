#include "worker/source/postgres/postgres_type.h"

#include <array>
#include <utility>

namespace headwater {
namespace {

constexpr int kModifierHeader = 4;  // typmod counts a header that is no part of the value.
constexpr int kMaxPrecision = 38;

struct Entry {
  absl::string_view name;
  TypeKind kind;
  WireShape shape;
};

constexpr std::array<Entry, 16> kTypes = {{
    {"bool", TypeKind::kBoolean, WireShape::kBool},
    {"int2", TypeKind::kShort, WireShape::kInt2},
    {"int4", TypeKind::kInteger, WireShape::kInt4},
    {"int8", TypeKind::kLong, WireShape::kInt8},
    {"float4", TypeKind::kFloat, WireShape::kFloat4},
    {"float8", TypeKind::kDouble, WireShape::kFloat8},
    {"text", TypeKind::kString, WireShape::kText},
    {"varchar", TypeKind::kString, WireShape::kText},
    {"bpchar", TypeKind::kString, WireShape::kText},
    {"json", TypeKind::kString, WireShape::kText},
    {"jsonb", TypeKind::kString, WireShape::kJsonb},
    {"uuid", TypeKind::kString, WireShape::kUuid},
    {"bytea", TypeKind::kBinary, WireShape::kBytea},
    {"date", TypeKind::kDate, WireShape::kDate},
    {"timestamp", TypeKind::kTimestampNtz, WireShape::kTimestamp},
    {"timestamptz", TypeKind::kTimestamp, WireShape::kTimestamp},
}};

}  // namespace

PostgresType TypeOfPostgres(absl::string_view name, int modifier) {
  for (const Entry& entry : kTypes) {
    if (entry.name == name) return {.type = ColumnType{entry.kind}, .shape = entry.shape};
  }
  if (name == "numeric" && modifier >= kModifierHeader) {
    const int precision = ((modifier - kModifierHeader) >> 16) & 0xFFFF;
    // Eleven bits with a sign.
    const int scale = (((modifier - kModifierHeader) & 0x7FF) ^ 1024) - 1024;
    if (precision <= kMaxPrecision && scale >= 0 && scale <= precision) {
      return {.type = ColumnType{TypeKind::kDecimal, precision, scale},
              .shape = WireShape::kNumeric};
    }
  }
  return {.type = ColumnType{TypeKind::kString}, .shape = WireShape::kText, .cast_to_text = true};
}

}  // namespace headwater
