#include "worker/source/bad_row_rules.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/source/value_text.h"

namespace headwater {

BadRowRules RulesFor(const DatasetSpec& dataset, const Selection& selection) {
  BadRowRules rules;
  rules.truncate_fine_time = dataset.truncate_fine_time;
  rules.set_aside = dataset.on_bad_row == BadRowPolicy::kQuarantine;
  rules.key = RowNamingColumns(dataset, selection);
  rules.cursor_type = selection.cursor.type;
  if (rules.cursor_type != CursorType::kNone) {
    rules.cursor = selection.schema.Find(selection.cursor.name);
  }
  return rules;
}

std::string Expected(const ColumnType& type) {
  return absl::StrCat("expected ", type.kind == TypeKind::kInteger ? "an " : "a ",
                      TypeToString(type), type.kind == TypeKind::kString ? " in UTF-8" : "");
}

std::optional<BadRow> MakeBadRow(const BadRowRules& rules, const Schema& schema, size_t column,
                                 TextOfColumn text_of) {
  if (!rules.set_aside) return std::nullopt;
  BadRow bad;
  if (rules.cursor_type != CursorType::kNone) {
    if (rules.cursor < 0 || static_cast<size_t>(rules.cursor) == column) return std::nullopt;
    if (const auto cursor = text_of(static_cast<size_t>(rules.cursor)); cursor.has_value()) {
      bool finer = false;
      bad.cursor = ParseCursor(rules.cursor_type, *cursor, &finer);
      if (finer && !rules.truncate_fine_time) return std::nullopt;
      if (!bad.cursor.has_value()) return std::nullopt;
    }
  }
  const Column& declared = schema.columns[column];
  bad.column = ShownText(declared.name);
  bad.value = ShownText(text_of(column).value_or(""));
  bad.reason = Expected(declared.type);
  RowJson key, row;
  for (const int i : rules.key) {
    key.Add(schema.columns[static_cast<size_t>(i)].name, text_of(static_cast<size_t>(i)));
  }
  for (size_t i = 0; i < schema.columns.size(); ++i) row.Add(schema.columns[i].name, text_of(i));
  bad.key = key.Text();
  bad.row = row.Text();
  return bad;
}

std::string AdviceFor(const BadRowRules& rules, const Schema& schema, size_t column,
                      absl::string_view text) {
  const Column& declared = schema.columns[column];
  const TypeKind kind = declared.type.kind;
  if (kind == TypeKind::kString || kind == TypeKind::kBinary) return "";
  bool finer = false;
  if (kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampNtz) {
    ParseInstant(text, /*zoneless_is_utc=*/true, &finer);
  }
  const std::string cut = finer ? "on_fine_time: truncate cuts it to microseconds" : "";
  if (static_cast<int>(column) == rules.cursor) return finer ? absl::StrCat("; ", cut) : "";
  return absl::StrCat("; ", cut, finer ? ", " : "", "columns: {cast: {", declared.name,
                      ": string}} reads it as text");
}

}  // namespace headwater
