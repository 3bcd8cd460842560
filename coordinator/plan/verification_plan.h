// What is to be read, or asked, to compare a dataset's published rows with its source.
#ifndef HEADWATER_COORDINATOR_PLAN_VERIFICATION_PLAN_H_
#define HEADWATER_COORDINATOR_PLAN_VERIFICATION_PLAN_H_

#include <cstdint>
#include <vector>

#include "common/model/task.h"
#include "coordinator/state/dataset_state.h"
#include "coordinator/state/table_state.h"

namespace headwater {

struct VerificationOptions {
  int pieces_per_task = 64;
  bool counts_only = false;  // Rows are counted, and their content is not compared.
  int sample = 0;            // So many pieces, chosen by `seed`; 0: all.
  uint64_t seed = 0;
};

struct VerificationPlan {
  std::vector<VerificationTask> tasks;
  int64_t left_out = 0;  // Pieces that the sample has not.
};

// Published pieces in groups, to be compared in the columns that they were written with, and hashed
// as they were: `table` has both by spec_version. Of pieces with a checksum that is asked first.
// The rows of a keyed table are looked up in it: each stretch that is covered is one task, whatever
// its pieces, and a sample is of those.
VerificationPlan PlanVerification(const DatasetState& dataset, const TableState& table,
                                  const VerificationOptions& options);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_PLAN_VERIFICATION_PLAN_H_
