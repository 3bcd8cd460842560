#include "worker/source/selection.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr size_t kMaxNames = 20;
constexpr size_t kMaxNameBytes = 128;  // Bounds the work of comparing.

// Single-letter edits between two names, letter case apart.
size_t Distance(absl::string_view a, absl::string_view b) {
  a = a.substr(0, kMaxNameBytes);
  b = b.substr(0, kMaxNameBytes);
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change =
          diagonal + (absl::ascii_tolower(a[i - 1]) == absl::ascii_tolower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Makes it a column that is read as text.
absl::Status ReadAsText(const DatasetSpec& dataset, SourceColumn& column) {
  const std::string& name = column.column.name;
  if (column.column.type.kind == TypeKind::kBinary || name == dataset.cursor) {
    return absl::InvalidArgumentError(
        absl::StrCat("column '", name, "' of '", dataset.relation, "' (", column.type_name,
                     ") cannot be read as text: ",
                     name == dataset.cursor ? "it is the cursor, and would not order rows"
                                            : "its bytes need not be text",
                     "; take it out of columns: cast"));
  }
  column.column.type = ColumnType{TypeKind::kString};
  column.as_text = true;
  column.refusal.clear();
  column.notice = absl::StrCat("column '", name, "' (", column.type_name,
                               ") is read as text, as columns: cast asks for");
  return absl::OkStatus();
}

}  // namespace

std::string SuggestNames(absl::string_view wanted, const std::vector<std::string>& names) {
  if (names.empty()) return "; there are none";
  const auto nearest = std::min_element(
      names.begin(), names.end(),
      [&](const auto& a, const auto& b) { return Distance(wanted, a) < Distance(wanted, b); });
  std::string text = "; ";
  if (Distance(wanted, *nearest) <= 1 + wanted.size() / 3) {
    absl::StrAppend(&text, "did you mean '", *nearest, "'? ");
  }
  const size_t shown = std::min(names.size(), kMaxNames);
  absl::StrAppend(
      &text, "there are: ",
      absl::StrJoin(names.begin(), names.begin() + static_cast<ptrdiff_t>(shown), ", "));
  if (shown < names.size()) absl::StrAppend(&text, " and ", names.size() - shown, " more");
  return text;
}

absl::Status NoSuchTable(absl::string_view relation, const std::vector<std::string>& names) {
  return absl::NotFoundError(
      absl::StrCat("there is no table '", relation, "'", SuggestNames(relation, names)));
}

std::vector<int> RowNamingColumns(const DatasetSpec& dataset, const Selection& selection) {
  std::vector<int> naming;
  for (const std::string& name : dataset.key_columns) {
    if (const int i = selection.schema.Find(name); i >= 0) naming.push_back(i);
  }
  if (!naming.empty()) return naming;
  const int count = static_cast<int>(selection.columns.size());
  for (int i = 0; i < std::min(2, count); ++i) naming.push_back(i);
  const int cursor = selection.schema.Find(selection.cursor.name);
  if (cursor >= 2) naming.push_back(cursor);
  return naming;
}

absl::Status CheckCursorType(const DatasetSpec& dataset, Selection& selection, CursorType planned) {
  if (planned == CursorType::kNone) {
    selection.cursor = CursorColumn{};
    return absl::OkStatus();
  }
  if (selection.cursor.type == planned) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("cursor column '", dataset.cursor, "' of '",
                                                 dataset.relation,
                                                 "' has changed its type since it was probed"));
}

absl::StatusOr<Selection> SelectColumns(const DatasetSpec& dataset,
                                        const std::vector<SourceColumn>& available) {
  std::vector<std::string> names;
  for (const SourceColumn& column : available) names.push_back(column.column.name);
  const auto check = [&](const std::string& name) {
    if (Contains(names, name)) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat("'", dataset.relation, "' has no column '", name, "'",
                                            SuggestNames(name, names)));
  };
  for (const std::string& name : dataset.include_columns) RETURN_IF_ERROR(check(name));
  for (const std::string& name : dataset.exclude_columns) RETURN_IF_ERROR(check(name));
  for (const std::string& name : dataset.text_columns) RETURN_IF_ERROR(check(name));

  Selection selection;
  for (const SourceColumn& column : available) {
    const std::string& name = column.column.name;
    if (!dataset.include_columns.empty() && !Contains(dataset.include_columns, name)) continue;
    if (Contains(dataset.exclude_columns, name)) continue;
    selection.columns.push_back(column);
    SourceColumn& selected = selection.columns.back();
    if (Contains(dataset.text_columns, name)) RETURN_IF_ERROR(ReadAsText(dataset, selected));
    if (!selected.refusal.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("column '", name, "' of '", dataset.relation, "' ", selected.refusal,
                       "; leave it out (columns: exclude), or read it as text (columns: {cast: {",
                       name, ": string}})"));
    }
    selection.schema.columns.push_back(selected.column);
  }
  if (selection.columns.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no column of '", dataset.relation, "' is selected"));
  }
  if (dataset.cursor.empty()) return selection;
  RETURN_IF_ERROR(check(dataset.cursor));
  for (const SourceColumn& column : available) {
    if (column.column.name != dataset.cursor) continue;
    const std::optional<CursorType> type = CursorTypeOf(column.column.type.kind);
    if (!type.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "cursor column '", dataset.cursor, "' is a ", TypeToString(column.column.type),
          "; expected a timestamp, a date or an integer"));
    }
    selection.cursor = CursorColumn{
        .name = dataset.cursor, .type = *type, .separator = ' ', .source_type = column.type_name};
  }
  return selection;
}

}  // namespace headwater
