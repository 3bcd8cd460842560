// What `run`, `backfill` and the demo share: submit, show progress, report, and say how it went.
#ifndef HEADWATER_CLI_RUN_SESSION_H_
#define HEADWATER_CLI_RUN_SESSION_H_

#include "absl/status/status.h"
#include "cli/commands.h"
#include "common/config/config.h"
#include "headwater/v1/admin.pb.h"

namespace headwater {

// Loads the configuration and checks the selection. Errors are of kind usage (exit code 2).
absl::StatusOr<Config> LoadFor(const GlobalOptions& global, const Selector& selector);

v1::Selection SelectionOf(const Selector& selector);

// Runs `request` to its end and prints its report. Returns the command's exit code. Ctrl-C cancels
// this run only; a second one leaves at once.
int SubmitAndWatch(const GlobalOptions& global, const Config& config, v1::SubmitRunRequest request);

// Says what went wrong on stderr and returns the exit code for it.
int Complain(const absl::Status& status);

}  // namespace headwater

#endif  // HEADWATER_CLI_RUN_SESSION_H_
