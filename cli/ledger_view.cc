#include "cli/ledger_view.h"

#include <utility>

#include "cli/ledger_home.h"
#include "common/base/status.h"
#include "coordinator/startup.h"

namespace headwater {
namespace {

constexpr absl::Duration kReachable = absl::Seconds(5);

absl::StatusOr<LedgerView> FromCoordinator(const std::string& address) {
  LedgerView view;
  ASSIGN_OR_RETURN(view.client, AdminClient::Create(address));
  if (!view.client->WaitUntilReachable(kReachable)) {
    return absl::UnavailableError("no coordinator answers at " + address + "; is it running?");
  }
  return view;
}

}  // namespace

absl::StatusOr<LedgerView> OpenLedgerView(const GlobalOptions& global, const Config& config) {
  if (!global.coordinator.empty()) return FromCoordinator(global.coordinator);
  ASSIGN_OR_RETURN(const auto ledger, LedgerHome::Open(global, config));
  ASSIGN_OR_RETURN(const std::string writer, ledger->WriterAddress());
  if (!writer.empty()) return FromCoordinator(writer);
  ASSIGN_OR_RETURN(const auto log, ledger->OpenLogReadOnly());
  ASSIGN_OR_RETURN(ReplayedState replayed, ReplayLog(*log));
  LedgerView view;
  view.state = std::move(replayed.state);
  view.ledger_id = log->ledger_id();
  return view;
}

}  // namespace headwater
