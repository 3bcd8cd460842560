#include "cli/adopt_command.h"

#include <iostream>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/confirm.h"
#include "cli/exit_code.h"
#include "cli/ledger_lock.h"
#include "cli/output.h"
#include "cli/run_session.h"
#include "cli/takeover_report.h"
#include "common/base/status.h"
#include "coordinator/commit/delta/delta_takeover.h"
#include "coordinator/startup.h"
#include "coordinator/takeovers.h"

namespace headwater {
namespace {

bool IsNothing(const v1::TakeoverReport& report) {
  for (const v1::TakenTable& table : report.tables()) {
    if (table.datasets_size() > 0 || !table.refused().empty()) return false;
  }
  return true;
}

absl::StatusOr<v1::TakeoverReport> AdoptSelected(const RepairOptions& options,
                                                 const Config& config) {
  ASSIGN_OR_RETURN(const auto ledger,
                   TakeAlone(options.global, config, "headwater repair --adopt"));
  ASSIGN_OR_RETURN(const std::unique_ptr<EventLog> log, ledger->OpenLog());
  ASSIGN_OR_RETURN(ReplayedState replayed, ReplayLog(*log));
  ASSIGN_OR_RETURN(const auto selected, Select(config, options.selector));
  TakeoverScope scope;
  scope.ledger_id = log->ledger_id();
  for (const DatasetConfig* dataset : selected) scope.adopted.insert(dataset->spec.id);
  DeltaTakeoverFactory factory;
  const std::vector<DatasetSpec> specs = SpecsOf(config);
  ASSIGN_OR_RETURN(const std::vector<TableTakeoverPlan> plans,
                   PlanTakeovers(specs, factory, scope));
  v1::TakeoverReport report = ReportOf(plans);
  const bool json = options.global.output == OutputFormat::kJson;
  if (IsNothing(report)) {
    if (!json) std::cout << "nothing to take over: no file of another writer was found\n";
    return report;
  }
  if (!json) std::cout << TakeoverText(report) << std::flush;
  RETURN_IF_ERROR(Confirm(
      "Take this over? Until the next run has read it, the tables stay as they are.", options.yes));
  RETURN_IF_ERROR(Adopt(specs, plans, factory, *log, *replayed.state));
  report.set_ledger_id(log->ledger_id());
  return report;
}

}  // namespace

std::vector<DatasetSpec> SpecsOf(const Config& config) {
  std::vector<DatasetSpec> specs;
  for (const DatasetConfig& dataset : config.datasets) specs.push_back(dataset.spec);
  return specs;
}

absl::StatusOr<std::unique_ptr<LedgerHome>> TakeAlone(const GlobalOptions& global,
                                                      const Config& config,
                                                      absl::string_view command) {
  if (!global.coordinator.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(command,
                     ": it works on the ledger itself: end the coordinator, and call it where the "
                     "ledger is, without --coordinator"));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<LedgerHome> ledger, LedgerHome::Open(global, config));
  // Nobody is served at this address: who finds it in a shared ledger waits.
  ASSIGN_OR_RETURN(const bool taken, ledger->TryTake(SocketAddress(config.directory)));
  if (taken) {
    ledger->Keep(EndForAnother);
    return ledger;
  }
  return absl::FailedPreconditionError(
      absl::StrCat(command, ": a coordinator or a run has the ledger ", ledger->name(),
                   "; end it, or wait for it, and try again"));
}

int RunAdopt(const RepairOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  const absl::StatusOr<v1::TakeoverReport> report = AdoptSelected(options, *config);
  if (!report.ok()) return Complain(report.status());
  if (options.global.output == OutputFormat::kJson) {
    std::cout << MessageToJson(*report, "adopt") << "\n";
  } else if (!report->ledger_id().empty()) {
    std::cout << "taken over; `headwater run` reads what is to be read again\n";
  }
  return LeftSomething(*report) ? kExitPartial : kExitDone;
}

}  // namespace headwater
