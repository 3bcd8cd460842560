#include <unistd.h>

#include <iostream>
#include <set>

#include "absl/synchronization/notification.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/ledger_view.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/run_session.h"
#include "common/base/status.h"
#include "coordinator/describe.h"

namespace headwater {
namespace {

constexpr absl::Duration kWatchEvery = absl::Seconds(2);
constexpr char kFromTheTop[] = "\x1b[H\x1b[J";  // Of the terminal.

absl::StatusOr<v1::GetStatusResponse> StatusFromLedger(const LedgerView& view, const Config& config,
                                                       const Selector& selector) {
  v1::GetStatusResponse all = DescribeStatus(*view.state, absl::Now());
  ASSIGN_OR_RETURN(const auto selected, Select(config, selector));
  std::set<DatasetId> wanted;
  for (const DatasetConfig* dataset : selected) wanted.insert(dataset->spec.id);
  v1::GetStatusResponse status = all;
  status.set_ledger_id(view.ledger_id);
  status.clear_datasets();
  for (const v1::DatasetStatus& dataset : all.datasets()) {
    if (wanted.contains({dataset.dataset().table(), dataset.dataset().server()}))
      *status.add_datasets() = dataset;
  }
  return status;
}

absl::StatusOr<v1::GetStatusResponse> Status(const StatusOptions& options, const Config& config) {
  ASSIGN_OR_RETURN(const LedgerView view, OpenLedgerView(options.global, config));
  if (view.client == nullptr) return StatusFromLedger(view, config, options.selector);
  v1::GetStatusRequest request;
  *request.mutable_selection() = SelectionOf(options.selector);
  return view.client->GetStatus(request);
}

}  // namespace

int RunStatus(const StatusOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  const bool json = options.global.output == OutputFormat::kJson;
  absl::Notification interrupted;
  std::optional<InterruptWatch> interrupts;
  if (options.watch) {
    interrupts.emplace([&](int count) {
      if (count == 1) interrupted.Notify();
    });
  }
  do {
    const absl::StatusOr<v1::GetStatusResponse> status = Status(options, *config);
    if (!status.ok()) return Complain(status.status());
    if (options.watch && !json && isatty(STDOUT_FILENO) != 0) std::cout << kFromTheTop;
    std::cout << (json ? MessageToJson(*status, "status") + "\n" : StatusReport(*status))
              << std::flush;
  } while (options.watch && !interrupted.WaitForNotificationWithTimeout(kWatchEvery));
  return kExitDone;
}

}  // namespace headwater
