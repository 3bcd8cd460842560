#include <utility>

#include "cli/adopt_command.h"
#include "cli/commands.h"
#include "cli/one_question.h"
#include "cli/report.h"

namespace headwater {
namespace {

std::string ReportOf(const RepairOptions& options, const v1::VerifyResponse& found) {
  if (options.global.output == OutputFormat::kJson) return MessageToJson(found, "verify") + "\n";
  if (options.scd2)
    return options.dry_run ? HistoriesToRepairReport(found) : HistoriesReport(found);
  return options.dry_run ? VerifyReport(found) : DifferencesReport(found);
}

}  // namespace

// Compares, as `verify` does, and then reads again just what differs; or mends histories.
int RunRepair(const RepairOptions& options) {
  if (options.adopt) return RunAdopt(options);
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  v1::VerifyRequest request;
  request.set_histories(options.scd2);
  const absl::StatusOr<v1::VerifyResponse> found =
      Ask(options.global, options.selector, *config, std::move(request), &AdminClient::Verify);
  if (!found.ok()) return Complain(found.status());
  const bool repairs = !options.dry_run && !found->plan_id().empty();
  // Of JSON there is one document: that of the run, if there is one.
  if (!repairs || options.global.output != OutputFormat::kJson)
    std::cout << ReportOf(options, *found) << std::flush;
  if (!repairs) return ExitCodeOf(*found);
  v1::SubmitRunRequest run;
  run.set_kind(v1::RUN_KIND_REPAIR);
  run.set_plan_id(found->plan_id());
  return SubmitAndWatch(options.global, *config, std::move(run));
}

}  // namespace headwater
