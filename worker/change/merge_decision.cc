// Merges: what was read takes the place of what has its key.
#include "common/base/status.h"
#include "worker/change/decision.h"

namespace headwater {
namespace {

// The row of a key that is taken: all others of the read lost to it.
ReadRow& Taken(ReadRows& read, int32_t row) {
  while (!read.rows()[static_cast<size_t>(row)].wanted &&
         !read.rows()[static_cast<size_t>(row)].met) {
    row = read.rows()[static_cast<size_t>(row)].next;
  }
  return read.rows()[static_cast<size_t>(row)];
}

}  // namespace

absl::StatusOr<KeyedDecision> DecideMerge(const DecisionInput& input, ReadRows& read) {
  const MissingPolicy missing = input.dataset.on_missing;
  KeyedDecision decision;
  decision.files.resize(input.base.files.size());
  const BaseScan scan{.dataset = input.dataset,
                      .folder = input.folder,
                      .file_schema = input.file_schema,
                      .read = read,
                      .cursors = missing != MissingPolicy::kKeep && !input.dataset.cursor.empty(),
                      .prune = missing == MissingPolicy::kKeep,
                      .only = input.only};
  KeyedChange& counts = decision.counts;
  const auto change = [&](const BaseRow& row, RowChange::Kind kind) {
    decision.files[static_cast<size_t>(row.file)].changes.push_back({row.row, kind});
  };
  RETURN_IF_ERROR(ScanBase(scan, input.base, input.stop, [&](const BaseRow& row) -> absl::Status {
    const auto found = read.keys().find(row.key);
    if (found == read.keys().end()) {
      if (missing == MissingPolicy::kKeep || !input.covers(row.cursor)) return absl::OkStatus();
      if (missing == MissingPolicy::kMark && row.marked) return absl::OkStatus();
      change(row,
             missing == MissingPolicy::kMark ? RowChange::Kind::kMark : RowChange::Kind::kDrop);
      ++counts.deleted_rows;
      return absl::OkStatus();
    }
    ReadRow& taken = Taken(read, found->second);
    if (taken.met) {  // A second row of one key, which others must have put there.
      change(row, RowChange::Kind::kDrop);
      return absl::OkStatus();
    }
    taken.met = true;
    if (taken.content == row.content && !row.marked) {
      taken.wanted = false;
      ++counts.same_rows;
      return absl::OkStatus();
    }
    change(row, RowChange::Kind::kDrop);
    ++counts.changed_rows;
    return absl::OkStatus();
  }));
  for (const ReadRow& row : read.rows()) counts.new_rows += row.wanted && !row.met ? 1 : 0;
  return decision;
}

}  // namespace headwater
