// Rows with a value that does not fit: how each adapter names one, and takes it out of the batch.
#ifndef HEADWATER_WORKER_SOURCE_BAD_ROW_RULES_H_
#define HEADWATER_WORKER_SOURCE_BAD_ROW_RULES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "common/data/bad_row.h"
#include "common/data/cursor.h"
#include "worker/source/selection.h"

namespace headwater {

struct BadRowRules {
  bool set_aside = false;  // `on_bad_row: quarantine`; else such a row is an error.
  std::vector<int> key;    // RowNamingColumns().
  int cursor = -1;         // Its column in the selection; -1: the dataset has none.
  CursorType cursor_type = CursorType::kNone;
  bool truncate_fine_time = false;  // `on_fine_time: truncate`
};

BadRowRules RulesFor(const DatasetSpec& dataset, const Selection& selection);

// A column of the row at hand as text, as whole as the source gives it; none: NULL.
using TextOfColumn = absl::FunctionRef<std::optional<std::string>(size_t column)>;

// What a value of `type` would have had to be: "expected an integer", "expected a string in UTF-8".
std::string Expected(const ColumnType& type);

// The row at hand for the quarantine. `column` is the first that does not fit. None: it has to be
// an error, since the dataset asks for it, or since the row's place cannot be told: it is the
// cursor that does not fit.
std::optional<BadRow> MakeBadRow(const BadRowRules& rules, const Schema& schema, size_t column,
                                 TextOfColumn text_of);

// How the dataset could be told to take a value like `text`, which does not fit: the end of a
// message, "; …", or empty where the source has to be mended.
std::string AdviceFor(const BadRowRules& rules, const Schema& schema, size_t column,
                      absl::string_view text);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_BAD_ROW_RULES_H_
