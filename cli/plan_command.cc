#include <utility>

#include "cli/commands.h"
#include "cli/one_question.h"
#include "cli/report.h"

namespace headwater {

int RunPlan(const PlanOptions& options) {
  v1::PlanRequest request;
  const bool window = !options.from.empty();
  request.set_kind(window ? v1::RUN_KIND_BACKFILL : v1::RUN_KIND_INCREMENTAL);
  if (window) {
    request.mutable_window()->set_from(options.from);
    request.mutable_window()->set_to(options.to);
    request.mutable_window()->set_mode(options.mode);
  }
  return AskOnce(options.global, options.selector, std::move(request), &AdminClient::Plan, "plan",
                 PlanReport);
}

}  // namespace headwater
