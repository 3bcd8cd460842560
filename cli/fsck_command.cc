#include <iostream>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/fsck_report.h"
#include "cli/ledger_home.h"
#include "cli/output.h"
#include "cli/run_session.h"
#include "common/base/status.h"
#include "coordinator/commit/delta/delta_collector.h"
#include "coordinator/commit/delta/delta_file_checker.h"
#include "coordinator/commit/delta/delta_takeover.h"
#include "coordinator/fsck.h"
#include "coordinator/startup.h"

namespace headwater {
namespace {

// For the outcome of a commit that is under way: an fsync or two, on a busy machine.
constexpr absl::Duration kPatience = absl::Seconds(10);

// Whole tables: their files and commits are of all datasets.
std::vector<FsckTable> TablesOf(const std::vector<const DatasetConfig*>& selected) {
  std::map<std::string, FsckTable> tables;
  for (const DatasetConfig* dataset : selected) {
    const DatasetSpec& spec = dataset->spec;
    tables.emplace(spec.id.table, FsckTable{spec.id.table, spec.target_uri, dataset->retention});
  }
  std::vector<FsckTable> list;
  for (auto& [name, table] : tables) list.push_back(std::move(table));
  return list;
}

// A ledger as it is now, whoever writes it.
struct OpenLedger {
  std::unique_ptr<EventLog> log;
  std::unique_ptr<ClusterState> state;
};

absl::StatusOr<OpenLedger> OpenForReading(const GlobalOptions& global, const Config& config) {
  ASSIGN_OR_RETURN(const auto home, LedgerHome::Open(global, config));
  OpenLedger ledger;
  ASSIGN_OR_RETURN(ledger.log, home->OpenLogReadOnly());
  ASSIGN_OR_RETURN(ReplayedState replayed, ReplayLog(*ledger.log));
  ledger.state = std::move(replayed.state);
  return ledger;
}

absl::StatusOr<v1::FsckReport> Check(const FsckCommandOptions& options, const Config& config) {
  if (!options.global.coordinator.empty()) {
    return absl::FailedPreconditionError(
        "headwater fsck: it reads the ledger and the tables themselves: call it where they are, "
        "without --coordinator; coordinators and runs there go on");
  }
  ASSIGN_OR_RETURN(const auto selected, Select(config, options.selector));
  ASSIGN_OR_RETURN(const OpenLedger ledger, OpenForReading(options.global, config));
  DeltaTakeoverFactory tables;
  DeltaCollectorFactory collectors;
  DeltaFileChecker files;
  return Fsck(TablesOf(selected), *ledger.log, *ledger.state,
              {&tables, &collectors, &files, kPatience});
}

}  // namespace

int RunFsck(const FsckCommandOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  const absl::StatusOr<v1::FsckReport> report = Check(options, *config);
  if (!report.ok()) return Complain(report.status());
  std::cout << (options.global.output == OutputFormat::kJson ? MessageToJson(*report, "fsck") + "\n"
                                                             : FsckText(*report));
  return ExitCodeOf(*report);
}

}  // namespace headwater
