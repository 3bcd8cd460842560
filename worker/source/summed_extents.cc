#include "worker/source/summed_extents.h"

#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/prepared_read.h"
#include "worker/source/questions.h"
#include "worker/source/range_query.h"

namespace headwater {
namespace {

// Prepares the same read for each extent, and has `ask` put its question, all in one snapshot.
absl::Status ForEachExtent(SourceSession& session, const DatasetSpec& dataset,
                           const std::vector<Extent>& extents, const ReadOptions& options,
                           absl::FunctionRef<absl::Status(const Selection&)> begin,
                           absl::FunctionRef<absl::Status(const RangeQuery&)> ask) {
  return InSnapshot(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<SourceColumn> available, session.Describe(dataset.relation));
    // The extent is all that differs between the reads.
    ASSIGN_OR_RETURN(PreparedRead read,
                     PrepareRead(session, available, dataset, Extent(), options));
    RETURN_IF_ERROR(begin(read.selection));
    for (const Extent& extent : extents) {
      read.query.extent = extent;
      RETURN_IF_ERROR(ask(read.query));
    }
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<std::vector<ChecksumColumn>> ChecksumColumnsFor(const Selection& selection,
                                                               const Schema& table,
                                                               SchemaPolicy policy,
                                                               const DatasetSpec& dataset) {
  Schema rows = selection.schema;
  if (!table.columns.empty()) {
    ASSIGN_OR_RETURN(SchemaPlan plan,
                     PlanSchema(table, selection.schema, policy, NeededColumns(dataset)));
    rows = std::move(plan.rows);
  }
  std::vector<ChecksumColumn> columns;
  for (const Column& column : rows.columns) {
    const int at = selection.schema.Find(column.name);
    if (at < 0) {
      columns.push_back(ChecksumColumn{.column = column, .source_type = {}, .absent = true});
      continue;
    }
    const SourceColumn& source = selection.columns[static_cast<size_t>(at)];
    columns.push_back(ChecksumColumn{.column = source.column,
                                     .source_type = source.type_name,
                                     .as_text = source.as_text,
                                     .table_type = column.type});
  }
  return columns;
}

Schema SummedColumns(const std::vector<ChecksumColumn>& columns) {
  Schema summed;
  for (const ChecksumColumn& column : columns) {
    summed.columns.push_back(column.column);
    summed.columns.back().type = column.table_type.value_or(column.column.type);
  }
  return summed;
}

absl::StatusOr<ExtentChecksums> SumExtents(SourceSession& session, const DatasetSpec& dataset,
                                           const std::vector<Extent>& extents,
                                           const ReadOptions& options,
                                           const ChecksumOptions& checksum) {
  const bool fast = checksum.kind == ChecksumKind::kFast;
  ExtentChecksums sums;
  std::vector<ChecksumColumn> columns;
  const auto begin = [&](const Selection& selection) -> absl::Status {
    ASSIGN_OR_RETURN(columns,
                     ChecksumColumnsFor(selection, checksum.table, checksum.policy, dataset));
    sums.columns = SummedColumns(columns);
    for (const ChecksumColumn& column : columns) {
      if (fast) sums.differing.push_back(column.column.name);
    }
    if (!fast) sums.differing = DifferingColumns(session.dialect(), columns);
    return absl::OkStatus();
  };
  const auto ask = [&](const RangeQuery& query) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string sql,
                     fast ? BuildFastChecksumQuery(session.dialect(), query, columns)
                          : BuildChecksumQuery(session.dialect(), query, columns));
    ASSIGN_OR_RETURN(const TextRow row, OneRow(session, sql, 3));
    ASSIGN_OR_RETURN(const RowChecksum sum, ParseChecksum(row));
    sums.extents.push_back(sum);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachExtent(session, dataset, extents, options, begin, ask));
  // Where no statement was made that says so.
  if (extents.empty() && !fast && session.dialect().checksum == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat(session.dialect().name, " makes no checksums of rows"));
  }
  return sums;
}

absl::StatusOr<std::vector<ExtentCount>> CountExtents(SourceSession& session,
                                                      const DatasetSpec& dataset,
                                                      const std::vector<Extent>& extents,
                                                      const ReadOptions& options) {
  std::vector<ExtentCount> counts;
  const auto begin = [](const Selection&) { return absl::OkStatus(); };
  const auto ask = [&](const RangeQuery& query) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string sql, BuildCountQuery(session.dialect(), query));
    ASSIGN_OR_RETURN(const TextRow row, OneRow(session, sql, 2));
    ExtentCount count;
    ASSIGN_OR_RETURN(count.rows, CountFrom(row[0]));
    ASSIGN_OR_RETURN(count.max_cursor, CursorFrom(row[1], query.cursor, dataset));
    counts.push_back(count);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachExtent(session, dataset, extents, options, begin, ask));
  return counts;
}

}  // namespace headwater
