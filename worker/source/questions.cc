#include "worker/source/questions.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/value_text.h"

namespace headwater {

absl::StatusOr<TextRow> OneRow(SourceSession& session, const std::string& sql, size_t columns) {
  ASSIGN_OR_RETURN(std::vector<TextRow> rows, session.Query(sql));
  if (rows.size() != 1 || rows[0].size() != columns) {
    return absl::InvalidArgumentError(absl::StrCat("the query '", sql, "' gave ", rows.size(),
                                                   " rows of ", rows.empty() ? 0 : rows[0].size(),
                                                   " columns; expected 1 of ", columns));
  }
  return std::move(rows[0]);
}

absl::StatusOr<absl::Time> ParseClock(const std::string& text, absl::string_view sql) {
  bool finer = false;  // SQL Server's clock has seven digits.
  std::optional<int64_t> micros = ParseInstant(text, /*zoneless_is_utc=*/true, &finer);
  if (!micros.has_value()) {
    if (const std::optional<int32_t> days = ParseDate(text)) micros = *days * 86'400'000'000;
  }
  if (micros.has_value()) return absl::FromUnixMicros(*micros);
  return absl::InvalidArgumentError(
      absl::StrCat("the clock query '", sql, "' gave '", Excerpt(text),
                   "'; expected a timestamp such as 2013-07-01 00:00:00"));
}

absl::StatusOr<absl::Time> AskClock(SourceSession& session, const std::string& configured) {
  const std::string sql =
      configured.empty() ? std::string(session.dialect().clock_sql) : configured;
  if (sql.empty()) {
    return absl::InvalidArgumentError(
        "this driver's dialect is unknown here: give the server a `clock:` query");
  }
  absl::StatusOr<TextRow> row = OneRow(session, sql, 1);
  if (!row.ok()) return Annotate(row.status(), "reading the source's clock");
  if (!(*row)[0].has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("the clock query '", sql, "' gave NULL"));
  }
  return ParseClock(*(*row)[0], sql);
}

}  // namespace headwater
