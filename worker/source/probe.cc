#include "worker/source/probe.h"

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/divided_read.h"
#include "worker/source/estimate_query.h"
#include "worker/source/open_transactions.h"
#include "worker/source/questions.h"
#include "worker/source/range_query.h"
#include "worker/source/selection.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max();

absl::string_view Tag(const ProbeTask& task) {
  return task.query_tag.empty() ? absl::string_view("probe") : absl::string_view(task.query_tag);
}

absl::Status ProbeCursor(SourceSession& session, const DatasetSpec& dataset, const ProbeTask& task,
                         CursorColumn cursor, ProbeResult& result) {
  ASSIGN_OR_RETURN(const CursorCalendar calendar, CalendarOf(dataset, cursor.type));
  ASSIGN_OR_RETURN(cursor.separator, SeparatorOf(session, dataset.relation, cursor));
  const bool integer = cursor.type == CursorType::kInteger;
  const int64_t end =
      integer ? kNoEnd : calendar.FromInstant(result.source_clock + dataset.max_ahead) + 1;
  const bool by_clock = dataset.clock_bound && !integer;
  ASSIGN_OR_RETURN(const std::string sql,
                   BuildProbeQuery(session.dialect(), dataset.relation, cursor,
                                   /*extremes=*/!by_clock, end, task.tail, Tag(task)));
  ASSIGN_OR_RETURN(const TextRow row, OneRow(session, sql, 4 + 2 * task.tail.size()));
  // A transaction that took its number since the clock was read holds back numbers below the bound,
  // and the clock is what tells that it has ended. (A timestamp of its own would be beyond the
  // clock, where nothing settles.)
  if (integer) {
    ASSIGN_OR_RETURN(result.source_clock, AskClock(session, dataset.server.clock_sql));
  }
  ASSIGN_OR_RETURN(result.minimum, CursorFrom(row[0], cursor, dataset));
  ASSIGN_OR_RETURN(result.bound, CursorFrom(row[1], cursor, dataset));
  ASSIGN_OR_RETURN(result.null_rows, CountFrom(row[2]));
  ASSIGN_OR_RETURN(result.future_rows, CountFrom(row[3]));
  if (by_clock) result.bound = calendar.FromInstant(result.source_clock);
  for (size_t i = 0; i < task.tail.size(); ++i) {
    TailCheck check;
    check.range = task.tail[i];
    ASSIGN_OR_RETURN(check.rows, CountFrom(row[4 + 2 * i]));
    ASSIGN_OR_RETURN(check.max_cursor, CursorFrom(row[5 + 2 * i], cursor, dataset));
    result.tail.push_back(check);
  }
  return absl::OkStatus();
}

// An estimate that cannot be made is no reason to fail.
void ProbeEstimate(SourceSession& session, const DatasetSpec& dataset, ProbeResult& result) {
  const absl::StatusOr<std::string> sql = EstimateSql(session.dialect(), dataset.relation);
  if (!sql.ok() || sql->empty()) return;
  const absl::StatusOr<TextRow> row = OneRow(session, *sql, 1);
  if (!row.ok() || !(*row)[0].has_value()) return;
  result.estimated_rows = ParseInteger(*(*row)[0]).value_or(-1);
}

// Nor is this. A step of the statistics that cannot be read is left out.
void ProbeSpread(SourceSession& session, const DatasetSpec& dataset, const CursorColumn& cursor,
                 ProbeResult& result) {
  const absl::StatusOr<std::string> sql = SpreadSql(session.dialect(), dataset.relation, cursor);
  if (!sql.ok() || sql->empty()) return;
  const absl::StatusOr<std::vector<TextRow>> rows = session.Query(*sql);
  if (!rows.ok()) return;
  for (const TextRow& row : *rows) {
    if (row.size() != 3) return;
    const absl::StatusOr<std::optional<int64_t>> value = CursorFrom(row[0], cursor, dataset);
    double before = 0, at = 0;
    const bool counted = row[1].has_value() && absl::SimpleAtod(*row[1], &before) && before >= 0 &&
                         row[2].has_value() && absl::SimpleAtod(*row[2], &at) && at >= 0;
    if (counted && value.ok() && value->has_value()) result.spread.push_back({**value, before, at});
  }
}

}  // namespace

absl::StatusOr<char> SeparatorOf(SourceSession& session, const std::string& relation,
                                 const CursorColumn& cursor) {
  if (session.dialect().kind != DialectKind::kSqlite || cursor.type != CursorType::kWallClock) {
    return ' ';
  }
  ASSIGN_OR_RETURN(const std::string table, QuoteRelation(session.dialect(), relation));
  ASSIGN_OR_RETURN(const std::string column, QuoteIdentifier(session.dialect(), cursor.name));
  // Any value will do, and takes no scan without an index: reads refuse a mixture.
  ASSIGN_OR_RETURN(const TextRow row,
                   OneRow(session,
                          absl::StrCat("SELECT (SELECT ", column, " FROM ", table, " WHERE ",
                                       column, " IS NOT NULL LIMIT 1)"),
                          1));
  return row[0].has_value() && row[0]->size() > 10 && (*row[0])[10] == 'T' ? 'T' : ' ';
}

absl::StatusOr<Range> FindEmptyAround(SourceSession& session, const DatasetSpec& dataset,
                                      const Range& range, absl::string_view tag) {
  ASSIGN_OR_RETURN(const std::vector<SourceColumn> columns, session.Describe(dataset.relation));
  ASSIGN_OR_RETURN(const Selection selection, SelectColumns(dataset, columns));
  CursorColumn cursor = selection.cursor;
  ASSIGN_OR_RETURN(cursor.separator, SeparatorOf(session, dataset.relation, cursor));
  ASSIGN_OR_RETURN(const std::string sql,
                   BuildNeighboursQuery(session.dialect(), dataset.relation, cursor, range, tag));
  ASSIGN_OR_RETURN(const TextRow row, OneRow(session, sql, 2));
  ASSIGN_OR_RETURN(const std::optional<int64_t> before, CursorFrom(row[0], cursor, dataset));
  ASSIGN_OR_RETURN(const std::optional<int64_t> after, CursorFrom(row[1], cursor, dataset));
  return Range{before.has_value() ? std::min(*before + 1, range.from) : -kNoEnd,
               after.has_value() ? std::max(*after, range.to) : kNoEnd};
}

absl::StatusOr<ProbeResult> RunProbe(SourceSession& session, const DatasetSpec& dataset,
                                     const ProbeTask& task, const PrimaryProbe& primary) {
  ProbeResult result;
  ASSIGN_OR_RETURN(const std::vector<SourceColumn> columns, session.Describe(dataset.relation));
  ASSIGN_OR_RETURN(Selection selection, SelectColumns(dataset, columns));
  result.schema = std::move(selection.schema);
  for (SourceColumn& column : selection.columns) {
    if (!column.notice.empty()) result.notices.push_back(std::move(column.notice));
  }
  result.cursor_type = selection.cursor.type;
  ASSIGN_OR_RETURN(result.source_clock, AskClock(session, dataset.server.clock_sql));
  RETURN_IF_ERROR(ProbeTransactions(session, result));
  if (primary && !result.transactions_known) {
    const absl::Status told = primary(result);
    if (!told.ok()) result.notices.emplace_back(told.message());
  }
  const bool whole = result.cursor_type == CursorType::kNone;
  // A tick has no use for it, and would pay for it on each server.
  if (whole || task.estimates) ProbeEstimate(session, dataset, result);
  if (whole) {
    // Like an estimate: without an answer it is read over one connection.
    result.divisible = DivisionOf(session, dataset).value_or(Division{}).divisible;
    return result;
  }

  if (task.estimates) ProbeSpread(session, dataset, selection.cursor, result);
  RETURN_IF_ERROR(InSnapshot(
      session, [&] { return ProbeCursor(session, dataset, task, selection.cursor, result); }));
  return result;
}

}  // namespace headwater
