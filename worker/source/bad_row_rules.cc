#include "worker/source/bad_row_rules.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/source/value_text.h"

namespace headwater {

BadRowRules RulesFor(const DatasetSpec& dataset, const Selection& selection) {
  BadRowRules rules;
  rules.set_aside = dataset.on_bad_row == BadRowPolicy::kQuarantine;
  rules.key = RowNamingColumns(dataset, selection);
  rules.cursor_type = selection.cursor.type;
  if (rules.cursor_type != CursorType::kNone) {
    rules.cursor = selection.schema.Find(selection.cursor.name);
  }
  return rules;
}

std::optional<BadRow> MakeBadRow(const BadRowRules& rules, const Schema& schema, size_t column,
                                 TextOfColumn text_of) {
  if (!rules.set_aside) return std::nullopt;
  BadRow bad;
  if (rules.cursor_type != CursorType::kNone) {
    if (rules.cursor < 0 || static_cast<size_t>(rules.cursor) == column) return std::nullopt;
    if (const auto cursor = text_of(static_cast<size_t>(rules.cursor)); cursor.has_value()) {
      bad.cursor = ParseCursor(rules.cursor_type, *cursor);
      if (!bad.cursor.has_value()) return std::nullopt;
    }
  }
  const Column& declared = schema.columns[column];
  bad.column = ShownText(declared.name);
  bad.value = ShownText(text_of(column).value_or(""));
  bad.reason = absl::StrCat("expected a ", TypeToString(declared.type),
                            declared.type.kind == TypeKind::kString ? " in UTF-8" : "");
  RowJson key, row;
  for (const int i : rules.key) {
    key.Add(schema.columns[static_cast<size_t>(i)].name, text_of(static_cast<size_t>(i)));
  }
  for (size_t i = 0; i < schema.columns.size(); ++i) row.Add(schema.columns[i].name, text_of(i));
  bad.key = key.Text();
  bad.row = row.Text();
  return bad;
}

}  // namespace headwater
