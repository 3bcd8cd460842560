#include <utility>

#include "cli/adopt_command.h"
#include "cli/commands.h"
#include "cli/one_question.h"
#include "cli/report.h"

namespace headwater {
namespace {

void Show(const RepairOptions& options, const v1::VerifyResponse& found) {
  std::cout << (options.global.output == OutputFormat::kJson ? MessageToJson(found, "verify") + "\n"
                : options.dry_run                            ? VerifyReport(found)
                                                             : DifferencesReport(found))
            << std::flush;
}

}  // namespace

// Compares, as `verify` does, and then reads again just what differs.
int RunRepair(const RepairOptions& options) {
  if (options.adopt) return RunAdopt(options);
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  const absl::StatusOr<v1::VerifyResponse> found =
      Ask(options.global, options.selector, *config, v1::VerifyRequest(), &AdminClient::Verify);
  if (!found.ok()) return Complain(found.status());
  const bool repairs = !options.dry_run && !found->plan_id().empty();
  // Of JSON there is one document: that of the run, if there is one.
  if (!repairs || options.global.output != OutputFormat::kJson) Show(options, *found);
  if (!repairs) return ExitCodeOf(*found);
  v1::SubmitRunRequest run;
  run.set_kind(v1::RUN_KIND_BACKFILL);
  run.set_plan_id(found->plan_id());
  return SubmitAndWatch(options.global, *config, std::move(run));
}

}  // namespace headwater
