#include "worker/source/prepared_read.h"

#include <utility>

#include "common/base/status.h"
#include "worker/source/probe.h"

namespace headwater {

absl::StatusOr<PreparedRead> PrepareRead(SourceSession& session,
                                         const std::vector<SourceColumn>& available,
                                         const DatasetSpec& dataset, const Extent& extent,
                                         const ReadOptions& options) {
  ASSIGN_OR_RETURN(Selection selection, SelectColumns(dataset, available));
  RETURN_IF_ERROR(CheckCursorType(dataset, selection, options.cursor_type));
  ASSIGN_OR_RETURN(selection.cursor.separator,
                   SeparatorOf(session, dataset.relation, selection.cursor));
  RangeQuery query{.relation = dataset.relation,
                   .expressions = {},
                   .cursor = selection.cursor,
                   .extent = extent,
                   .domain_end = options.domain_end,
                   .null_rows = dataset.on_null_cursor == OutsidePolicy::kLoad,
                   .future_rows = dataset.on_future_cursor == OutsidePolicy::kLoad,
                   .within = options.within,
                   .tag = options.query_tag};
  return PreparedRead{.selection = std::move(selection), .query = std::move(query)};
}

}  // namespace headwater
