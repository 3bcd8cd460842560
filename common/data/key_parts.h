// The parts into which borders divide the values of a key, of rows that were read: the twin of what
// worker/source/key_ranges.h asks a source for.
#ifndef HEADWATER_COMMON_DATA_KEY_PARTS_H_
#define HEADWATER_COMMON_DATA_KEY_PARTS_H_

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/row_batch.h"
#include "common/data/schema.h"

namespace headwater {

// A value of a key: the number of an integer, a date (days) or a timestamp (microseconds), the
// unscaled one of a decimal; or a text, which is ordered by its bytes.
using KeyValue = std::variant<__int128, std::string>;

// Part 0 is what lies below the first border, and rows whose key is NULL; part i begins with the
// border before it; the last has no end. Confined to one thread (it keeps scratch memory).
class KeyParts {
 public:
  // For batches of `schema`, by its column `key`. INVALID_ARGUMENT: there is no such column, its
  // type has no such values, or `borders` do not ascend or are not of its kind.
  static absl::StatusOr<std::unique_ptr<KeyParts>> Create(const Schema& schema,
                                                          const std::string& key,
                                                          std::vector<KeyValue> borders);
  virtual ~KeyParts() = default;

  // One more than the borders.
  virtual int count() const = 0;

  // Sets `parts` to that of each row of `batch`. INVALID_ARGUMENT: it has other columns.
  virtual absl::Status Take(const RowBatch& batch, std::vector<int>& parts) = 0;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_KEY_PARTS_H_
