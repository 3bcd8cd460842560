// How a command reaches a coordinator: the one named by --coordinator, the one that already holds
// this configuration's ledger, or one that this command starts itself.
#ifndef HEADWATER_CLI_CLUSTER_ACCESS_H_
#define HEADWATER_CLI_CLUSTER_ACCESS_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/admin_client.h"
#include "cli/commands.h"
#include "cli/local_cluster.h"
#include "common/config/config.h"

namespace headwater {

class ClusterAccess {
 public:
  // UNAVAILABLE: the named coordinator does not answer. Errors of LocalCluster::Start() otherwise.
  static absl::StatusOr<ClusterAccess> Open(const GlobalOptions& global, const Config& config);

  AdminClient& client() { return *client_; }
  // The coordinator lives in this process.
  bool hosting() const { return cluster_ != nullptr; }

  // Whoever loads also sees to garbage that is due when it leaves, should it be the host: its
  // process may live for a second, once a day.
  void CollectBeforeLeaving() { collects_ = true; }

  // A host stays until the runs of the commands that attached to it are done, too.
  void Leave();

  // Calls `use` until it answers something else than UNAVAILABLE. Without --coordinator a host that
  // died is replaced: by whoever else attached, or by this command. So `use` must be idempotent.
  static absl::Status Keep(const GlobalOptions& global, const Config& config,
                           const std::function<absl::Status(ClusterAccess&)>& use);

 private:
  bool collects_ = false;
  std::unique_ptr<LocalCluster> cluster_;
  std::unique_ptr<AdminClient> client_;
};

}  // namespace headwater

#endif  // HEADWATER_CLI_CLUSTER_ACCESS_H_
