// What a keyed write does, once it is known what was read and what the table has: pure decisions
// of worker/change, carried out by keyed_writer.cc.
#ifndef HEADWATER_WORKER_CHANGE_DECISION_H_
#define HEADWATER_WORKER_CHANGE_DECISION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/model/task.h"
#include "worker/change/base_scan.h"
#include "worker/change/file_plan.h"
#include "worker/change/read_rows.h"

namespace headwater {

struct KeyedDecision {
  FilePlans files;
  // Versions: the rows that were read and are to be written, by their number, with their times. Of
  // merges ReadRow::wanted says it.
  absl::flat_hash_map<int32_t, VersionTimes> versions;
  KeyedChange counts;  // Rows by what became of them; no files.

  // Whether rows that were read are to be written.
  bool adds_rows(WriteMode write) const {
    return write == WriteMode::kMerge ? counts.new_rows + counts.changed_rows > 0
                                      : !versions.empty();
  }
  bool changes_files() const {
    for (const FilePlan& file : files) {
      if (file.touched()) return true;
    }
    return false;
  }
};

struct DecisionInput {
  const DatasetSpec& dataset;
  const std::string& folder;  // Of the table.
  const Schema& file_schema;
  const TableBase& base;
  // Whether a row of the table with this cursor is inside of what was read.
  std::function<bool(const std::optional<int64_t>& cursor)> covers;
  const KeyRangeSet* only = nullptr;  // As StagingOptions has it.
  int64_t read_at = 0;  // Versions by whole reads: when that was, in microseconds UTC.
  std::stop_token stop;
};

// WriteMode::kMerge: each row takes the place of the one with its key; ReadRow::wanted stays true
// of those that are written. Errors: of ScanBase().
absl::StatusOr<KeyedDecision> DecideMerge(const DecisionInput& input, ReadRows& read);

// WriteMode::kVersions. DATA_LOSS: a key's history in the table is
// broken (`headwater verify --scd2` tells). INVALID_ARGUMENT: two rows of one key and instant that
// differ. Errors: of ScanBase().
absl::StatusOr<KeyedDecision> DecideVersions(const DecisionInput& input, ReadRows& read);

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_DECISION_H_
