#include <iostream>

#include "cli/cluster_access.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/run_session.h"
#include "common/base/status.h"

namespace headwater {

int RunVerify(const VerifyOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  v1::VerifyRequest request;
  request.set_config_digest(config->digest);
  *request.mutable_selection() = SelectionOf(options.selector);
  v1::VerifyResponse result;
  const absl::Status status =
      ClusterAccess::Keep(options.global, *config, [&](ClusterAccess& access) -> absl::Status {
        ASSIGN_OR_RETURN(result, access.client().Verify(request));
        return absl::OkStatus();
      });
  if (!status.ok()) return Complain(status);
  std::cout << (options.global.output == OutputFormat::kJson
                    ? MessageToJson(result, "verify") + "\n"
                    : VerifyReport(result));
  return ExitCodeOf(result);
}

}  // namespace headwater
