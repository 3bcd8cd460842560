#include "cli/cluster_access.h"

#include <iostream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/ledger_home.h"
#include "cli/ledger_lock.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr absl::Duration kReachable = absl::Seconds(5);
constexpr absl::Duration kAttach = absl::Milliseconds(300);  // Then the lock is tried again.
constexpr int kAttachTries = 100;  // Half a minute: a ledger may be replaying.
constexpr int kHostsSurvived = 5;
// The report is out, so this is what a person or a script waits for longer, once an hour at most.
// What is not done by then is due again in an hour, the tables that waited longest first.
constexpr absl::Duration kCollect = absl::Seconds(2);

// A coordinator that others serve may have nobody who reads; then a command waits, and says so.
void SayThatWorkersAreMissing(const GlobalOptions& global, AdminClient& client) {
  const absl::StatusOr<v1::GetStatusResponse> status = client.GetStatus({});
  if (global.quiet || !status.ok() || status->workers_size() > 0 || status->own_worker()) return;
  std::cerr << "headwater: the coordinator has no worker yet; this waits for one: headwater worker "
               "--coordinator "
            << (global.coordinator.empty() ? "HOST:PORT" : global.coordinator) << "\n";
}

}  // namespace

absl::StatusOr<ClusterAccess> ClusterAccess::Open(const GlobalOptions& global,
                                                  const Config& config) {
  ClusterAccess access;
  if (!global.coordinator.empty()) {
    ASSIGN_OR_RETURN(access.client_, AdminClient::Create(global.coordinator));
    if (!access.client_->WaitUntilReachable(kReachable)) {
      return absl::UnavailableError(absl::StrCat(
          "no coordinator answers at ", global.coordinator,
          "; is it running? Start one with: headwater coordinator --listen ", global.coordinator));
    }
    return access;
  }
  ASSIGN_OR_RETURN(std::unique_ptr<LedgerHome> ledger, LedgerHome::Open(global, config));
  std::string writer;
  for (int i = 0; i < kAttachTries; ++i) {
    ASSIGN_OR_RETURN(const bool taken, ledger->TryTake(SocketAddress(config.directory)));
    if (taken) {
      LocalClusterOptions options;
      options.workers = global.workers > 0
                            ? global.workers
                            : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
      ASSIGN_OR_RETURN(access.cluster_, LocalCluster::Start(config, std::move(ledger), options));
      ASSIGN_OR_RETURN(access.client_, AdminClient::Create(access.cluster_->address()));
      return access;
    }
    // Somebody has it: attach. Nobody answers yet while the ledger is replayed.
    ASSIGN_OR_RETURN(const std::string address, ledger->WriterAddress());
    if (address.empty()) continue;  // It has just been given up.
    writer = address;
    ASSIGN_OR_RETURN(access.client_, AdminClient::Create(address));
    if (access.client_->WaitUntilReachable(kAttach)) return access;
  }
  return absl::UnavailableError(absl::StrCat("another process has the ledger ", ledger->name(),
                                             " and does not answer at ", writer,
                                             "; end it, or wait for it"));
}

void ClusterAccess::Leave() {
  if (cluster_ == nullptr) return;
  (void)cluster_->WaitIdle();
  if (collects_) {
    cluster_->FinishCollections(kCollect);
    (void)cluster_->WaitIdle();  // Somebody may have come meanwhile.
  }
  cluster_->Shutdown();
}

absl::Status ClusterAccess::Keep(const GlobalOptions& global, const Config& config,
                                 const std::function<absl::Status(ClusterAccess&)>& use) {
  for (int i = 0;; ++i) {
    ASSIGN_OR_RETURN(ClusterAccess access, Open(global, config));
    if (!access.hosting()) SayThatWorkersAreMissing(global, access.client());
    absl::Status status = use(access);
    if (!absl::IsUnavailable(status) || i == kHostsSurvived) {
      access.Leave();
      return status;
    }
  }
}

}  // namespace headwater
