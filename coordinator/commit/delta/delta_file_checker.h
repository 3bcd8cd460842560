// Files of Delta Lake tables in local folders, against their logs.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_FILE_CHECKER_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_FILE_CHECKER_H_

#include "coordinator/commit/file_check.h"

namespace headwater {

class DeltaFileChecker : public FileChecker {
 public:
  absl::StatusOr<FileCheck> CheckFiles(const TableLocation& location) override;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_FILE_CHECKER_H_
