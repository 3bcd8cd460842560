// Some of the rows of a table, by ranges of the values of one column: the twin of conditions that
// select rows of a source (worker/source/key_ranges.h).
#ifndef HEADWATER_COMMON_DATA_KEY_RANGE_SET_H_
#define HEADWATER_COMMON_DATA_KEY_RANGE_SET_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/key_parts.h"
#include "common/data/row_batch.h"
#include "common/data/schema.h"

namespace headwater {

// Half-open. Without a begin it has the rows whose key is NULL as well.
struct KeyRange {
  std::optional<KeyValue> from, to;
};

struct KeyRangeSet {
  std::string key;               // The column. Empty: every row is in the set.
  std::vector<KeyRange> ranges;  // Ascending, disjoint.
};

// Which range of a set, or which part of which range, each row lies in. Confined to one thread.
class KeyRangeIndex {
 public:
  // `inner` has borders inside of each range, ascending, which divide it into parts; or is empty:
  // each range is one part. INVALID_ARGUMENT: `schema` has no such column, or its values are of
  // another kind.
  static absl::StatusOr<KeyRangeIndex> Create(const Schema& schema, const KeyRangeSet& set,
                                              const std::vector<std::vector<KeyValue>>& inner = {});

  // Parts of all ranges, numbered through.
  int count() const { return count_; }

  // Sets `parts` to that of each row, or -1: it is in no range. INVALID_ARGUMENT: as of KeyParts.
  absl::Status Take(const RowBatch& batch, std::vector<int>& parts);

 private:
  KeyRangeIndex() = default;

  std::unique_ptr<KeyParts> parts_;  // Null: all rows are in part 0.
  std::vector<int> numbers_;         // By part of `parts_`.
  int count_ = 1;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_KEY_RANGE_SET_H_
