#include <iostream>
#include <utility>

#include "cli/cluster_access.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/run_session.h"
#include "common/base/status.h"

namespace headwater {
namespace {

void Show(const RepairOptions& options, const v1::VerifyResponse& found) {
  std::cout << (options.global.output == OutputFormat::kJson ? MessageToJson(found, "verify") + "\n"
                : options.dry_run                            ? VerifyReport(found)
                                                             : DifferencesReport(found))
            << std::flush;
}

}  // namespace

// Compares, as `verify` does, and then reads again just what differs.
int RunRepair(const RepairOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  v1::VerifyRequest request;
  request.set_config_digest(config->digest);
  *request.mutable_selection() = SelectionOf(options.selector);
  v1::VerifyResponse found;
  const absl::Status status =
      ClusterAccess::Keep(options.global, *config, [&](ClusterAccess& access) -> absl::Status {
        ASSIGN_OR_RETURN(found, access.client().Verify(request));
        return absl::OkStatus();
      });
  if (!status.ok()) return Complain(status);
  const bool repairs = !options.dry_run && !found.plan_id().empty();
  // Of JSON there is one document: that of the run, if there is one.
  if (!repairs || options.global.output != OutputFormat::kJson) Show(options, found);
  if (!repairs) return ExitCodeOf(found);
  v1::SubmitRunRequest run;
  run.set_kind(v1::RUN_KIND_BACKFILL);
  run.set_plan_id(found.plan_id());
  return SubmitAndWatch(options.global, *config, std::move(run));
}

}  // namespace headwater
