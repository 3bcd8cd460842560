// The columns of versions among those of a batch: as values that can be changed, and back.
#ifndef HEADWATER_WORKER_CHANGE_TIME_COLUMNS_H_
#define HEADWATER_WORKER_CHANGE_TIME_COLUMNS_H_

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/data/schema.h"
#include "worker/change/version.h"

namespace headwater {

// By row. What a table holds need not make sense, and stays as it is unless it is set.
struct TimeColumns {
  std::vector<std::optional<int64_t>> valid_from, valid_to;
  std::vector<std::optional<bool>> is_current;
  std::vector<std::optional<std::string>> confirmed_at;

  // For so many rows, all NULL.
  explicit TimeColumns(size_t rows)
      : valid_from(rows), valid_to(rows), is_current(rows), confirmed_at(rows) {}
  // Of `columns`, which have `schema`. Requires: it has the columns of versions.
  static TimeColumns Of(const Schema& schema, const arrow::ArrayVector& columns);

  void Set(size_t row, const VersionTimes& times);

  // Sets the columns of versions of `columns`, as far as `schema` has them.
  absl::Status Put(const Schema& schema, arrow::ArrayVector& columns) const;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_TIME_COLUMNS_H_
