#include "worker/source/divided_read.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "worker/source/key_split.h"
#include "worker/source/questions.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

// Enough that the parts differ by some percent, and read in a moment.
constexpr double kSampledPages = 2000;
// Quantiles asked for: two that are equal tell of a value that many rows have.
constexpr int kStepsPerPart = 4;

// A reader and the connection that it reads from.
class OwningReader final : public SourceReader {
 public:
  OwningReader(std::unique_ptr<SourceSession> session, std::unique_ptr<SourceReader> reader)
      : session_(std::move(session)), reader_(std::move(reader)) {}

  const Schema& schema() const override { return reader_->schema(); }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override { return reader_->Next(); }
  void Cancel() override { reader_->Cancel(); }

 private:
  const std::unique_ptr<SourceSession> session_;
  const std::unique_ptr<SourceReader> reader_;  // After the session: it goes first.
};

// A session that a stop request cancels until it is taken.
class Part {
 public:
  Part(std::unique_ptr<SourceSession> session, const std::stop_token& stop)
      : session_(std::move(session)),
        cancel_(std::in_place, stop, [this] { session_->Cancel(); }) {}

  SourceSession& operator*() const { return *session_; }

  std::unique_ptr<SourceReader> Own(std::unique_ptr<SourceReader> reader) {
    cancel_.reset();
    return std::make_unique<OwningReader>(std::move(session_), std::move(reader));
  }

 private:
  std::unique_ptr<SourceSession> session_;
  std::optional<std::stop_callback<std::function<void()>>> cancel_;
};

using Parts = std::vector<std::unique_ptr<Part>>;

// Conditions by a key, and whether its values are so many that they divide the rows evenly.
struct KeySplit {
  std::vector<std::string> conditions = {""};
  bool even = false;
};

absl::StatusOr<KeySplit> DivideByKey(SourceSession& session, const DatasetSpec& dataset,
                                     const Division& division, int parts) {
  KeySplit split;
  if (!division.key.has_value()) return split;
  ASSIGN_OR_RETURN(const std::vector<SourceColumn> columns, session.Describe(dataset.relation));
  const auto key = std::find_if(columns.begin(), columns.end(), [&](const SourceColumn& column) {
    return column.column.name == *division.key;
  });
  if (key == columns.end()) return split;
  const KeyColumn column = {.column = key->column, .source_type = key->type_name};
  const double pages = static_cast<double>(std::max<int64_t>(1, division.pages));
  const int steps = std::min(parts * kStepsPerPart, kMaxParts);
  ASSIGN_OR_RETURN(const std::string sql,
                   BuildQuantileQuery(session.dialect(), dataset.relation, column, steps,
                                      std::min(100.0, 100.0 * kSampledPages / pages)));
  ASSIGN_OR_RETURN(const std::vector<TextRow> rows, session.Query(sql));
  std::vector<std::string> values;
  split.even = true;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) split.even = split.even && rows[i] != rows[i - 1];
    const auto before = static_cast<int64_t>(i) * parts / steps;
    const bool ends_part = (static_cast<int64_t>(i) + 1) * parts / steps > before;
    if (ends_part && !rows[i].empty() && rows[i][0].has_value()) values.push_back(*rows[i][0]);
  }
  const auto conditions = SplitByKey(session.dialect(), column, values);
  if (conditions.ok()) split.conditions = *conditions;  // Not every type has literals.
  split.even = split.even && static_cast<int>(split.conditions.size()) >= parts;
  return split;
}

// Begins the transaction whose state all parts see, and gives its name; nothing where the server
// has no such state.
absl::StatusOr<std::optional<std::string>> ExportSnapshot(SourceSession& session,
                                                          const DatasetSpec& dataset) {
  const Dialect& dialect = session.dialect();
  ASSIGN_OR_RETURN(const std::string relation, QuoteRelation(dialect, dataset.relation));
  RETURN_IF_ERROR(session.Execute(std::string(dialect.begin_snapshot_sql)));
  RETURN_IF_ERROR(session.Execute(dialect.hold_relation(relation, /*wait=*/true)));
  const auto row = OneRow(session, std::string(dialect.export_snapshot_sql), 1);
  if (row.ok() && (*row)[0].has_value()) return (*row)[0];
  if (!session.sound()) return row.status();
  Log(LogLevel::kInfo, "the server exports no snapshot: one connection reads all",
      {{"relation", dataset.relation}, {"why", row.status().ToString()}});
  RETURN_IF_ERROR(session.Execute(std::string(dialect.end_snapshot_sql)));
  return std::nullopt;
}

absl::Status ImportSnapshot(SourceSession& session, const DatasetSpec& dataset,
                            const std::string& snapshot) {
  const Dialect& dialect = session.dialect();
  ASSIGN_OR_RETURN(const std::string relation, QuoteRelation(dialect, dataset.relation));
  RETURN_IF_ERROR(session.Execute(std::string(dialect.begin_snapshot_sql)));
  RETURN_IF_ERROR(session.Execute(dialect.import_snapshot(snapshot)));
  return session.Execute(dialect.hold_relation(relation, /*wait=*/false));
}

// Sessions that see what the first one sees, until there are `connections`, or one is refused.
void AddParts(Parts& parts, const ConnectMore& connect, const DatasetSpec& dataset,
              const std::string& snapshot, int connections, const std::stop_token& stop) {
  while (static_cast<int>(parts.size()) < connections && !stop.stop_requested()) {
    absl::StatusOr<std::unique_ptr<SourceSession>> session = connect();
    absl::Status joined = session.status();
    if (joined.ok()) {
      parts.push_back(std::make_unique<Part>(*std::move(session), stop));
      joined = ImportSnapshot(**parts.back(), dataset, snapshot);
      if (joined.ok()) continue;
      parts.pop_back();
    }
    Log(LogLevel::kInfo, "a read goes on with fewer connections than it was granted",
        {{"server", dataset.id.server},
         {"relation", dataset.relation},
         {"connections", absl::StrCat(parts.size(), " of ", connections)},
         {"why", joined.ToString()}});
    return;
  }
}

absl::Status NamePart(SourceSession& session, const std::string& tag) {
  const std::string sql = NameSessionSql(session.dialect(), tag);
  return sql.empty() ? absl::OkStatus() : session.Execute(sql);
}

}  // namespace

absl::StatusOr<Division> DivisionOf(SourceSession& session, const DatasetSpec& dataset) {
  Division division;
  if (!session.shares_snapshots()) return division;
  ASSIGN_OR_RETURN(const std::string sql,
                   DivisionSql(session.dialect(), dataset.relation,
                               dataset.key_columns.empty() ? "" : dataset.key_columns.front()));
  ASSIGN_OR_RETURN(TextRow row, OneRow(session, sql, 5));
  const auto number = [&](size_t i) {
    return row[i].has_value() ? ParseInteger(*row[i]).value_or(0) : 0;
  };
  division.by_pages = number(1) == 1;
  division.most_pages = number(2);
  division.pages = number(3);
  division.key = std::move(row[4]);
  division.divisible = number(0) == 1 && (division.by_pages || division.key.has_value());
  return division;
}

absl::StatusOr<std::vector<std::string>> DivideRows(SourceSession& session,
                                                    const DatasetSpec& dataset,
                                                    const Division& division, int parts) {
  parts = std::clamp(parts, 1, kMaxParts);
  if (parts == 1) return std::vector<std::string>{""};
  ASSIGN_OR_RETURN(KeySplit by_key, DivideByKey(session, dataset, division, parts));
  if (by_key.even || !division.by_pages) return std::move(by_key.conditions);
  std::vector<std::string> by_pages = SplitByPages(division.most_pages, parts);
  return by_pages.size() < by_key.conditions.size() ? std::move(by_key.conditions) : by_pages;
}

absl::StatusOr<std::vector<std::unique_ptr<SourceReader>>> OpenParts(
    std::unique_ptr<SourceSession> first, const ConnectMore& connect, const DatasetSpec& dataset,
    const Extent& extent, const ReadOptions& options, int connections, std::stop_token stop) {
  Parts parts;
  parts.push_back(std::make_unique<Part>(std::move(first), stop));
  SourceSession& leader = **parts.front();
  std::vector<std::string> conditions = {""};
  RETURN_IF_ERROR(NamePart(leader, options.query_tag));
  ASSIGN_OR_RETURN(const Division division, DivisionOf(leader, dataset));
  if (division.divisible) {
    ASSIGN_OR_RETURN(const auto snapshot, ExportSnapshot(leader, dataset));
    if (snapshot.has_value()) {
      AddParts(parts, connect, dataset, *snapshot, connections, stop);
      ASSIGN_OR_RETURN(conditions,
                       DivideRows(leader, dataset, division, static_cast<int>(parts.size())));
    }
  }
  parts.resize(std::min(parts.size(), conditions.size()));
  std::vector<std::unique_ptr<SourceReader>> readers;
  for (size_t i = 0; i < conditions.size(); ++i) {
    ReadOptions of_part = options;
    of_part.within = conditions[i];
    if (conditions.size() > 1) {
      absl::StrAppend(&of_part.query_tag, " part=", i + 1, "/", conditions.size());
    }
    RETURN_IF_ERROR(NamePart(**parts[i], of_part.query_tag));
    ASSIGN_OR_RETURN(std::unique_ptr<SourceReader> reader,
                     (**parts[i]).OpenReader(dataset, extent, of_part));
    readers.push_back(parts[i]->Own(std::move(reader)));
  }
  if (stop.stop_requested()) return absl::CancelledError("the read was cancelled");
  return readers;
}

}  // namespace headwater
