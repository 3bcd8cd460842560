#include "worker/source/key_split.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {

absl::StatusOr<std::string> KeySql(const Dialect& dialect, const KeyColumn& key) {
  ASSIGN_OR_RETURN(std::string column, QuoteIdentifier(dialect, key.column.name));
  return key.by_bytes ? dialect.text_bytes(column, key.source_type) : std::move(column);
}

absl::StatusOr<std::string> KeyLiteralSql(const Dialect& dialect, const KeyColumn& key,
                                          absl::string_view value) {
  return key.by_bytes ? dialect.text_bytes_literal(value)
                      : dialect.key_literal(key.column, key.source_type, value);
}

absl::StatusOr<std::string> BuildQuantileQuery(const Dialect& dialect, absl::string_view relation,
                                               const KeyColumn& key, int parts,
                                               double sample_percent) {
  if (parts < 2 || parts > kMaxParts) {
    return absl::InvalidArgumentError(
        absl::StrCat("a split into ", parts, " parts; expected 2 to ", kMaxParts));
  }
  if (!(sample_percent > 0) || sample_percent > 100) {
    return absl::InvalidArgumentError(
        absl::StrCat("a sample of ", sample_percent, " %; expected more than 0, at most 100"));
  }
  QuantileNames names{
      .relation = {}, .column = {}, .parts = parts, .sample_percent = sample_percent};
  ASSIGN_OR_RETURN(names.relation, QuoteRelation(dialect, relation));
  ASSIGN_OR_RETURN(names.column, QuoteIdentifier(dialect, key.column.name));
  return dialect.quantiles(names);
}

absl::StatusOr<std::vector<std::string>> SplitByKey(const Dialect& dialect, const KeyColumn& key,
                                                    const std::vector<std::string>& values) {
  ASSIGN_OR_RETURN(const std::string name, QuoteIdentifier(dialect, key.column.name));
  ASSIGN_OR_RETURN(const std::string column, KeySql(dialect, key));
  std::vector<std::string> literals;
  for (const std::string& value : values) {
    ASSIGN_OR_RETURN(std::string literal, KeyLiteralSql(dialect, key, value));
    if (literals.empty() || literals.back() != literal) literals.push_back(std::move(literal));
  }
  if (literals.empty()) return std::vector<std::string>{""};
  std::vector<std::string> conditions = {
      absl::StrCat(column, " < ", literals.front(), " OR ", name, " IS NULL")};
  for (size_t i = 1; i < literals.size(); ++i) {
    conditions.push_back(
        absl::StrCat(column, " >= ", literals[i - 1], " AND ", column, " < ", literals[i]));
  }
  conditions.push_back(absl::StrCat(column, " >= ", literals.back()));
  return conditions;
}

absl::StatusOr<std::string> DivisionSql(const Dialect& dialect, absl::string_view relation,
                                        absl::string_view key) {
  if (dialect.division == nullptr) return std::string();
  DivisionNames names;
  ASSIGN_OR_RETURN(names.relation, QuoteRelation(dialect, relation));
  ASSIGN_OR_RETURN(names.relation_literal, QuoteText(dialect, names.relation));
  ASSIGN_OR_RETURN(names.key_literal, QuoteText(dialect, key));
  return dialect.division(names);
}

std::vector<std::string> SplitByPages(int64_t pages, int parts) {
  const int64_t count = std::clamp<int64_t>(std::min<int64_t>(parts, pages), 1, kMaxParts);
  if (count == 1) return {""};
  std::vector<std::string> conditions;
  const auto at = [&](int64_t part) {
    return absl::StrCat("CAST('(", pages / count * part + pages % count * part / count,
                        ",0)' AS tid)");
  };
  for (int64_t i = 0; i < count; ++i) {
    std::string condition = i == 0 ? "" : absl::StrCat("ctid >= ", at(i));
    if (i + 1 < count) absl::StrAppend(&condition, i == 0 ? "" : " AND ", "ctid < ", at(i + 1));
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

}  // namespace headwater
