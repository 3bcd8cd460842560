#include "worker/source/odbc/slices.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "worker/source/mariadb_catalog.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr absl::string_view kPrimary = "PRIMARY";
constexpr std::array<absl::string_view, 7> kNumbers = {"tinyint", "smallint", "mediumint", "int",
                                                       "bigint",  "decimal",  "year"};
// Compared as texts that the server converts, once.
constexpr std::array<absl::string_view, 6> kQuoted = {"date", "datetime", "timestamp",
                                                      "time", "uuid",     "inet6"};
constexpr std::array<absl::string_view, 2> kBytes = {"binary", "varbinary"};
constexpr std::array<absl::string_view, 2> kTexts = {"char", "varchar"};

template <size_t kCount>
bool IsOneOf(absl::string_view name, const std::array<absl::string_view, kCount>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

struct Index {
  std::string name;
  bool unique = true;  // And without NULL.
  bool usable = true;  // All its columns order rows as we compare them.
  std::vector<std::string> names;
  std::vector<SliceColumn> columns;
};

absl::StatusOr<SliceColumn> ColumnOf(const Dialect& dialect, const TextRow& row, bool& usable) {
  SliceColumn column;
  ASSIGN_OR_RETURN(column.quoted, QuoteIdentifier(dialect, row[1].value_or("")));
  const std::string type = row[2].value_or("");
  column.charset = row[3].value_or("");
  column.collation = row[4].value_or("");
  column.is_number = IsOneOf(type, kNumbers);
  column.is_binary = IsOneOf(type, kBytes);
  const bool whole = !row[6].has_value();
  usable = whole && (column.is_number || column.is_binary || IsOneOf(type, kQuoted) ||
                     (IsOneOf(type, kTexts) && !column.charset.empty()));
  if (IsOneOf(type, kQuoted)) column.charset.clear();
  return column;
}

absl::StatusOr<std::vector<Index>> IndexesOf(SourceSession& session, const std::string& relation) {
  ASSIGN_OR_RETURN(const std::string is_table, IsMariaDbTable(relation));
  ASSIGN_OR_RETURN(
      const std::vector<TextRow> rows,
      session.Query(absl::StrCat(
          "SELECT s.INDEX_NAME, COLUMN_NAME, c.DATA_TYPE, c.CHARACTER_SET_NAME, "
          "c.COLLATION_NAME, CAST(s.NON_UNIQUE = 0 AND c.IS_NULLABLE = 'NO' AS CHAR), "
          "CAST(s.SUB_PART AS CHAR) FROM information_schema.STATISTICS s "
          "JOIN information_schema.COLUMNS c USING (TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME) "
          "WHERE s.INDEX_TYPE = 'BTREE' AND ",
          is_table,
          " ORDER BY s.INDEX_NAME <> 'PRIMARY', s.INDEX_NAME, s.SEQ_IN_INDEX LIMIT 1000")));
  std::vector<Index> indexes;
  for (const TextRow& row : rows) {
    const std::string name = row[0].value_or("");
    if (indexes.empty() || indexes.back().name != name) indexes.emplace_back().name = name;
    Index& index = indexes.back();
    bool usable = false;
    ASSIGN_OR_RETURN(SliceColumn column, ColumnOf(session.dialect(), row, usable));
    index.unique = index.unique && row[5] == "1";
    index.usable = index.usable && usable;
    index.names.push_back(row[1].value_or(""));
    index.columns.push_back(std::move(column));
  }
  return indexes;
}

absl::StatusOr<int64_t> RowBytesOf(SourceSession& session, const std::string& relation) {
  ASSIGN_OR_RETURN(const std::string is_table, IsMariaDbTable(relation));
  ASSIGN_OR_RETURN(const std::vector<TextRow> rows,
                   session.Query(absl::StrCat("SELECT CAST(AVG_ROW_LENGTH AS CHAR) FROM "
                                              "information_schema.TABLES WHERE ",
                                              is_table)));
  if (rows.size() != 1 || !rows[0][0].has_value()) return 0;
  return ParseInteger(*rows[0][0]).value_or(0);
}

// Rows behind `after`: (a > 1) OR (a = 1 AND b > 2), for which the server can use an index.
std::string Behind(const std::vector<SliceColumn>& columns, const std::vector<std::string>& after) {
  std::vector<std::string> choices;
  std::string same;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string literal = columns[i].Literal(after[i]);
    choices.push_back(absl::StrCat("(", same, columns[i].quoted, " > ", literal, ")"));
    absl::StrAppend(&same, columns[i].quoted, " = ", literal, " AND ");
  }
  const SliceColumn& first = columns[0];
  return absl::StrCat(first.quoted, " >= ", first.Literal(after[0]), " AND (",
                      absl::StrJoin(choices, " OR "), ")");
}

}  // namespace

std::string SliceColumn::Expression() const {
  const bool bytes = is_binary || !charset.empty();
  return absl::StrCat(bytes ? "HEX(" : "CAST(", quoted, bytes ? ")" : " AS CHAR)");
}

std::string SliceColumn::Literal(absl::string_view text) const {
  if (is_number) return std::string(text);
  if (is_binary) return absl::StrCat("x'", text, "'");
  if (charset.empty()) return absl::StrCat("'", text, "'");
  return absl::StrCat("_", charset, " x'", text, "' COLLATE ", collation);
}

absl::StatusOr<SliceOrder> FindSliceOrder(SourceSession& session, const RangeQuery& query) {
  ASSIGN_OR_RETURN(std::vector<Index> indexes, IndexesOf(session, query.relation));
  SliceOrder order;
  const auto key = std::find_if(indexes.begin(), indexes.end(),
                                [](const Index& index) { return index.unique && index.usable; });
  if (key == indexes.end()) return order;
  ASSIGN_OR_RETURN(order.row_bytes, RowBytesOf(session, query.relation));
  order.columns = key->columns;
  order.index = key->name;
  const bool by_cursor = query.extent.range.has_value() && !query.extent.outside &&
                         query.cursor.type != CursorType::kNone && key->name == kPrimary &&
                         key->names[0] != query.cursor.name;
  if (!by_cursor) return order;
  for (const Index& index : indexes) {
    if (index.names != std::vector<std::string>{query.cursor.name} || !index.usable) continue;
    // InnoDB keeps the primary key behind the columns of every index.
    order.index = index.name;
    order.columns = index.columns;
    for (const SliceColumn& column : key->columns) {
      if (column.quoted != index.columns[0].quoted) order.columns.push_back(column);
    }
    break;
  }
  return order;
}

absl::StatusOr<std::string> SliceSql(const Dialect& dialect, const RangeQuery& query,
                                     const SliceOrder& order, const std::vector<std::string>& after,
                                     int64_t rows) {
  ASSIGN_OR_RETURN(const std::string relation, QuoteRelation(dialect, query.relation));
  ASSIGN_OR_RETURN(const std::string condition, BuildCondition(dialect, query));
  ASSIGN_OR_RETURN(const std::string index, QuoteIdentifier(dialect, order.index));
  std::vector<std::string> expressions = query.expressions, names, conditions;
  for (const SliceColumn& column : order.columns) {
    if (!column.selected) expressions.push_back(column.Expression());
    names.push_back(column.quoted);
  }
  if (!condition.empty()) conditions.push_back(absl::StrCat("(", condition, ")"));
  if (!after.empty()) conditions.push_back(Behind(order.columns, after));
  return absl::StrCat(QueryComment(query.tag), "SELECT ", absl::StrJoin(expressions, ", "),
                      " FROM ", relation, " FORCE INDEX (", index, ")",
                      conditions.empty() ? "" : " WHERE ", absl::StrJoin(conditions, " AND "),
                      " ORDER BY ", absl::StrJoin(names, ", "), " LIMIT ", rows);
}

}  // namespace headwater
