// Which columns of a relation a dataset reads, and which of them is its cursor.
#ifndef HEADWATER_WORKER_SOURCE_SELECTION_H_
#define HEADWATER_WORKER_SOURCE_SELECTION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/cursor.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "worker/source/source_session.h"

namespace headwater {

struct Selection {
  std::vector<SourceColumn> columns;  // Selected, in source order.
  Schema schema;                      // The same without the source's words.
  CursorColumn cursor;                // CursorType::kNone if the dataset has no cursor.
};

// Applies include_columns, exclude_columns and text_columns. The cursor must exist, but need not be
// selected.
// NOT_FOUND: a column that is named but does not exist (names the nearest and all others).
// INVALID_ARGUMENT: nothing is selected, the cursor's type does not order rows, or a column can be
// read as nothing, or not as text, which it should be.
absl::StatusOr<Selection> SelectColumns(const DatasetSpec& dataset,
                                        const std::vector<SourceColumn>& available);

// INVALID_ARGUMENT: the cursor has another type than the plan was made for, so bounds would be
// misread. A read of the whole dataset (CursorType::kNone) drops the cursor from `selection`.
absl::Status CheckCursorType(const DatasetSpec& dataset, Selection& selection, CursorType planned);

// What names a row in errors, as indexes into the selection: the key's columns; without a key the
// first two and the cursor, which tell a person where to look.
std::vector<int> RowNamingColumns(const DatasetSpec& dataset, const Selection& selection);

// "; did you mean 'flights'? There are: airlines, flights, planes". At most 20 names.
std::string SuggestNames(absl::string_view wanted, const std::vector<std::string>& names);

// NOT_FOUND for a relation that does not exist, with the names of those that do.
absl::Status NoSuchTable(absl::string_view relation, const std::vector<std::string>& names);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_SELECTION_H_
