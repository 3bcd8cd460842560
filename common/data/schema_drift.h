// What becomes of a table's columns when a source's are no longer the same. Pure: the coordinator
// asks at each probe, the worker at each read, and both get the same answer. Columns are matched
// by name, never by position.
//
//   source has a column that the table lacks   added, refused or left out: SchemaPolicy
//   table has a column that the source lacks   NULL, with a notice; refused for a cursor or a key
//   source's type fits into the table's        converted, without loss: integer -> long
//   source's type is wider                     the table's widens where files stay readable
//   anything else                              refused, with the difference spelled out
#ifndef HEADWATER_COMMON_DATA_SCHEMA_DRIFT_H_
#define HEADWATER_COMMON_DATA_SCHEMA_DRIFT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/data/schema.h"

namespace headwater {

enum class SchemaPolicy {
  kEvolve,  // The table follows: new columns, wider types.
  kFreeze,  // The table's columns stay as they are: what would change them is refused.
  kIgnore,  // New columns are left out; types widen all the same, for no row can be left out.
};

std::string SchemaPolicyToString(SchemaPolicy policy);  // evolve, freeze, ignore

// The narrowest type that holds what either holds, and under which files of both are read as they
// are, by every reader (docs/types.md): within the integers, float with double, decimals of one
// scale. None: there is no such type. Symmetric and associative, so that servers may come in any
// order.
std::optional<ColumnType> WidenedType(const ColumnType& a, const ColumnType& b);

// Whether every value of `from` is one of `to` after conversion of the row.
bool Converts(const ColumnType& from, const ColumnType& to);

struct SchemaPlan {
  // The table's columns from now on: those it had, in their order, then new ones in the source's.
  // All may be NULL.
  Schema table;
  // The same columns as rows of this source have them: NOT NULL where the source says so.
  Schema rows;
  std::vector<std::string> notices;  // For people, one per column at most.
};

// What the table and the source's rows become. `needed` are the columns that the dataset cannot do
// without (cursor and keys). A table without columns takes the source's as they are.
// INVALID_ARGUMENT: they do not go together; the message has each column, what the table has, what
// the source has, and what to do.
absl::StatusOr<SchemaPlan> PlanSchema(const Schema& table, const Schema& source,
                                      SchemaPolicy policy, const std::vector<std::string>& needed);

// The least table that holds rows of both: the columns of `table`, wider where they must be, then
// the further ones of `staged`. INVALID_ARGUMENT: there is none; the message has the difference.
absl::StatusOr<Schema> JoinSchemas(const Schema& table, const Schema& staged);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_SCHEMA_DRIFT_H_
