#include "cli/commands.h"
#include "cli/one_question.h"
#include "cli/report.h"

namespace headwater {

int RunVerify(const VerifyOptions& options) {
  return AskOnce(options.global, options.selector, v1::VerifyRequest(), &AdminClient::Verify,
                 "verify", VerifyReport);
}

}  // namespace headwater
