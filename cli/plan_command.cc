#include <iostream>

#include "cli/cluster_access.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/run_session.h"
#include "common/base/status.h"

namespace headwater {

int RunPlan(const PlanOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  v1::PlanRequest request;
  request.set_config_digest(config->digest);
  *request.mutable_selection() = SelectionOf(options.selector);
  const bool window = !options.from.empty();
  request.set_kind(window ? v1::RUN_KIND_BACKFILL : v1::RUN_KIND_INCREMENTAL);
  if (window) {
    request.mutable_window()->set_from(options.from);
    request.mutable_window()->set_to(options.to);
    request.mutable_window()->set_mode(options.mode);
  }
  v1::PlanResponse plan;
  const absl::Status status =
      ClusterAccess::Keep(options.global, *config, [&](ClusterAccess& access) -> absl::Status {
        ASSIGN_OR_RETURN(plan, access.client().Plan(request));
        return absl::OkStatus();
      });
  if (!status.ok()) return Complain(status);
  std::cout << (options.global.output == OutputFormat::kJson ? MessageToJson(plan, "plan") + "\n"
                                                             : PlanReport(plan));
  return ExitCodeOf(plan);
}

}  // namespace headwater
