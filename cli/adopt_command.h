// `repair --adopt`: files of other writers, and tables of other ledgers, are taken over.
#ifndef HEADWATER_CLI_ADOPT_COMMAND_H_
#define HEADWATER_CLI_ADOPT_COMMAND_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/commands.h"
#include "cli/ledger_home.h"
#include "common/config/config.h"

namespace headwater {

int RunAdopt(const RepairOptions& options);

// The configuration's ledger, taken, for a command that changes it by itself.
// FAILED_PRECONDITION: a coordinator has it, or is named (--coordinator).
absl::StatusOr<std::unique_ptr<LedgerHome>> TakeAlone(const GlobalOptions& global,
                                                      const Config& config,
                                                      absl::string_view command);

std::vector<DatasetSpec> SpecsOf(const Config& config);

}  // namespace headwater

#endif  // HEADWATER_CLI_ADOPT_COMMAND_H_
