// The columns that Headwater adds to a source's own: their names in one table, and which of a
// table's columns they are.
#ifndef HEADWATER_COMMON_DATA_SYSTEM_COLUMNS_H_
#define HEADWATER_COMMON_DATA_SYSTEM_COLUMNS_H_

#include <string>
#include <utility>
#include <vector>

#include "common/data/schema.h"

namespace headwater {

// By name; one whose name is empty is left out. Which of them a table has depends on how it is
// written: `row_hash` and all below it belong to keyed writes.
struct SystemColumns {
  std::string server_source = "server_source";
  std::string loaded_at = "_hw_loaded_at";
  std::string microbatch = "_hw_microbatch";
  std::string row_hash = "_hw_row_hash";
  std::string deleted_at = "_hw_deleted_at";  // Since when the source has the row no more.
  std::string valid_from = "valid_from";      // Versions: half-open,
  std::string valid_to = "valid_to";          // NULL for the current one.
  std::string is_current = "is_current";
  std::string confirmed_at = "_hw_confirmed_at";  // docs/history.md
  friend auto operator<=>(const SystemColumns&, const SystemColumns&) = default;
  friend bool operator==(const SystemColumns&, const SystemColumns&) = default;

  const std::string& NameOf(SystemColumn column) const;
  std::string& NameOf(SystemColumn column);
};

// In the words of the configuration: `loaded_at`, `valid_from`, ….
const std::vector<std::pair<SystemColumn, std::string>>& SystemColumnKeys();

// Says of each column that has one of these names that it is ours; for what was read from a file,
// which does not tell.
void MarkSystemColumns(const SystemColumns& names, Schema& schema);

// Tables and ledgers of early versions do not say which columns are ours, when each had but one
// name: marks those of a schema in which none is marked.
void MarkUnmarked(Schema& schema);

// The column of `schema` that is this one of ours, or -1.
int FindSystemColumn(const Schema& schema, SystemColumn column);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_SYSTEM_COLUMNS_H_
