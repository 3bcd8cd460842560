#include "cli/commands.h"
#include "cli/run_session.h"

namespace headwater {

int RunRetry(const RetryOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, {});
  if (!config.ok()) return Complain(config.status());
  v1::SubmitRunRequest request;
  request.set_kind(v1::RUN_KIND_RETRY);
  request.set_retry_of(options.run_id);
  return SubmitAndWatch(options.global, *config, std::move(request));
}

}  // namespace headwater
