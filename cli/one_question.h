// What commands with one question and one answer share: `plan`, `verify` and `gc`.
#ifndef HEADWATER_CLI_ONE_QUESTION_H_
#define HEADWATER_CLI_ONE_QUESTION_H_

#include <iostream>
#include <string>

#include "cli/cluster_access.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/run_session.h"
#include "common/base/status.h"

namespace headwater {

// Asks the coordinator `request`, which gets the configuration's digest and the selection. The
// question is asked again when its coordinator ends meanwhile.
template <typename Request, typename Response>
absl::StatusOr<Response> Ask(const GlobalOptions& global, const Selector& selector,
                             const Config& config, Request request,
                             absl::StatusOr<Response> (AdminClient::*ask)(const Request&)) {
  request.set_config_digest(config.digest);
  *request.mutable_selection() = SelectionOf(selector);
  Response answer;
  RETURN_IF_ERROR(ClusterAccess::Keep(global, config, [&](ClusterAccess& access) -> absl::Status {
    ASSIGN_OR_RETURN(answer, (access.client().*ask)(request));
    return absl::OkStatus();
  }));
  return answer;
}

// Asks, prints the answer (`report` of it, or JSON of this `kind`) and returns the command's exit
// code.
template <typename Request, typename Response>
int AskOnce(const GlobalOptions& global, const Selector& selector, Request request,
            absl::StatusOr<Response> (AdminClient::*ask)(const Request&), absl::string_view kind,
            std::string (*report)(const Response&)) {
  const absl::StatusOr<Config> config = LoadFor(global, selector);
  if (!config.ok()) return Complain(config.status());
  const absl::StatusOr<Response> answer = Ask(global, selector, *config, std::move(request), ask);
  if (!answer.ok()) return Complain(answer.status());
  std::cout << (global.output == OutputFormat::kJson ? MessageToJson(*answer, kind) + "\n"
                                                     : report(*answer));
  return ExitCodeOf(*answer);
}

}  // namespace headwater

#endif  // HEADWATER_CLI_ONE_QUESTION_H_
