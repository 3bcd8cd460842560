// Where commands that only look find the state: with the coordinator that runs, or, when none does,
// in the ledger, replayed for reading.
#ifndef HEADWATER_CLI_LEDGER_VIEW_H_
#define HEADWATER_CLI_LEDGER_VIEW_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/admin_client.h"
#include "cli/commands.h"
#include "common/config/config.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

struct LedgerView {
  std::unique_ptr<AdminClient> client;  // Of the coordinator; null: none runs.
  std::unique_ptr<ClusterState> state;  // Set when `client` is null.
  std::string ledger_id;                // Likewise.
};

// UNAVAILABLE: the coordinator that was named, or that holds the ledger, does not answer.
// NOT_FOUND: there is no coordinator and no ledger. Others: the ledger's.
absl::StatusOr<LedgerView> OpenLedgerView(const GlobalOptions& global, const Config& config);

}  // namespace headwater

#endif  // HEADWATER_CLI_LEDGER_VIEW_H_
