#include "cli/commands.h"
#include "cli/run_session.h"

namespace headwater {

int RunRun(const RunOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  v1::SubmitRunRequest request;
  request.set_kind(options.plan_id.empty() ? v1::RUN_KIND_INCREMENTAL : v1::RUN_KIND_BACKFILL);
  request.set_plan_id(options.plan_id);
  request.set_force(options.force);
  *request.mutable_selection() = SelectionOf(options.selector);
  return SubmitAndWatch(options.global, *config, std::move(request));
}

}  // namespace headwater
