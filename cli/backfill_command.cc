#include "cli/commands.h"
#include "cli/run_session.h"
#include "cli/window_request.h"

namespace headwater {

int RunBackfill(const BackfillOptions& options) {
  absl::StatusOr<v1::BackfillWindow> window = WindowOf(options.window, v1::BACKFILL_MODE_ALL);
  if (!window.ok()) return Complain(window.status());
  absl::StatusOr<v1::Pace> pace = PaceOf(options.window);
  if (!pace.ok()) return Complain(pace.status());
  if (options.dry_run) {
    PlanOptions plan{options.global, options.selector, options.window};
    if (plan.window.only.empty() && plan.window.columns.empty()) plan.window.only = "all";
    return RunPlan(plan);
  }
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  v1::SubmitRunRequest request;
  request.set_kind(v1::RUN_KIND_BACKFILL);
  *request.mutable_selection() = SelectionOf(options.selector);
  *request.mutable_window() = *std::move(window);
  *request.mutable_pace() = *std::move(pace);
  return SubmitAndWatch(options.global, *config, std::move(request));
}

}  // namespace headwater
