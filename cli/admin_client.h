// A coordinator's admin service, as the commands use it. Free of gRPC.
#ifndef HEADWATER_CLI_ADMIN_CLIENT_H_
#define HEADWATER_CLI_ADMIN_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "headwater/v1/admin.pb.h"

namespace headwater {

// Every call answers UNAVAILABLE when the coordinator cannot be reached or ends meanwhile.
// Thread-safe.
class AdminClient {
 public:
  // One address as in common/rpc/channel.h, or several with commas between them, of coordinators
  // that take turns: one that stands by names the leader, which is asked then. Connects when first
  // needed. INVALID_ARGUMENT: not an address.
  static absl::StatusOr<std::unique_ptr<AdminClient>> Create(const std::string& addresses);
  ~AdminClient();

  // True once one of them answers; false after `wait`.
  bool WaitUntilReachable(absl::Duration wait);

  absl::StatusOr<v1::SubmitRunResponse> SubmitRun(const v1::SubmitRunRequest& request);
  // Calls `update` for every message; returns the last one, in which `ended` is set.
  absl::StatusOr<v1::WatchRunResponse> WatchRun(
      const std::string& run_id, const std::function<void(const v1::WatchRunResponse&)>& update);
  absl::Status CancelRun(const std::string& run_id);
  absl::StatusOr<v1::PlanResponse> Plan(const v1::PlanRequest& request);
  absl::StatusOr<v1::VerifyResponse> Verify(const v1::VerifyRequest& request);
  absl::StatusOr<v1::CollectGarbageResponse> CollectGarbage(
      const v1::CollectGarbageRequest& request);
  absl::StatusOr<v1::GetStatusResponse> GetStatus(const v1::GetStatusRequest& request);
  absl::StatusOr<v1::GetHistoryResponse> GetHistory(const v1::GetHistoryRequest& request);
  absl::StatusOr<v1::GetStateResponse> GetState(const v1::GetStateRequest& request);
  absl::StatusOr<v1::ChangeStateResponse> ChangeState(const v1::ChangeStateRequest& request);
  absl::StatusOr<v1::ExplainResponse> Explain(const v1::ExplainRequest& request);

 private:
  struct Impl;
  explicit AdminClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headwater

#endif  // HEADWATER_CLI_ADMIN_CLIENT_H_
