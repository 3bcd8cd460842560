#include "cli/state_heal.h"

#include <iostream>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/adopt_command.h"
#include "cli/confirm.h"
#include "cli/exit_code.h"
#include "cli/ledger_file.h"
#include "cli/ledger_lock.h"
#include "cli/output.h"
#include "cli/run_session.h"
#include "cli/takeover_report.h"
#include "common/base/status.h"
#include "coordinator/commit/delta/delta_takeover.h"
#include "coordinator/ledger/ledger_backups.h"
#include "coordinator/ledger/sqlite_event_log.h"
#include "coordinator/startup.h"
#include "coordinator/takeovers.h"

namespace headwater {
namespace {

// The ledger that is there now.
struct Before {
  std::string text;           // For people.
  int64_t last_sequence = 0;  // As far as it could be read.
};

Before LookAtLedger(LedgerHome& ledger) {
  const absl::StatusOr<std::unique_ptr<EventLog>> log = ledger.OpenLogReadOnly();
  if (absl::IsNotFound(log.status())) return {"there is no ledger", 0};
  if (!log.ok())
    return {absl::StrCat("it cannot be read: ", std::string(log.status().message())), 0};
  const absl::StatusOr<ReplayedState> replayed = ReplayLog(**log);
  if (!replayed.ok()) {
    return {absl::StrCat("it cannot be replayed: ", std::string(replayed.status().message())),
            (*log)->last_sequence()};
  }
  const ClusterState& state = *replayed->state;
  const auto live = static_cast<int64_t>(state.live_runs().size());
  return {absl::StrCat("ledger ", (*log)->ledger_id(), " can be read: ",
                       Counted(static_cast<int64_t>(state.datasets().size()), "dataset"), ", ",
                       Counted(live, "run"), " under way, ", (*log)->last_sequence(), " events"),
          (*log)->last_sequence()};
}

std::string BackupText(const Config& config) {
  const std::optional<LedgerBackup> newest = NewestBackup(BackupFolder(config.directory));
  if (!newest.has_value()) return "there is none of the ledger";
  return absl::StrCat(newest->path, " is the newest, of ",
                      absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", newest->made, absl::UTCTimeZone()),
                      "; it can take the ledger's place where no table was written since, and "
                      "`headwater fsck` says whether that is so");
}

constexpr char kLost[] =
    "Lost in any case: runs and their history that was not archived yet, backfills that have not "
    "ended, marks that ranges "
    "are to be read again, what failed too often, plans, and what the last probes showed.\n";

absl::StatusOr<v1::TakeoverReport> Heal(const StateOptions& options, const Config& config) {
  ASSIGN_OR_RETURN(const auto ledger, TakeAlone(options.global, config, "headwater state heal"));
  const Before before = LookAtLedger(*ledger);
  DeltaTakeoverFactory factory;
  const std::vector<DatasetSpec> specs = SpecsOf(config);
  ASSIGN_OR_RETURN(const std::vector<TableTakeoverPlan> plans, PlanTakeovers(specs, factory, {}));
  v1::TakeoverReport report = ReportOf(plans);
  if (options.global.output != OutputFormat::kJson) {
    std::cout << "before    " << Wrap(before.text, 10, kTextWidth - 10) << "\n"
              << "backup    " << Wrap(BackupText(config), 10, kTextWidth - 10) << "\n"
              << TakeoverText(report) << Wrap(kLost, 0) << std::flush;
  }
  RETURN_IF_ERROR(
      Confirm("Make a new ledger of this? The one before is kept beside it.", options.yes));
  const std::string made = absl::StrCat(LedgerPath(config.directory), ".healing");
  RETURN_IF_ERROR(RemoveLedgerFile(made));
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<EventLog> log, OpenSqliteEventLog(made));
    RETURN_IF_ERROR(headwater::Heal(specs, plans, factory, before.last_sequence, *log));
    report.set_ledger_id(log->ledger_id());
  }
  ASSIGN_OR_RETURN(const std::string kept, ledger->Replace(made, absl::Now()));
  report.set_kept_as(kept);
  return report;
}

}  // namespace

int HealState(const StateOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, {});
  if (!config.ok()) return Complain(config.status());
  const absl::StatusOr<v1::TakeoverReport> report = Heal(options, *config);
  if (!report.ok()) return Complain(report.status());
  if (options.global.output == OutputFormat::kJson) {
    std::cout << MessageToJson(*report, "heal") << "\n";
  } else {
    std::cout << "healed    ledger " << report->ledger_id() << " owns these tables now"
              << (report->kept_as().empty() ? "" : "; the one before is " + report->kept_as())
              << ". `headwater run` reads what is stale or missing\n";
  }
  return LeftSomething(*report) ? kExitPartial : kExitDone;
}

}  // namespace headwater
