#include <iostream>
#include <set>

#include "cli/admin_client.h"
#include "cli/cluster_access.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/run_session.h"
#include "common/base/status.h"
#include "coordinator/describe.h"
#include "coordinator/ledger/sqlite_event_log.h"
#include "coordinator/startup.h"

namespace headwater {
namespace {

constexpr absl::Duration kReachable = absl::Seconds(5);

// Without a coordinator: the ledger, replayed for reading only.
absl::StatusOr<v1::GetStatusResponse> StatusFromLedger(const Config& config,
                                                       const Selector& selector) {
  ASSIGN_OR_RETURN(const auto log, OpenSqliteEventLogReadOnly(LedgerPath(config.directory)));
  ASSIGN_OR_RETURN(const ReplayedState replayed, ReplayLog(*log));
  v1::GetStatusResponse all = DescribeStatus(*replayed.state, absl::Now());
  all.set_ledger_id(log->ledger_id());
  ASSIGN_OR_RETURN(const auto selected, Select(config, selector));
  std::set<DatasetId> wanted;
  for (const DatasetConfig* dataset : selected) wanted.insert(dataset->spec.id);
  v1::GetStatusResponse status = all;
  status.clear_datasets();
  for (const v1::DatasetStatus& dataset : all.datasets()) {
    if (wanted.contains({dataset.dataset().table(), dataset.dataset().server()}))
      *status.add_datasets() = dataset;
  }
  return status;
}

absl::StatusOr<v1::GetStatusResponse> StatusFrom(const std::string& address,
                                                 const Selector& selector) {
  ASSIGN_OR_RETURN(const auto client, AdminClient::Create(address));
  if (!client->WaitUntilReachable(kReachable)) {
    return absl::UnavailableError("no coordinator answers at " + address + "; is it running?");
  }
  v1::GetStatusRequest request;
  *request.mutable_selection() = SelectionOf(selector);
  return client->GetStatus(request);
}

absl::StatusOr<v1::GetStatusResponse> Status(const StatusOptions& options, const Config& config) {
  if (!options.global.coordinator.empty())
    return StatusFrom(options.global.coordinator, options.selector);
  ASSIGN_OR_RETURN(const auto lock, LedgerLock::TryAcquire(config.directory));
  if (!lock.has_value()) return StatusFrom(SocketAddress(config.directory), options.selector);
  return StatusFromLedger(config, options.selector);
}

}  // namespace

int RunStatus(const StatusOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  const absl::StatusOr<v1::GetStatusResponse> status = Status(options, *config);
  if (!status.ok()) return Complain(status.status());
  std::cout << (options.global.output == OutputFormat::kJson
                    ? MessageToJson(*status, "status") + "\n"
                    : StatusReport(*status));
  return kExitDone;
}

}  // namespace headwater
