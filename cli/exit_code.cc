#include "cli/exit_code.h"

#include <algorithm>

namespace headwater {
namespace {

// The source or target cannot be reached, or refuses.
bool IsOutside(int code) {
  return code == static_cast<int>(absl::StatusCode::kUnavailable) ||
         code == static_cast<int>(absl::StatusCode::kPermissionDenied) ||
         code == static_cast<int>(absl::StatusCode::kUnauthenticated);
}

}  // namespace

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitDone;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kDataLoss:  // The ledger: without it nothing is started.
      return kExitUsage;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kExitSources;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return kExitCoordinator;
    default:
      return kExitPartial;
  }
}

ExitCode ExitCodeOf(const v1::WatchRunResponse& run) {
  if (!run.failed() && !run.cancelled()) return kExitDone;
  const bool all_failed =
      run.datasets_size() > 0 &&
      std::all_of(run.datasets().begin(), run.datasets().end(), [](const v1::RunDataset& dataset) {
        return dataset.state() == v1::RunDataset::STATE_FAILED &&
               dataset.microbatches_done() + dataset.microbatches_unchanged() == 0;
      });
  bool all_outside = false;
  for (const v1::Problem& problem : run.problems()) {
    if (problem.message().empty()) continue;  // A warning.
    if (!IsOutside(problem.code())) return kExitPartial;
    all_outside = true;
  }
  return all_failed && all_outside ? kExitSources : kExitPartial;
}

ExitCode ExitCodeOf(const v1::PlanResponse& plan) {
  int failed = 0, outside = 0;
  for (const v1::PlannedDataset& dataset : plan.datasets()) {
    if (!dataset.has_problem()) continue;
    ++failed;
    if (IsOutside(dataset.problem().code())) ++outside;
  }
  if (failed == 0) return kExitDone;
  return outside == plan.datasets_size() ? kExitSources : kExitPartial;
}

ExitCode ExitCodeOf(const v1::VerifyResponse& result) {
  bool failed = false;
  for (const v1::VerifiedDataset& dataset : result.datasets()) {
    if (dataset.different() > 0) return kExitVerification;
    failed = failed || dataset.failed();
  }
  return failed ? kExitPartial : kExitDone;
}

ExitCode ExitCodeOf(const v1::CollectGarbageResponse& result) {
  const bool failed =
      std::any_of(result.tables().begin(), result.tables().end(),
                  [](const v1::CollectedTable& table) { return table.problems_size() > 0; });
  return failed ? kExitPartial : kExitDone;
}

}  // namespace headwater
