#include "worker/source/part_checksums.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/key_ranges.h"
#include "worker/source/prepared_read.h"
#include "worker/source/questions.h"
#include "worker/source/summed_extents.h"

namespace headwater {
namespace {

absl::Status NeedsChecksums(const Dialect& dialect) {
  if (dialect.checksum != nullptr) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat(dialect.name, " makes no checksums of rows"));
}

std::vector<std::optional<std::string>> Row(const std::string& text) { return {text}; }

// With the condition of the question itself.
std::string Both(const std::string& outer, const std::string& inner) {
  if (outer.empty() || inner.empty()) return outer.empty() ? inner : outer;
  return absl::StrCat("(", outer, ") AND (", inner, ")");
}

}  // namespace

absl::StatusOr<DividingKey> FindDividingKey(SourceSession& session, const DatasetSpec& dataset,
                                            const ReadOptions& options) {
  RETURN_IF_ERROR(NeedsChecksums(session.dialect()));
  ASSIGN_OR_RETURN(const std::vector<SourceColumn> available, session.Describe(dataset.relation));
  ASSIGN_OR_RETURN(const PreparedRead read,
                   PrepareRead(session, available, dataset, Extent(), options));
  DividingKey key;
  key.unique = dataset.key_columns;
  if (key.unique.empty()) {
    ASSIGN_OR_RETURN(const std::string sql, UniqueKeysSql(session.dialect(), dataset.relation));
    if (!sql.empty()) {
      ASSIGN_OR_RETURN(const std::vector<TextRow> rows, session.Query(sql));
      key.unique = BestUniqueKey(rows);
    }
    for (const std::string& column : key.unique) {
      // One that is not read tells no rows apart.
      if (read.selection.schema.Find(column) >= 0) continue;
      key.unique.clear();
      break;
    }
  }
  std::optional<KeyColumn> found = RangeKeyOf(session.dialect(), read.selection, key.unique);
  if (!found.has_value() && !dataset.cursor.empty())
    found = RangeKeyOf(session.dialect(), read.selection, {dataset.cursor});
  if (found.has_value()) key.column = found->column.name;
  return key;
}

absl::StatusOr<PartChecksums> SumParts(SourceSession& session, const DatasetSpec& dataset,
                                       const Extent& extent, const ReadOptions& options,
                                       const ChecksumOptions& checksum, const std::string& key,
                                       const std::vector<std::string>& borders) {
  const Dialect& dialect = session.dialect();
  RETURN_IF_ERROR(NeedsChecksums(dialect));
  PartChecksums sums;
  RETURN_IF_ERROR(InSnapshot(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<SourceColumn> available, session.Describe(dataset.relation));
    ASSIGN_OR_RETURN(const PreparedRead read,
                     PrepareRead(session, available, dataset, extent, options));
    ASSIGN_OR_RETURN(const std::vector<ChecksumColumn> columns,
                     ChecksumColumnsFor(read.selection, checksum.table, checksum.policy, dataset));
    sums.columns = SummedColumns(columns);
    sums.differing = DifferingColumns(dialect, columns);
    const std::optional<KeyColumn> column = RangeKeyOf(dialect, read.selection, {key});
    if (!column.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("column '", key, "' of '", dataset.relation, "' does not divide its rows"));
    }
    AnswerRows wanted;
    for (const std::string& border : borders) wanted.push_back(Row(border));
    ASSIGN_OR_RETURN(sums.borders, BordersFrom(dialect, *column, wanted));
    ASSIGN_OR_RETURN(const std::string sql,
                     BuildPartChecksumQuery(dialect, read.query, columns, *column, sums.borders));
    ASSIGN_OR_RETURN(const std::vector<TextRow> answer, session.Query(sql));
    ASSIGN_OR_RETURN(sums.parts,
                     ParsePartChecksums(answer, static_cast<int>(sums.borders.size()) + 1));
    ASSIGN_OR_RETURN(sums.within, SplitByKey(dialect, *column, sums.borders));
    return absl::OkStatus();
  }));
  for (std::string& within : sums.within) within = Both(options.within, within);
  return sums;
}

}  // namespace headwater
