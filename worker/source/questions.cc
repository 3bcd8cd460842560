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

// A value that is finer than a microsecond lies in the range that begins with the one it is cut to:
// sources compare bounds with what they hold.
absl::StatusOr<std::optional<int64_t>> CursorFrom(const std::optional<std::string>& text,
                                                  const CursorColumn& cursor,
                                                  const DatasetSpec& dataset) {
  if (!text.has_value()) return std::optional<int64_t>();
  bool finer = false;
  const std::optional<int64_t> value = ParseCursor(cursor.type, *text, &finer);
  if (value.has_value() && (!finer || dataset.truncate_fine_time)) return value;
  return absl::InvalidArgumentError(
      absl::StrCat("cursor column '", cursor.name, "' holds '", Excerpt(*text), "'; expected ",
                   cursor.type == CursorType::kInteger ? "an integer"
                   : cursor.type == CursorType::kDate  ? "a date such as 2013-01-31"
                                                       : "a timestamp such as 2013-01-31 05:00:00",
                   finer ? "; on_fine_time: truncate cuts it to microseconds" : ""));
}

absl::StatusOr<int64_t> CountFrom(const std::optional<std::string>& text) {
  const std::optional<int64_t> count = text.has_value() ? ParseInteger(*text) : std::nullopt;
  if (!count.has_value()) return absl::DataLossError("the source's COUNT(*) is not an integer");
  return *count;
}

absl::Status InSnapshot(SourceSession& session, absl::FunctionRef<absl::Status()> body) {
  const Dialect& dialect = session.dialect();
  if (!dialect.begin_snapshot_sql.empty()) {
    RETURN_IF_ERROR(session.Execute(std::string(dialect.begin_snapshot_sql)));
  }
  absl::Status done = body();
  if (!dialect.end_snapshot_sql.empty()) {
    absl::Status ended = session.Execute(std::string(dialect.end_snapshot_sql));
    if (done.ok()) return ended;
  }
  return done;
}

}  // namespace headwater
