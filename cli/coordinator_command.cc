#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/local_cluster.h"
#include "cli/run_session.h"

namespace headwater {

int RunCoordinator(const CoordinatorCommandOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, {});
  if (!config.ok()) return Complain(config.status());
  absl::StatusOr<std::optional<LedgerLock>> lock = LedgerLock::TryAcquire(config->directory);
  if (!lock.ok()) return Complain(lock.status());
  if (!lock->has_value()) {
    return Complain(absl::FailedPreconditionError(
        absl::StrCat("the ledger ", LedgerPath(config->directory),
                     " belongs to another running process (a coordinator, or a `headwater run`); "
                     "there is one coordinator per ledger. Use that one, or end it first")));
  }
  LocalClusterOptions cluster_options;
  cluster_options.listen = options.listen;
  cluster_options.workers_are_dead = false;  // They live in processes of their own and come back.
  absl::Notification ended;
  const InterruptWatch interrupts([&](int count) {
    if (count > 1) _exit(kExitInterrupted);
    ended.Notify();
  });
  absl::StatusOr<std::unique_ptr<LocalCluster>> cluster =
      LocalCluster::Start(*config, *std::move(*lock), cluster_options);
  if (!cluster.ok()) return Complain(cluster.status());
  const std::string host = options.listen.substr(0, options.listen.rfind(':'));
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
