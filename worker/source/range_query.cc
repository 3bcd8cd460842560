#include "worker/source/range_query.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr size_t kMaxTagBytes = 500;  // What pg_stat_activity keeps by default is twice that.
constexpr absl::string_view kNothing = "1 = 0";

// `cursor >= value`: empty if every non-NULL value satisfies it.
absl::StatusOr<std::string> AtLeast(const Dialect& dialect, const CursorColumn& cursor,
                                    absl::string_view column, int64_t value) {
  const int beyond = BeyondLiterals(cursor.type, value);
  if (beyond < 0) return std::string();
  if (beyond > 0) return std::string(kNothing);
  ASSIGN_OR_RETURN(const std::string literal, CursorLiteral(dialect, cursor, value));
  return absl::StrCat(column, " >= ", literal);
}

// `cursor < value`, likewise.
absl::StatusOr<std::string> Below(const Dialect& dialect, const CursorColumn& cursor,
                                  absl::string_view column, int64_t value) {
  const int beyond = BeyondLiterals(cursor.type, value);
  if (beyond > 0) return std::string();
  if (beyond < 0) return std::string(kNothing);
  ASSIGN_OR_RETURN(const std::string literal, CursorLiteral(dialect, cursor, value));
  return absl::StrCat(column, " < ", literal);
}

absl::StatusOr<std::string> InRange(const Dialect& dialect, const CursorColumn& cursor,
                                    absl::string_view column, const Range& range) {
  ASSIGN_OR_RETURN(const std::string from, AtLeast(dialect, cursor, column, range.from));
  ASSIGN_OR_RETURN(const std::string to, Below(dialect, cursor, column, range.to));
  if (from.empty() && to.empty()) return absl::StrCat(column, " IS NOT NULL");
  if (from.empty()) return to;
  if (to.empty()) return from;
  return absl::StrCat(from, " AND ", to);
}

// Of the extent alone.
absl::StatusOr<std::string> ExtentCondition(const Dialect& dialect, const RangeQuery& query) {
  if (query.cursor.type == CursorType::kNone) return std::string();
  if (!query.extent.range.has_value() && !query.extent.outside) {
    return absl::InvalidArgumentError("an extent without a range and without outside rows");
  }
  ASSIGN_OR_RETURN(const std::string column, QuoteIdentifier(dialect, query.cursor.name));
  std::string range;
  if (query.extent.range.has_value()) {
    ASSIGN_OR_RETURN(range, InRange(dialect, query.cursor, column, *query.extent.range));
  }
  if (!query.extent.outside) return range;
  ASSIGN_OR_RETURN(std::string future, AtLeast(dialect, query.cursor, column, query.domain_end));
  // A domain without an end has only NULL cursors outside it.
  if (!query.future_rows || future == kNothing) future.clear();
  const std::string nulls = query.null_rows ? absl::StrCat(column, " IS NULL") : "";
  std::string outside = absl::StrCat(nulls, nulls.empty() || future.empty() ? "" : " OR ", future);
  if (outside.empty()) outside = std::string(kNothing);
  return range.empty() ? outside : absl::StrCat("(", range, ") OR ", outside);
}

}  // namespace

absl::StatusOr<std::string> InRangeSql(const Dialect& dialect, const CursorColumn& cursor,
                                       absl::string_view expression, const Range& range) {
  return InRange(dialect, cursor, expression, range);
}

std::string QueryComment(absl::string_view tag) {
  const std::string clean = CleanTag(tag, kMaxTagBytes);
  return clean.empty() ? "/* headwater */ " : absl::StrCat("/* headwater ", clean, " */ ");
}

absl::StatusOr<std::string> BuildCondition(const Dialect& dialect, const RangeQuery& query) {
  ASSIGN_OR_RETURN(std::string condition, ExtentCondition(dialect, query));
  if (query.within.empty()) return condition;
  if (condition.empty()) return query.within;
  return absl::StrCat("(", condition, ") AND (", query.within, ")");
}

absl::StatusOr<std::string> WhereSql(const Dialect& dialect, const RangeQuery& query) {
  ASSIGN_OR_RETURN(const std::string condition, BuildCondition(dialect, query));
  return condition.empty() ? std::string() : absl::StrCat(" WHERE ", condition);
}

absl::StatusOr<std::string> BuildRangeQuery(const Dialect& dialect, const RangeQuery& query) {
  if (query.expressions.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no column of '", query.relation, "' is selected"));
  }
  ASSIGN_OR_RETURN(const std::string relation, QuoteRelation(dialect, query.relation));
  ASSIGN_OR_RETURN(const std::string where, WhereSql(dialect, query));
  return absl::StrCat(QueryComment(query.tag), "SELECT ", absl::StrJoin(query.expressions, ", "),
                      " FROM ", relation, where);
}

absl::StatusOr<std::string> BuildProbeQuery(const Dialect& dialect, absl::string_view relation,
                                            const CursorColumn& cursor, bool extremes, int64_t end,
                                            const std::vector<Range>& tail, absl::string_view tag) {
  ASSIGN_OR_RETURN(const std::string table, QuoteRelation(dialect, relation));
  ASSIGN_OR_RETURN(const std::string column, QuoteIdentifier(dialect, cursor.name));
  ASSIGN_OR_RETURN(const std::string below, Below(dialect, cursor, column, end));
  ASSIGN_OR_RETURN(const std::string beyond, AtLeast(dialect, cursor, column, end));
  std::vector<std::string> answers;
  const auto ask = [&](const std::string& expression, absl::string_view condition) {
    answers.push_back(absl::StrCat("(SELECT ", expression, " FROM ", table,
                                   condition.empty() ? "" : " WHERE ", condition, ")"));
  };
  const std::string count(dialect.count);
  const std::string maximum = CursorAsText(dialect, absl::StrCat("MAX(", column, ")"));
  if (extremes) {
    ask(CursorAsText(dialect, absl::StrCat("MIN(", column, ")")), below);
    ask(maximum, below);
  } else {
    answers.insert(answers.end(), 2, "NULL");
  }
  ask(count, absl::StrCat(column, " IS NULL"));
  if (beyond == kNothing) {
    answers.push_back("0");
  } else {
    ask(count, beyond);
  }
  for (const Range& range : tail) {
    ASSIGN_OR_RETURN(const std::string condition, InRange(dialect, cursor, column, range));
    ask(count, condition);
    ask(maximum, condition);
  }
  return absl::StrCat(QueryComment(tag), "SELECT ", absl::StrJoin(answers, ", "));
}

absl::StatusOr<std::string> BuildCountQuery(const Dialect& dialect, const RangeQuery& query) {
  ASSIGN_OR_RETURN(const std::string table, QuoteRelation(dialect, query.relation));
  ASSIGN_OR_RETURN(const std::string where, WhereSql(dialect, query));
  std::string maximum = "NULL";
  if (query.cursor.type != CursorType::kNone && query.extent.range.has_value()) {
    RangeQuery inside = query;
    inside.extent.outside = false;
    ASSIGN_OR_RETURN(const std::string column, QuoteIdentifier(dialect, query.cursor.name));
    ASSIGN_OR_RETURN(const std::string in_range, WhereSql(dialect, inside));
    maximum = absl::StrCat("(SELECT ", CursorAsText(dialect, absl::StrCat("MAX(", column, ")")),
                           " FROM ", table, in_range, ")");
  }
  return absl::StrCat(QueryComment(query.tag), "SELECT (SELECT ", dialect.count, " FROM ", table,
                      where, "), ", maximum);
}

absl::StatusOr<std::string> BuildNeighboursQuery(const Dialect& dialect, absl::string_view relation,
                                                 const CursorColumn& cursor, const Range& range,
                                                 absl::string_view tag) {
  ASSIGN_OR_RETURN(const std::string table, QuoteRelation(dialect, relation));
  ASSIGN_OR_RETURN(const std::string column, QuoteIdentifier(dialect, cursor.name));
  ASSIGN_OR_RETURN(const std::string below, Below(dialect, cursor, column, range.from));
  ASSIGN_OR_RETURN(const std::string beyond, AtLeast(dialect, cursor, column, range.to));
  const auto ask = [&](absl::string_view function, absl::string_view condition) {
    return absl::StrCat("(SELECT ", CursorAsText(dialect, absl::StrCat(function, "(", column, ")")),
                        " FROM ", table, " WHERE ", condition, ")");
  };
  return absl::StrCat(QueryComment(tag), "SELECT ", ask("MAX", below), ", ", ask("MIN", beyond));
}

}  // namespace headwater
