#include <utility>

#include "cli/commands.h"
#include "cli/one_question.h"
#include "cli/report.h"

namespace headwater {

int RunVerify(const VerifyOptions& options) {
  v1::VerifyRequest request;
  request.set_counts_only(options.counts);
  request.set_sample(options.sample);
  request.set_histories(options.scd2);
  return AskOnce(options.global, options.selector, std::move(request), &AdminClient::Verify,
                 "verify", options.scd2 ? HistoriesToRepairReport : VerifyReport);
}

}  // namespace headwater
