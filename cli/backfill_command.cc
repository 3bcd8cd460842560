#include "cli/commands.h"
#include "cli/run_session.h"

namespace headwater {

int RunBackfill(const BackfillOptions& options) {
  if (options.dry_run) {
    return RunPlan({options.global, options.selector, options.from, options.to, options.mode});
  }
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  v1::SubmitRunRequest request;
  request.set_kind(v1::RUN_KIND_BACKFILL);
  *request.mutable_selection() = SelectionOf(options.selector);
  request.mutable_window()->set_from(options.from);
  request.mutable_window()->set_to(options.to);
  request.mutable_window()->set_mode(options.mode);
  return SubmitAndWatch(options.global, *config, std::move(request));
}

}  // namespace headwater
