#include "worker/source/estimate_query.h"

#include <vector>

#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "worker/source/range_query.h"

namespace headwater {
namespace {

// What the statistics' values are converted to: they are kept as texts or variants.
std::string ValueType(const Dialect& dialect, CursorType type) {
  const bool transact = dialect.kind == DialectKind::kSqlServer;
  switch (type) {
    case CursorType::kInstant:
      return transact ? "datetimeoffset(7)" : "timestamptz";
    case CursorType::kWallClock:
      return transact ? "datetime2(7)" : "timestamp";
    case CursorType::kDate:
      return "date";
    default:
      return "bigint";
  }
}

}  // namespace

absl::StatusOr<EstimateNames> EstimateNamesOf(const Dialect& dialect, absl::string_view relation) {
  EstimateNames names;
  const std::vector<absl::string_view> parts = absl::StrSplit(relation, '.');
  ASSIGN_OR_RETURN(names.relation, QuoteRelation(dialect, relation));
  ASSIGN_OR_RETURN(names.relation_literal, QuoteText(dialect, names.relation));
  ASSIGN_OR_RETURN(names.table_literal, QuoteText(dialect, parts.back()));
  if (parts.size() > 1) {
    ASSIGN_OR_RETURN(names.schema_literal, QuoteText(dialect, parts[parts.size() - 2]));
  }
  return names;
}

absl::StatusOr<std::string> EstimateSql(const Dialect& dialect, absl::string_view relation) {
  ASSIGN_OR_RETURN(const EstimateNames names, EstimateNamesOf(dialect, relation));
  return dialect.estimate == nullptr ? std::string() : dialect.estimate(names);
}

absl::StatusOr<std::string> SpreadSql(const Dialect& dialect, absl::string_view relation,
                                      const CursorColumn& cursor) {
  if (dialect.spread == nullptr) return std::string();
  SpreadNames names;
  ASSIGN_OR_RETURN(names.names, EstimateNamesOf(dialect, relation));
  ASSIGN_OR_RETURN(names.column_literal, QuoteText(dialect, cursor.name));
  names.type = ValueType(dialect, cursor.type);
  names.value_as_text = CursorAsText(dialect, "value");
  names.largest_as_text = CursorAsText(dialect, "MAX(value)");
  return dialect.spread(names);
}

}  // namespace headwater
