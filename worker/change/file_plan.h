// What becomes of the rows of one live file of a keyed table.
#ifndef HEADWATER_WORKER_CHANGE_FILE_PLAN_H_
#define HEADWATER_WORKER_CHANGE_FILE_PLAN_H_

#include <cstdint>
#include <vector>

#include "worker/change/version.h"

namespace headwater {

struct RowChange {
  enum class Kind {
    kDrop,
    kMark,   // The source has it no more: says since when.
    kPatch,  // Of a version: gets `times`.
    kCopy,   // One more version with its content gets `times`; the row itself may change as well.
  };
  int64_t row = 0;  // Its place in the file.
  Kind kind = Kind::kDrop;
  VersionTimes times = {};
};

struct FilePlan {
  std::vector<RowChange> changes;
  bool rewritten = false;  // Also without changes: it is small, and is joined with others.

  bool touched() const { return rewritten || !changes.empty(); }
};

// By file of a TableBase.
using FilePlans = std::vector<FilePlan>;

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_FILE_PLAN_H_
