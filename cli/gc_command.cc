#include "cli/commands.h"
#include "cli/one_question.h"
#include "cli/report.h"

namespace headwater {

int RunGc(const GcOptions& options) {
  v1::CollectGarbageRequest request;
  request.set_dry_run(options.dry_run);
  return AskOnce(options.global, options.selector, std::move(request), &AdminClient::CollectGarbage,
                 "gc", CollectionReport);
}

}  // namespace headwater
