#include "cli/run_session.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "cli/cluster_access.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/window_request.h"
#include "common/base/ids.h"
#include "common/base/status.h"

namespace headwater {
namespace {

// What the thread of signals needs to know of the run.
struct Watched {
  std::mutex mutex;
  AdminClient* client = nullptr;
  std::string run_id;
  bool cancelled = false;
};

void OnInterrupt(Watched& watched, int count) {
  if (count > 1) _exit(kExitInterrupted);
  const std::lock_guard<std::mutex> lock(watched.mutex);
  watched.cancelled = true;
  std::cerr << "\nInterrupted: cancelling this run; what is published stays. Ctrl-C again leaves "
               "at once.\n";
  if (watched.client != nullptr && !watched.run_id.empty())
    (void)watched.client->CancelRun(watched.run_id);
}

absl::StatusOr<v1::WatchRunResponse> SubmitOnce(ClusterAccess& access,
                                                const v1::SubmitRunRequest& request,
                                                Watched& watched, ProgressRenderer& progress,
                                                bool talks) {
  ASSIGN_OR_RETURN(const v1::SubmitRunResponse submitted, access.client().SubmitRun(request));
  {
    const std::lock_guard<std::mutex> lock(watched.mutex);
    watched.client = &access.client();
    watched.run_id = submitted.run_id();
    if (watched.cancelled) (void)access.client().CancelRun(submitted.run_id());
  }
  if (talks) std::cerr << WindowNotes(submitted.windows());
  auto ended =
      access.client().WatchRun(submitted.run_id(), [&](const v1::WatchRunResponse& update) {
        std::cerr << progress.Update(update, absl::Now()) << std::flush;
      });
  const std::lock_guard<std::mutex> lock(watched.mutex);
  watched.client = nullptr;
  return ended;
}

}  // namespace

int Complain(const absl::Status& status) {
  std::cerr << "headwater: " << std::string(status.message()) << "\n";
  return ExitCodeOf(status);
}

absl::StatusOr<Config> LoadFor(const GlobalOptions& global, const Selector& selector) {
  ASSIGN_OR_RETURN(Config config, LoadConfig(global.config_path));
  RETURN_IF_ERROR(Select(config, selector).status());
  return config;
}

v1::Selection SelectionOf(const Selector& selector) {
  v1::Selection selection;
  for (const std::string& pattern : selector.patterns) selection.add_patterns(pattern);
  for (const std::string& server : selector.servers) selection.add_servers(server);
  for (const std::string& table : selector.tables) selection.add_tables(table);
  for (const std::string& tag : selector.tags) selection.add_tags(tag);
  for (const std::string& frequency : selector.frequencies) selection.add_frequencies(frequency);
  for (const std::string& strategy : selector.strategies) selection.add_strategies(strategy);
  return selection;
}

int SubmitAndWatch(const GlobalOptions& global, const Config& config,
                   v1::SubmitRunRequest request) {
  // The key makes a second submission, to the host that takes over, attach to the first.
  request.set_idempotency_key(RandomId());
  request.set_config_digest(config.digest);
  request.set_by_person(true);
  Watched watched;
  const InterruptWatch interrupts([&](int count) { OnInterrupt(watched, count); });
  ProgressRenderer progress(ResolveProgressMode(global.quiet ? ProgressMode::kOff : global.progress,
                                                isatty(STDERR_FILENO) != 0));
  v1::WatchRunResponse ended;
  const absl::Status status =
      ClusterAccess::Keep(global, config, [&](ClusterAccess& access) -> absl::Status {
        access.CollectBeforeLeaving();
        ASSIGN_OR_RETURN(ended, SubmitOnce(access, request, watched, progress, !global.quiet));
        std::cerr << progress.Clear();
        if (global.output == OutputFormat::kJson) {
          std::cout << MessageToJson(ended, "run") << "\n" << std::flush;
        } else {
          std::cout << RunReport(ended) << std::flush;
        }
        return absl::OkStatus();
      });
  std::cerr << progress.Clear();
  if (!status.ok()) return Complain(status);
  if (ended.cancelled()) return kExitInterrupted;
  return ExitCodeOf(ended);
}

}  // namespace headwater
