#include <unistd.h>

#include <iostream>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/ledger_home.h"
#include "cli/local_cluster.h"
#include "cli/run_session.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "coordinator/service/standby_server.h"

namespace headwater {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(250);

std::string HostOf(const std::string& listen) { return listen.substr(0, listen.rfind(':')); }

// Where it serves, once it leads; absent: it was asked to end before.
absl::StatusOr<std::optional<std::string>> StandBy(const CoordinatorCommandOptions& options,
                                                   LedgerHome& ledger,
                                                   const absl::Notification& ended) {
  ASSIGN_OR_RETURN(const auto server, StandbyServer::Start(options.listen));
  const std::string address = absl::StrCat(HostOf(options.listen), ":", server->port());
  std::string leader;
  bool trouble = false;
  do {
    const absl::StatusOr<bool> taken = ledger.TryTake(address);
    if (taken.ok() && *taken) return address;
    const absl::StatusOr<std::string> now = taken.ok() ? ledger.WriterAddress() : taken.status();
    if (!now.ok() && !absl::IsUnavailable(now.status())) return now.status();
    if (!now.ok() && !trouble)
      Log(LogLevel::kWarning, "the ledger does not answer", {{"why", now.status().ToString()}});
    trouble = !now.ok();
    if (now.ok() && *now != leader && !now->empty()) {
      std::cerr << "headwater coordinator: " << *now << " leads; standing by at " << address
                << "\n";
    }
    leader = now.value_or(leader);
    server->SetLeader(leader);
  } while (!ended.WaitForNotificationWithTimeout(kLook));
  return std::optional<std::string>();
}

// The address at which this process is to serve, with the ledger taken.
absl::StatusOr<std::optional<std::string>> Take(const CoordinatorCommandOptions& options,
                                                LedgerHome& ledger,
                                                const absl::Notification& ended) {
  if (ledger.shared()) return StandBy(options, ledger, ended);
  ASSIGN_OR_RETURN(const bool taken, ledger.TryTake(options.listen));
  if (taken) return options.listen;
  return absl::FailedPreconditionError(
      absl::StrCat("the ledger ", ledger.name(),
                   " belongs to another running process (a coordinator, or a `headwater run`); "
                   "there is one coordinator per ledger in a file. Use that one, or end it first"));
}

}  // namespace

int RunCoordinator(const CoordinatorCommandOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, {});
  if (!config.ok()) return Complain(config.status());
  absl::StatusOr<std::unique_ptr<LedgerHome>> ledger = LedgerHome::Open(options.global, *config);
  if (!ledger.ok()) return Complain(ledger.status());
  absl::Notification ended;
  const InterruptWatch interrupts([&](int count) {
    if (count > 1) _exit(kExitInterrupted);
    ended.Notify();
  });
  const absl::StatusOr<std::optional<std::string>> address = Take(options, **ledger, ended);
  if (!address.ok()) return Complain(address.status());
  if (!address->has_value()) return kExitDone;
  LocalClusterOptions cluster_options;
  cluster_options.listen = **address;
  cluster_options.socket = !(*ledger)->shared();
  cluster_options.workers_are_dead = false;  // They live in processes of their own and come back.
  absl::StatusOr<std::unique_ptr<LocalCluster>> cluster =
      LocalCluster::Start(*config, *std::move(ledger), cluster_options);
  if (!cluster.ok()) return Complain(cluster.status());
  const std::string host = HostOf(options.listen);
  std::cerr << "headwater coordinator: " << config->datasets.size() << " datasets, listening at "
            << host << ":" << (*cluster)->port()
            << "\nAdd workers with: headwater worker --coordinator " << host << ":"
            << (*cluster)->port() << "\n";
  ended.WaitForNotification();
  std::cerr << "headwater coordinator: ending; what is under way goes on at the next start\n";
  (*cluster)->Shutdown();
  return kExitDone;
}

}  // namespace headwater
