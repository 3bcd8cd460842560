// PostgreSQL's types: which of ours holds each, how it is selected, and in which shape COPY sends
// it. One table of rules, which docs/types.md prints. Nothing is cast to text that we decode
// ourselves.
#ifndef HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_TYPE_H_
#define HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_TYPE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/data/schema.h"

namespace headwater {

// The binary forms of fields that we decode.
enum class WireShape {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kOid,  // Four bytes without a sign.
  kFloat4,
  kFloat8,
  kNumeric,
  kNumericText,  // The same bytes, into text.
  kText,
  kChar,   // One byte; 0 is the empty text.
  kJsonb,  // A version byte, then text.
  kUuid,
  kBytea,
  kDate,
  kTimestamp,  // With or without a zone: both are microseconds since 2000.
};

// What PostgreSQL says of a column's type, domains resolved to what they are made of.
struct PostgresTypeName {
  // The type's name in pg_catalog; `citext`; `enum` and `array` for all of these, `money[]` apart;
  // empty for any other type that is not PostgreSQL's own.
  std::string name;
  int modifier = -1;  // pg_attribute.atttypmod
};

// How one kind of column is read.
struct PostgresRule {
  absl::string_view
      name;  // As of PostgresTypeName, but for `numeric(p,s)` and `*`, any other type.
  TypeKind kind;
  WireShape shape;
  absl::string_view select;  // What is selected; $0 is the column.
  absl::string_view note;    // What docs/types.md says of its values.
};

// Every rule once. The last one, `*`, is for types that have none of their own.
absl::Span<const PostgresRule> PostgresRules();

struct PostgresType {
  ColumnType type;
  const PostgresRule* rule;  // Of PostgresRules(), or of AsText().

  // True for a type without a rule of its own: people are told that it becomes text.
  bool unknown() const { return rule->name == "*"; }
};

// A numeric(p,s) is a decimal where its digits, without an exponent, are at most 38. Every other
// numeric is text: no decimal column could hold all its values.
PostgresType TypeOfPostgres(const PostgresTypeName& name);

// The same column when it is read as text (`columns: cast`): as PostgreSQL prints it, with every
// digit. Not for bytea.
PostgresType AsText(const PostgresType& type);

// The expression that selects `column`, which is quoted, for this type's wire shape.
std::string SelectedAs(const PostgresType& type, absl::string_view column);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_TYPE_H_
