#include <utility>

#include "cli/commands.h"
#include "cli/one_question.h"
#include "cli/report.h"
#include "cli/window_request.h"

namespace headwater {

int RunPlan(const PlanOptions& options) {
  v1::PlanRequest request;
  const bool window = !options.window.from.empty();
  request.set_kind(window ? v1::RUN_KIND_BACKFILL : v1::RUN_KIND_INCREMENTAL);
  if (window) {
    absl::StatusOr<v1::BackfillWindow> asked = WindowOf(options.window, v1::BACKFILL_MODE_MISSING);
    if (!asked.ok()) return Complain(asked.status());
    absl::StatusOr<v1::Pace> pace = PaceOf(options.window);
    if (!pace.ok()) return Complain(pace.status());
    *request.mutable_window() = *std::move(asked);
    *request.mutable_pace() = *std::move(pace);
  }
  return AskOnce(options.global, options.selector, std::move(request), &AdminClient::Plan, "plan",
                 PlanReport);
}

}  // namespace headwater
