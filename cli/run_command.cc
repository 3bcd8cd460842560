#include "cli/commands.h"
#include "cli/run_session.h"

namespace headwater {

int RunRun(const RunOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  v1::SubmitRunRequest request;
  request.set_kind(v1::RUN_KIND_INCREMENTAL);
  *request.mutable_selection() = SelectionOf(options.selector);
  return SubmitAndWatch(options.global, *config, std::move(request));
}

}  // namespace headwater
