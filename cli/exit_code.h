// What a command's exit code says. These are promises: scripts depend on them.
#ifndef HEADWATER_CLI_EXIT_CODE_H_
#define HEADWATER_CLI_EXIT_CODE_H_

#include "absl/status/status.h"
#include "headwater/v1/admin.pb.h"

namespace headwater {

enum ExitCode : int {
  kExitDone = 0,          // Done, or nothing to do.
  kExitPartial = 1,       // Some microbatches or servers failed; the rest is committed.
  kExitUsage = 2,         // Bad usage, configuration or ledger; nothing was started.
  kExitSources = 3,       // No source or target could be reached, or none allowed it.
  kExitCoordinator = 4,   // The coordinator could not be reached.
  kExitVerification = 5,  // What is published is not as it should be.
};

// For a command that could not do its work. UNAVAILABLE and DEADLINE_EXCEEDED mean the coordinator:
// a source's failure arrives inside a run, never as the status of a call.
ExitCode ExitCodeOf(const absl::Status& status);

// For a run that has ended. 3 when every dataset failed and the sources or the target are to blame.
ExitCode ExitCodeOf(const v1::WatchRunResponse& run);

ExitCode ExitCodeOf(const v1::PlanResponse& plan);

// 5 as soon as one piece differs, else 1 when something could not be verified.
ExitCode ExitCodeOf(const v1::VerifyResponse& result);
ExitCode ExitCodeOf(const v1::CollectGarbageResponse& result);

}  // namespace headwater

#endif  // HEADWATER_CLI_EXIT_CODE_H_
