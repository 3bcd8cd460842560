#include <unistd.h>

#include <iostream>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/exit_code.h"
#include "cli/ledger_file.h"
#include "cli/ledger_home.h"
#include "cli/ledger_lock.h"
#include "cli/run_session.h"
#include "common/base/status.h"
#include "coordinator/ledger/sqlite_event_log.h"

namespace headwater {
namespace {

// From the file beside the configuration into the database that the configuration names now.
absl::Status Migrate(const LedgerCommandOptions& options, const Config& config) {
  if (!options.global.coordinator.empty()) {
    return absl::FailedPreconditionError(
        "headwater ledger migrate: it moves the ledger itself: end the coordinator, and call it "
        "where the ledger is, without --coordinator");
  }
  const std::string path = LedgerPath(config.directory);
  ASSIGN_OR_RETURN(const auto lock, LedgerLock::TryAcquire(config.directory));
  if (!lock.has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat("a coordinator or a run has the ledger ", path, "; end it, and try again"));
  }
  ASSIGN_OR_RETURN(const auto target, LedgerHome::Open(options.global, config));
  if (!target->shared()) {
    return absl::InvalidArgumentError(
        "where to? Say so in the configuration (ledger: postgresql://...), or by --ledger");
  }
  int64_t events = 0;
  std::string id;
  {
    ASSIGN_OR_RETURN(const auto from, OpenSqliteEventLogReadOnly(path));
    events = from->last_sequence();
    id = from->ledger_id();
  }
  ASSIGN_OR_RETURN(const bool taken, target->TryTake(SocketAddress(config.directory)));
  if (!taken) {
    return absl::FailedPreconditionError(
        absl::StrCat("a coordinator leads the ledger ", target->name(), "; end it, and try again"));
  }
  target->Keep(EndForAnother);
  bool is_there = false;
  {
    ASSIGN_OR_RETURN(const auto log, target->OpenLogReadOnly());
    is_there = log->ledger_id() == id && log->last_sequence() == events;
    if (!is_there && log->last_sequence() > 0) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the ledger ", target->name(), " has ", log->last_sequence(), " events of its own (",
          log->ledger_id(), "); only an empty one takes another in"));
    }
  }
  std::cout << "from      " << path << ", ledger " << id << ", " << events << " events\n"
            << "to        " << target->name() << "\n"
            << std::flush;
  RETURN_IF_ERROR(Confirm("Move it? The file is kept under another name.", options.yes));
  // A try that was killed after the copy has only the file left to put away.
  if (!is_there) {
    ASSIGN_OR_RETURN(const auto from, OpenSqliteEventLogReadOnly(path));
    RETURN_IF_ERROR(target->CopyFrom(*from));
  }
  // Who started with the file again would go on from where it stood.
  ASSIGN_OR_RETURN(const std::string kept, PutLedgerFileAway(path, "migrated", absl::Now()));
  std::cout << "moved     the file is kept as " << kept
            << "; coordinators and commands with this configuration use the database now\n";
  return absl::OkStatus();
}

}  // namespace

int RunLedger(const LedgerCommandOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, {});
  if (!config.ok()) return Complain(config.status());
  const absl::Status status = Migrate(options, *config);
  return status.ok() ? kExitDone : Complain(status);
}

}  // namespace headwater
