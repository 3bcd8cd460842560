// `repair --adopt`: files of other writers, and tables of other ledgers, are taken over.
#ifndef HEADWATER_CLI_ADOPT_COMMAND_H_
#define HEADWATER_CLI_ADOPT_COMMAND_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/commands.h"
#include "cli/ledger_lock.h"
#include "common/config/config.h"

namespace headwater {

int RunAdopt(const RepairOptions& options);

// The lock of the configuration's ledger, for a command that changes it by itself.
// FAILED_PRECONDITION: a coordinator holds it, or is named (--coordinator).
absl::StatusOr<LedgerLock> LockAlone(const GlobalOptions& global, const Config& config,
                                     absl::string_view command);

std::vector<DatasetSpec> SpecsOf(const Config& config);

}  // namespace headwater

#endif  // HEADWATER_CLI_ADOPT_COMMAND_H_
