// The columns of a Delta table as one commit finds and leaves them. A table grows in the version
// that brings the first rows which need it: new columns at the end, wider types in place. Files
// stay as they are; readers take a column that a file lacks as NULL, and a narrower one as wide.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_TABLE_SHAPE_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_TABLE_SHAPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/schema.h"
#include "coordinator/commit/committer.h"
#include "coordinator/commit/delta/delta_actions.h"
#include "coordinator/commit/delta/delta_snapshot.h"

namespace headwater {

// Thread-compatible.
class TableShape {
 public:
  // Of the table as it is; without columns when there is no table. Errors: of SchemaFromJson().
  static absl::StatusOr<TableShape> Of(const DeltaSnapshot& snapshot);

  // Grows by what rows of `replacement` need. INVALID_ARGUMENT: they do not fit, with the
  // difference spelled out; then nothing has changed.
  absl::Status Take(const Replacement& replacement);

  // Adds to `actions` what gives the table these columns, at `now_ms`: nothing when it has them.
  // Requires: it began as Of(snapshot).
  absl::Status Put(const DeltaSnapshot& snapshot, const std::string& ledger_id, int64_t now_ms,
                   DeltaVersion& actions) const;

  bool empty() const { return schema_.columns.empty(); }
  const Schema& schema() const { return schema_; }
  const std::vector<std::string>& partition_columns() const { return partition_columns_; }

 private:
  void Remember(const Replacement& replacement);

  Schema schema_;
  std::vector<std::string> partition_columns_;
  bool grown_ = false;
  Schema taken_;  // Of the last replacement that fitted: most are alike.
  Unit taken_by_;
  std::string taken_server_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_TABLE_SHAPE_H_
